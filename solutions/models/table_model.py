"""The model of chapter 10: any row of the table, assembled from the parts of the chapters."""

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from solutions.chatglm import deepnorm_constants
from solutions.five_models import table_vectors
from solutions.models.inputs import check_token_ids
from solutions.models.published_configs import check_config
from solutions.models.weights import LayerStack, Shapes, WeightGroup


class TableModel(nn.Module):
    """A model of whatever row: embeddings, blocks, and a head.

    So that models differ in nothing but the parts that are named, all start alike: matrices of the
    blocks from Glorot's normal distribution, embeddings and head from a normal distribution with
    standard deviation 1 / sqrt(D), biases from 0 and gains from 1. DeepNorm has its beta as well.

    There is no dropout, no padding and no cache; the models of the chapters have the latter two.

    Args:
        config: as `solutions.models.published_configs` describes it.

    Raises:
        ValueError: if the configuration has a word that is not in the table, or parts that don't go
            together.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        check_config(config)
        self.config = dict(config)
        size, num_layers = config["hidden_size"], config["num_layers"]
        rows = {"token": config["vocab_size"], "segment": config["num_segments"]}
        if config["position"] == "learned absolute":
            rows["position"] = config["max_positions"]
        embeddings = {f"{name}_embedding": (count, size) for name, count in rows.items() if count}
        self.embeddings = WeightGroup(embeddings, std=size**-0.5)
        if config["embedding_norm"]:
            self.embedding_norm = WeightGroup(_norm_shapes(config))
        if config["structure"] == "encoder-decoder":
            self.encoder = LayerStack(block_shapes(config), num_layers)
        self.blocks = LayerStack(block_shapes(config, self._has_encoder), num_layers)
        if config["norm"].startswith("pre"):
            self.final_norm = WeightGroup(_norm_shapes(config))
            if self._has_encoder:
                self.encoder_final_norm = WeightGroup(_norm_shapes(config))
        if config["has_pooler"]:
            self.pooler = WeightGroup({"dense_weight": (size, size), "dense_bias": (size,)})
        if not config["tied_head"]:
            head = {"output_weight": (config["vocab_size"], size)}
            self.output = WeightGroup(head, std=size**-0.5)

        self.alpha, beta, self.encoder_alpha, encoder_beta = _deepnorm(config)
        _draw(self.blocks, beta)
        if self._has_encoder:
            _draw(self.encoder, encoder_beta)

    def forward(
        self,
        input_ids: Tensor,
        source_ids: Tensor | None = None,
        prefix_lengths: Tensor | None = None,
        token_type_ids: Tensor | None = None,
    ) -> Tensor:
        """Give the logits at each position.

        Args:
            input_ids: shape (B, T), int64; in an encoder-decoder, what the decoder writes.
            source_ids: what the encoder reads, shape (B, S), int64, in an encoder-decoder.
            prefix_lengths: how many tokens of each text are prefix, shape (B,), int64, in a prefix
                decoder. With "RoPE (2-D)" the last of them marks the blank that the others fill.
            token_type_ids: the segment of each token, shape (B, T), int64, where there are
                segments. None: all 0.

        Returns:
            Shape (B, T, V).

        Raises:
            ValueError: if a shape is wrong, a text is longer than there are positions, or an
                argument is missing or not for this structure.
            IndexError: if an id is out of range.
        """
        hidden = self.hidden_states(input_ids, source_ids, prefix_lengths, token_type_ids)
        if self.config["tied_head"]:
            return F.linear(hidden, self.embeddings["token_embedding"])
        return F.linear(hidden, self.output["output_weight"])

    def hidden_states(
        self,
        input_ids: Tensor,
        source_ids: Tensor | None = None,
        prefix_lengths: Tensor | None = None,
        token_type_ids: Tensor | None = None,
    ) -> Tensor:
        """Give the vectors from which the head makes logits, shape (B, T, D)."""
        config = self.config
        self._check_inputs(input_ids, source_ids, prefix_lengths, token_type_ids)
        return table_vectors(
            input_ids,
            dict(self.named_children()),
            config,
            source_ids,
            prefix_lengths,
            token_type_ids,
            self.alpha,
            self.encoder_alpha,
        )

    def pool(self, hidden: Tensor) -> Tensor:
        """Give BERT's summary of each text, shape (B, D), of vectors (B, T, D)."""
        dense = F.linear(hidden[:, 0], self.pooler["dense_weight"], self.pooler["dense_bias"])
        return dense.tanh()

    @property
    def _has_encoder(self) -> bool:
        return bool(self.config["structure"] == "encoder-decoder")

    def _check_inputs(
        self,
        input_ids: Tensor,
        source_ids: Tensor | None,
        prefix_lengths: Tensor | None,
        token_type_ids: Tensor | None,
    ) -> None:
        """Refuse what this model can't read, with a sentence."""
        config = self.config
        if (source_ids is not None) != self._has_encoder:
            raise ValueError("source_ids is for an 'encoder-decoder', and needed there")
        if (prefix_lengths is not None) != (config["structure"] == "prefix decoder"):
            raise ValueError("prefix_lengths is for a 'prefix decoder', and needed there")
        for ids in (input_ids, source_ids):
            if ids is None:
                continue
            check_token_ids(ids, config["vocab_size"])
            if config["position"] == "learned absolute" and ids.shape[1] > config["max_positions"]:
                raise ValueError(
                    f"a text has {ids.shape[1]} tokens; this model has {config['max_positions']} "
                    "positions"
                )
        if token_type_ids is not None:
            if not config["num_segments"]:
                raise ValueError("token_type_ids is for a model with segments; num_segments is 0")
            check_token_ids(token_type_ids, config["num_segments"], "token_type_ids")


def block_shapes(config: Mapping[str, Any], reads_memory: bool = False) -> dict[str, Shapes]:
    """Give the groups of weights that ``table_block`` takes, the two for memory if it reads one."""
    size, inner = config["hidden_size"], config["intermediate_size"]
    shared = size // config["num_heads"] * config["num_key_value_heads"]

    def maps(**sizes: tuple[int, int]) -> Shapes:
        shapes: dict[str, tuple[int, ...]] = {}
        for name, shape in sizes.items():
            shapes[f"{name}_weight"] = shape
            if config["has_bias"]:
                shapes[f"{name}_bias"] = shape[:1]
        return shapes

    attention = maps(
        query=(size, size), key=(shared, size), value=(shared, size), output=(size, size)
    )
    if config["activation"] == "SwiGLU":
        network = maps(gate=(inner, size), up=(inner, size), down=(size, inner))
    else:
        halves = 2 if config["activation"] == "GeGLU" else 1
        network = maps(inner=(halves * inner, size), outer=(size, inner))
    groups = {"attention": attention, "feed_forward": network}
    if reads_memory:
        groups["cross_attention"] = attention
    return groups | {f"{name}_norm": _norm_shapes(config) for name in groups}


def _norm_shapes(config: Mapping[str, Any]) -> Shapes:
    shapes: dict[str, tuple[int, ...]] = {"weight": (config["hidden_size"],)}
    return shapes if config["norm"] == "pre RMSNorm" else shapes | {"bias": shapes["weight"]}


def _deepnorm(config: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Give alpha and beta of the blocks, and of an encoder beside them; all 1 without DeepNorm."""
    if "DeepNorm" not in config["norm"]:
        return 1.0, 1.0, 1.0, 1.0
    num_layers = config["num_layers"]
    if config["norm"] == "post DeepNorm (ChatGLM)":
        constants = deepnorm_constants("chatglm", num_layers)
    elif config["structure"] == "encoder-decoder":
        constants = deepnorm_constants("encoder-decoder", num_layers, num_layers)
    else:
        constants = deepnorm_constants("decoder", num_layers)
    alpha, beta = constants["alpha"], constants["beta"]
    return alpha, beta, constants.get("encoder_alpha", alpha), constants.get("encoder_beta", beta)


def _draw(blocks: LayerStack, beta: float) -> None:
    """Draw the matrices of blocks; beta is for the feed-forward network, values and outputs."""
    for weights in blocks:
        for group, tensors in weights.items():
            for name, tensor in tensors.items():
                if tensor.ndim > 1:
                    is_scaled = group == "feed_forward" or name in ("value_weight", "output_weight")
                    nn.init.xavier_normal_(tensor, beta if is_scaled else 1.0)
