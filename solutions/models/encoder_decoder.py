"""What an encoder-decoder does around its layers: embeddings, positions, checks, a cache, searches.

Chapter 5 makes the Transformer of it: the layers are the chapter's.
"""

from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.attention import causal_mask, padding_mask
from solutions.models.cached_decoder import DecoderCache, cached_decoder_layer, key_value_heads
from solutions.models.generation import KeyValue
from solutions.models.inputs import check_attention_mask, check_token_ids
from solutions.models.transformer_config import ACTIVATIONS, TransformerConfig, position_table
from solutions.models.weights import (
    LayerStack,
    WeightGroup,
    decoder_layer_shapes,
    encoder_layer_shapes,
)


class EncoderDecoder(nn.Module):
    """An encoder and a decoder, with all their weights; a subclass runs the layers.

    Attributes:
        config: its sizes and traits.
        encoder: the weights of the encoder's layers.
        decoder: the weights of the decoder's layers.
        num_decoder_heads: H of the decoder.
        activation: of the feed-forward networks.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        size = config.hidden_size
        self.num_decoder_heads = config.num_decoder_heads or config.num_heads
        self.activation = ACTIVATIONS[config.activation]
        self.target_vocab_size = config.target_vocab_size or config.vocab_size
        shapes: dict[str, tuple[int, ...]] = {"source": (config.vocab_size, size)}
        if not config.share_embeddings:
            shapes["target"] = (self.target_vocab_size, size)
        if not config.tied_head:
            shapes["output"] = (self.target_vocab_size, size)
        if config.output_bias:
            shapes["output_bias"] = (self.target_vocab_size,)
        self.embeddings = WeightGroup(shapes, std=size**-0.5)
        self.embeddings["source"].data[config.pad_id] = 0
        self._target_embedding.data[config.pad_id] = 0
        if config.stored_positions and config.max_positions is not None:
            table = position_table(config, config.max_positions)
            self.positions = WeightGroup({"source": table.shape, "target": table.shape})
            for stored in self.positions.values():
                stored.requires_grad_(False).copy_(table)
        inner = config.intermediate_size
        self.encoder = LayerStack(encoder_layer_shapes(size, inner), config.num_layers)
        inner = config.decoder_intermediate_size or inner
        num_layers = config.num_decoder_layers or config.num_layers
        self.decoder = LayerStack(decoder_layer_shapes(size, inner), num_layers)
        for parameter in (*self.encoder.parameters(), *self.decoder.parameters()):
            if parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter)

    def run_encoder(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Send the source through all layers of the encoder.

        Args:
            x: embedded tokens, shape (B, S, D).
            mask: as ``encoder_layer`` takes it.

        Returns:
            Shape (B, S, D).
        """
        raise NotImplementedError

    def run_decoder(
        self, x: Tensor, memory: Tensor, mask: Tensor, memory_mask: Tensor | None
    ) -> Tensor:
        """Send the target through all layers of the decoder.

        Args:
            x: embedded tokens, shape (B, T, D).
            memory: what the encoder gave, shape (B, S, D).
            mask: as ``decoder_layer`` takes it.
            memory_mask: as ``decoder_layer`` takes it.

        Returns:
            Shape (B, T, D).
        """
        raise NotImplementedError

    def forward(
        self,
        input_ids: Tensor,
        decoder_input_ids: Tensor,
        attention_mask: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Give the logits of the token after each position of the target.

        Args:
            input_ids: the source, shape (B, S), int64.
            decoder_input_ids: the target, shape (B, T), int64, from the start token on: it is not
                shifted here.
            attention_mask: 1 for a real token of the source, 0 for padding, shape (B, S). None: all
                real.
            decoder_attention_mask: the same for the target, shape (B, T). None: all real; with
                ``skip_padding``, all but ``pad_id``.

        Returns:
            Shape (B, T, V). What stands at padding means nothing.

        Raises:
            ValueError: if a shape is wrong, or a text has more tokens than there are positions.
            IndexError: if an id is out of range.
        """
        memory, memory_mask = self.encode(input_ids, attention_mask)
        check_token_ids(decoder_input_ids, self.target_vocab_size, "decoder_input_ids")
        batch, time = decoder_input_ids.shape
        if batch != len(input_ids):
            raise ValueError(
                f"input_ids has {len(input_ids)} texts and decoder_input_ids {batch}; each source "
                "needs its target"
            )
        check_attention_mask(decoder_attention_mask, batch, time, "decoder_attention_mask")
        if decoder_attention_mask is None and self.config.skip_padding:
            decoder_attention_mask = decoder_input_ids != self.config.pad_id
        mask = causal_mask(time)
        if decoder_attention_mask is not None:
            mask = mask & padding_mask(decoder_attention_mask)  # (B, 1, T, T)
        x = self._embed(decoder_input_ids, self._target_embedding, self._positions("target", time))
        return self.head(self.run_decoder(x, memory, mask, memory_mask))

    def encode(
        self, input_ids: Tensor, attention_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Read the source.

        Args:
            input_ids: shape (B, S), int64.
            attention_mask: 1 for a real token, 0 for padding, shape (B, S). None: all real.

        Returns:
            What the decoder reads, shape (B, S, D); and the mask of its padding, as
            ``decoder_layer`` takes it.

        Raises:
            ValueError: if a shape is wrong, or a text has more tokens than there are positions.
            IndexError: if an id is out of range.
        """
        check_token_ids(input_ids, self.config.vocab_size)
        batch, time = input_ids.shape
        check_attention_mask(attention_mask, batch, time)
        mask = None
        if attention_mask is not None and not attention_mask.all():  # without a mask it is faster
            mask = padding_mask(attention_mask)
        x = self._embed(input_ids, self.embeddings["source"], self._positions("source", time))
        return self.run_encoder(x, mask), mask

    def head(self, hidden: Tensor) -> Tensor:
        """Give the logits, shape (..., V), of vectors (..., D)."""
        matrix = self.embeddings.get("output", self._target_embedding)
        return F.linear(hidden, matrix, self.embeddings.get("output_bias"))

    def start_cache(
        self, memory: Tensor, memory_mask: Tensor | None, max_length: int
    ) -> DecoderCache:
        """Prepare to write target texts token by token.

        Args:
            memory: as ``encode`` gives it.
            memory_mask: as ``encode`` gives it.
            max_length: how many tokens the decoder will read at most.

        Raises:
            ValueError: if that is more than there are positions.
        """
        return DecoderCache(
            memory=[
                key_value_heads(memory, weights["cross_attention"], self.num_decoder_heads)
                for weights in self.decoder
            ],
            memory_mask=memory_mask,
            positions=self._positions("target", max_length),
        )

    def decode_next(self, ids: Tensor, cache: DecoderCache) -> Tensor:
        """Read the tokens of target texts that are new, and extend the cache by them.

        Args:
            ids: the target texts from the start token on, shape (B, T), int64; the first
                ``cache.length`` tokens are those that have been read.
            cache: from ``start_cache``. With several beams a text, B is a multiple of the number
                of texts there.

        Returns:
            The vectors from which ``head`` makes logits, for the new tokens only.
        """
        first, time = cache.length, ids.shape[1]
        mask = None if time - first == 1 else causal_mask(time - first, time)
        x = self._embed(ids, self._target_embedding, cache.positions, first)  # (B, T - first, D)
        layers: list[KeyValue] = []
        for number, weights in enumerate(self.decoder):
            x, longer = cached_decoder_layer(
                x,
                cache.layers[number] if cache.layers else None,
                cache.memory[number],
                weights,
                self.num_decoder_heads,
                mask,
                cache.memory_mask,
                self.activation,
                self.config.norm_eps,
            )
            layers.append(longer)
        cache.layers = layers
        return x

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor,
        max_new_tokens: int,
        attention_mask: Tensor | None = None,
        *,
        num_beams: int = 1,
        length_penalty: float = 0.0,
        end_ids: Collection[int] | None = None,
    ) -> Tensor:
        """Write the target of each source, with a cache.

        Args:
            input_ids: the sources, shape (B, S), int64.
            max_new_tokens: how many tokens are written at most, 0 or more.
            attention_mask: 1 for a real token, 0 for padding, shape (B, S). None: all real.
            num_beams: 1 takes the most probable token each time; more is ``beam_search``.
            length_penalty: as ``beam_search`` takes it.
            end_ids: the token that ends a text. None: the model's; (): none does.

        Returns:
            The start token and what was written, shape (B, 1 + n), n at most ``max_new_tokens``;
            less if all texts have ended. Behind a text's end stands ``pad_id``.

        Raises:
            ValueError: if a shape is wrong, an option makes no sense, there is more than one end
                token, or a text may get more tokens than there are positions.
            IndexError: if an id is out of range.
        """
        # here, since that module imports this one
        from solutions.transformer import beam_search, greedy_decode

        config = self.config
        if max_new_tokens < 0 or num_beams < 1:
            raise ValueError(
                f"max_new_tokens is {max_new_tokens} and num_beams {num_beams}; they must be at "
                "least 0 and 1"
            )
        ends = tuple(config.end_ids if end_ids is None else end_ids)
        if len(ends) > 1:
            raise ValueError(f"end_ids is {ends}; the searches of this model know one end token")
        end_id = ends[0] if ends else -1  # which no token is
        cache = self.start_cache(*self.encode(input_ids, attention_mask), max(max_new_tokens, 1))
        start_ids = torch.full((len(input_ids), 1), config.start_id)
        check_token_ids(start_ids, self.target_vocab_size, "start_ids")

        def next_logits(ids: Tensor, parents: Tensor | None = None) -> Tensor:
            if parents is not None:
                cache.reorder(parents)
            logits = self.head(self.decode_next(ids, cache)[:, -1])  # (B, V)
            logits[:, list(config.banned_ids)] = -torch.inf
            return logits

        if num_beams == 1:
            return greedy_decode(next_logits, start_ids, max_new_tokens, end_id, config.pad_id)
        return beam_search(
            next_logits,
            start_ids,
            max_new_tokens,
            num_beams,
            end_id,
            config.pad_id,
            length_penalty,
        )

    @property
    def _target_embedding(self) -> Tensor:
        return self.embeddings.get("target", self.embeddings["source"])

    def _positions(self, side: str, time: int) -> Tensor:
        """Give the vectors of positions that texts of this length need."""
        config = self.config
        if config.max_positions is not None and time > config.max_positions:
            raise ValueError(
                f"the {side} has up to {time} tokens; this model has {config.max_positions} "
                "positions"
            )
        if config.stored_positions:
            return self.positions[side]
        return position_table(config, time).to(self.embeddings["source"].dtype)

    def _embed(self, ids: Tensor, embedding: Tensor, positions: Tensor, first: int = 0) -> Tensor:
        """Give the sum of embedding and position of the tokens from position ``first`` on."""
        config = self.config
        x = F.embedding(ids[:, first:], embedding, padding_idx=config.pad_id)
        if config.scale_embedding:
            x = x * config.hidden_size**0.5
        if not config.skip_padding:
            return x + positions[first : ids.shape[1]]
        is_real = ids != config.pad_id
        numbers = is_real.cumsum(dim=1) * is_real + config.pad_id  # (B, T), pad_id at padding
        return x + F.embedding(numbers[:, first:], positions)
