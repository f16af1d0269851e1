"""What ChatGLM does around its blocks: it reads its special tokens, and keeps what they said.

The special tokens tell how far the prompt goes that is read in both directions, and where the
tokens behind it belong. Chapter 8 makes masks and positions from that.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from solutions.models.chatglm_config import ChatGLMConfig
from solutions.models.generation import Decoder, KeyValue, KeyValueCache
from solutions.models.inputs import check_attention_mask, check_token_ids


class Prompt(NamedTuple):
    """Where the parts of each text lie; an index counts padding, too.

    Attributes:
        is_real: False at padding, shape (B, T), bool.
        padding_lengths: how many tokens of padding stand in front, shape (B,), int64.
        prefix_lengths: where the prefix ends, shape (B,), int64: the index of the first BOS, or T
            where there is none.
        mask_indices: the index of the mask token that the tokens behind the prefix fill, shape
            (B,), int64; without one, the end of the prefix.
    """

    is_real: Tensor
    padding_lengths: Tensor
    prefix_lengths: Tensor
    mask_indices: Tensor


def read_prompt(
    input_ids: Tensor, config: ChatGLMConfig, attention_mask: Tensor | None = None
) -> Prompt:
    """Find padding, prefix and mask token of each text.

    The mask token that counts is the first [gMASK] of the prefix, or the first [MASK] if there is
    no [gMASK]. So the released model has it; its tokenizer, which finds the positions of padded
    batches, prefers [MASK]. Mask tokens behind the prefix never count here, since a later token
    would move earlier ones; in the released model they do.

    A text needs no mask token if nothing stands before BOS: its tokens then have position 0.

    Args:
        input_ids: shape (B, T), int64.
        config: has the ids of the special tokens.
        attention_mask: shape (B, T), 1 for a real token, 0 for padding on the left. None: the
            padding is every ``pad_id`` in front of the first other token.

    Raises:
        ValueError: if there is padding behind a real token, or a text whose BOS does not come
            first has no mask token before it.
    """
    if attention_mask is None:
        is_real = (input_ids != config.pad_id).cumsum(1) > 0
    else:
        is_real = attention_mask.bool()
        if (is_real[:, :-1] & ~is_real[:, 1:]).any():
            raise ValueError(
                "attention_mask has a 0 behind a 1; ChatGLM's texts are padded on the left"
            )
    padding_lengths = (~is_real).sum(1)
    before_bos = ((input_ids == config.bos_id) & is_real).cumsum(1) == 0  # (B, T)
    prefix_lengths = before_bos.sum(1)
    is_gmask = (input_ids == config.gmask_id) & before_bos & is_real
    is_mask = (input_ids == config.mask_id) & before_bos & is_real
    counts = torch.where(is_gmask.any(1, keepdim=True), is_gmask, is_mask)
    has_mask = counts.any(1)  # (B,)
    needs_mask = (padding_lengths < prefix_lengths) & (prefix_lengths < input_ids.shape[1])
    if (needs_mask & ~has_mask).any():
        raise ValueError(
            f"there is a text with neither [MASK] (id {config.mask_id}) nor [gMASK] (id "
            f"{config.gmask_id}) before its BOS (id {config.bos_id}), so that the tokens behind it "
            "have no position; a prompt ends with [gMASK] and BOS"
        )
    mask_indices = torch.where(has_mask, counts.int().argmax(1), prefix_lengths)
    return Prompt(is_real, padding_lengths, prefix_lengths, mask_indices)


class PrefixDecoder(Decoder):
    """A decoder whose mask and positions depend on the tokens so far.

    Attributes:
        config: has the ids of the special tokens.
    """

    def __init__(self, config: ChatGLMConfig) -> None:
        super().__init__()
        self.config = config
        self.pad_id = config.pad_id
        self.end_ids = config.end_ids

    def run_blocks(
        self, input_ids: Tensor, position_ids: Tensor, mask: Tensor, past: list[KeyValue]
    ) -> tuple[Tensor, list[KeyValue]]:
        """Send new tokens through all blocks.

        Args:
            input_ids: the new tokens, shape (B, T), int64.
            position_ids: both positions of each, shape (B, 2, T), int64.
            mask: True where a new token may attend to one of all, shape (B, 1, T, S), bool.
            past: keys and values of the S - T tokens before, for each block; empty if S is T.

        Returns:
            The vectors after the last block, shape (B, T, D); and for each block the keys and
            values of all tokens.
        """
        raise NotImplementedError

    def forward(
        self,
        input_ids: Tensor,
        cache: KeyValueCache | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> Tensor:
        """Give the logits of the token after each position.

        Mask and positions are found from the special tokens: ``mask_and_positions``.

        Args:
            input_ids: shape (B, T), int64; with a cache, the tokens that are new. All tokens before
                BOS must come in one call, since they see each other.
            cache: what the model has seen so far; it is extended. None: nothing, and nothing is
                kept.
            attention_mask: 1 for a real token, 0 for padding, which stands on the left; shape
                (B, S), where S counts the positions in the cache and the new ones. None: what
                ``pad_id`` fills up on the left is padding.
            position_ids: both positions of the T tokens, shape (B, 2, T), int64, for a text with
                several blanks (``blank_infilling_batch``). None: by the special tokens.

        Returns:
            Shape (B, T, V). What stands at padding means nothing.

        Raises:
            ValueError: if a shape is wrong, a text is too long, has no mask token where it needs
                one, or has a prefix that goes on behind what the cache holds.
            IndexError: if an id is out of range.
        """
        return self.head(self.hidden_states(input_ids, attention_mask, cache, position_ids))

    def mask_and_positions(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        num_queries: int | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Give who may attend to whom, and where each token stands: the special tokens say it.

        Args:
            input_ids: all tokens, shape (B, S), int64.
            attention_mask: as in ``forward``, shape (B, S).
            num_queries: T, of how many positions, the last ones. None: of all.

        Returns:
            The mask, shape (B, T, S), bool, True where a position may attend to another; padding
            does not, and nobody attends to it. And the positions, shape (B, 2, T), int64.
        """
        from solutions.chatglm import position_ids_2d, prefix_mask  # it imports this module

        length = input_ids.shape[1]
        start = 0 if num_queries is None else length - num_queries
        prompt = read_prompt(input_ids, self.config, attention_mask)
        if ((prompt.padding_lengths < start) & (start < prompt.prefix_lengths)).any():
            raise ValueError(
                "the cache ends within a prefix; tokens before BOS see each other in both "
                "directions, so give them all in one call"
            )
        mask = prefix_mask(prompt.prefix_lengths, length - start, length)  # (B, T, S)
        mask = mask & prompt.is_real[:, None, :] & prompt.is_real[:, start:, None]
        positions = position_ids_2d(
            prompt.prefix_lengths, prompt.mask_indices, length, prompt.padding_lengths
        )
        return mask, positions[:, :, start:]

    def hidden_states(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None,
        cache: KeyValueCache | None,
        position_ids: Tensor | None = None,
    ) -> Tensor:
        """Give the vectors from which the head makes logits, shape (B, T, D)."""
        config = self.config
        check_token_ids(input_ids, config.vocab_size)
        batch, time = input_ids.shape
        all_ids = input_ids
        if cache is not None and cache.input_ids is not None:
            all_ids = torch.cat([cache.input_ids, input_ids], dim=1)  # (B, S)
        check_attention_mask(attention_mask, batch, all_ids.shape[1])
        if all_ids.shape[1] > config.max_positions:
            raise ValueError(
                f"a text has {all_ids.shape[1]} tokens; this model has {config.max_positions} "
                "positions"
            )
        mask, found = self.mask_and_positions(all_ids, attention_mask, time)
        if position_ids is None:
            position_ids = found
        elif position_ids.shape != found.shape:
            raise ValueError(
                f"position_ids has shape {tuple(position_ids.shape)}; with these tokens it must "
                f"be {tuple(found.shape)}"
            )
        layers = [] if cache is None else cache.layers
        x, layers = self.run_blocks(input_ids, position_ids, mask.unsqueeze(1), layers)
        if cache is not None:
            cache.layers, cache.input_ids = layers, all_ids
        return x

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor,
        max_new_tokens: int,
        attention_mask: Tensor | None = None,
        **options: Any,
    ) -> Tensor:
        """Continue texts, token by token: see ``Decoder.generate``.

        Raises:
            ValueError: as there; and if a prompt has no BOS, where its continuation would start.
        """
        has_bos = (input_ids == self.config.bos_id).any(-1)
        if not has_bos.all():
            raise ValueError(
                f"there is a prompt without BOS (id {self.config.bos_id}); the model writes behind "
                "it: end each prompt with [gMASK] and BOS"
            )
        return super().generate(input_ids, max_new_tokens, attention_mask, **options)
