"""Chapter 9: BLOOM, a causal decoder whose only positions are a slope in its attention.

The exercises of the chapter come first, in its order; the model is assembled from them after.

Paper: BigScience Workshop 2022, "BLOOM: A 176B-Parameter Open-Access Multilingual Language Model"
(arXiv:2211.05100).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.attention import causal_mask, merge_heads, padding_mask
from solutions.models.generation import CausalDecoder, KeyValue, KeyValueCache
from solutions.models.inputs import check_attention_mask, check_token_ids
from solutions.models.weights import (
    LayerStack,
    Shapes,
    WeightGroup,
    feed_forward_shapes,
    norm_shapes,
)
from solutions.transformer import feed_forward

# ---------------------------------------------------------------------------- exercises


def alibi_slopes(num_heads: int) -> Tensor:
    """Give the slope of each head: how much a key loses for each step that it is further away.

    With a power of two of heads, the slopes fall geometrically, and the ratio is the first slope:
    r, r^2, ..., r^H, where the last is 2^-8. With any other number of heads, the first n have the
    slopes of n heads, n the largest power of two not above H; the others get those of 2n heads,
    every other one: the first, the third, the fifth ... as many as are still needed.

    Args:
        num_heads: H, at least 1.

    Returns:
        The slopes, shape (H,), all above 0, float32 (torch's default float type).

    Raises:
        ValueError: if H is below 1.

    Source: Press et al. 2022, "Train Short, Test Long: Attention with Linear Biases Enables Input
        Length Extrapolation" (arXiv:2108.12409), section 3; head counts that are no power of two as
        in the paper's released code.
    """
    if num_heads < 1:
        raise ValueError(f"num_heads is {num_heads}; there must be at least one head")
    power = 2 ** (num_heads.bit_length() - 1)  # the largest power of two up to H
    exponents = [-8 * step / power for step in range(1, power + 1)]
    exponents += [-8 * step / (2 * power) for step in range(1, 2 * (num_heads - power), 2)]
    return torch.tensor([2.0**exponent for exponent in exponents])


def alibi_bias(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """Give what ALiBi adds to the scores of each key: the head's slope times the key's index.

    The paper adds -slope * (i - j) to the score of query i and key j. This is the same for the
    softmax: a row of scores may be shifted as a whole, and i is the same for a whole row.

    The index counts real tokens only, from 0, wherever the padding is: on the left, on the right
    or between. Padding itself gets 0; its keys are masked out anyway.

    Args:
        slopes: one for each head, shape (H,), float.
        attention_mask: 1 for a real token, 0 for padding, shape (B, S), integer or bool.

    Returns:
        Shape (B, H, 1, S), in the dtype of ``slopes``: it broadcasts to (B, H, T, S), the same for
        all queries.

    Source: Press et al. 2022, section 3; by the key's index as in the paper's released code.
    """
    is_real = attention_mask.long()
    index = (is_real.cumsum(-1) - 1) * is_real  # (B, S)
    return slopes[:, None, None] * index[:, None, None, :]  # (H, 1, 1) * (B, 1, 1, S)


def bloom_bias(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """Give the one bias of BLOOM's attention: ALiBi, and -inf where a query may not look.

    A query may not look at a later position, nor at padding. The queries are the last of the
    positions: with 2 queries and 5 keys, they stand at positions 3 and 4.

    Args:
        slopes: one for each head, shape (H,), float.
        num_queries: T, how many positions ask, at most S.
        attention_mask: 1 for a real token, 0 for padding, shape (B, S), integer or bool.

    Returns:
        Shape (B, H, T, S), in the dtype of ``slopes``: at keys that the query may look at what
        ``alibi_bias`` gives, -inf at all others. A query that may look at no key has a row of -inf.

    Source: Press et al. 2022, section 3; the masks as in chapter 4.
    """
    num_keys = attention_mask.shape[1]
    mask = causal_mask(num_queries, num_keys) & padding_mask(attention_mask)  # (B, 1, T, S)
    return alibi_bias(slopes, attention_mask).masked_fill(~mask, -torch.inf)  # (B, H, T, S)


def split_fused_qkv(fused: Tensor, num_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Take queries, keys and values out of the one tensor in which BLOOM computes them.

    A vector of ``fused`` has the heads one after another, and for each head its query, its key and
    its value, in this order.

    Args:
        fused: shape (B, T, 3 * D), float.
        num_heads: H, a divisor of D.

    Returns:
        Queries, keys and values, each of shape (B, H, T, D / H).

    Source: the released code (Megatron-DeepSpeed); the paper does not say.
    """
    batch, time, width = fused.shape
    heads = fused.reshape(batch, time, num_heads, 3, width // (3 * num_heads))  # (B, T, H, 3, D/H)
    query, key, value = heads.transpose(1, 2).unbind(-2)  # each (B, H, T, D/H)
    return query, key, value


def bloom_attention(
    x: Tensor,
    weights: Mapping[str, Tensor],
    num_heads: int,
    bias: Tensor,
    past: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Let each position attend to itself and others, with a bias that is added to the scores.

    The scores are the products of queries and keys over sqrt(D / H); the bias is added to them
    before the softmax. It holds both ALiBi and the mask, as ``bloom_bias`` makes it.

    Args:
        x: shape (B, T, D), float.
        weights: "qkv_weight" (3 * D, D) and "qkv_bias" (3 * D,), which make what
            ``split_fused_qkv`` splits, "output_weight" (D, D) and "output_bias" (D,).
        num_heads: H, a divisor of D.
        bias: float, a shape that broadcasts to (B, H, T, S), where S counts the earlier positions
            and the T of ``x``; -inf where a query may not attend to a key.
        past: keys and values of earlier positions, each of shape (B, H, S - T, D / H). None: there
            are none, and S is T.

    Returns:
        The output, shape (B, T, D); and the keys and values of all positions, earlier ones first,
        each of shape (B, H, S, D / H). A query that may attend to no key finds zeros and gets
        gradient 0: its output is "output_bias".

    Source: BigScience Workshop 2022, section 3.2.3; Press et al. 2022, section 3.
    """
    fused = F.linear(x, weights["qkv_weight"], weights["qkv_bias"])  # (B, T, 3*D)
    query, key, value = split_fused_qkv(fused, num_heads)
    if past is not None:
        key = torch.cat([past[0], key], dim=2)  # (B, H, S, D/H)
        value = torch.cat([past[1], value], dim=2)
    # A mask of floating-point numbers is added to the scores.
    heads = F.scaled_dot_product_attention(query, key, value, bias)  # (B, H, T, D/H)
    output = F.linear(merge_heads(heads), weights["output_weight"], weights["output_bias"])
    return output, (key, value)


def embedding_layer_norm(
    input_ids: Tensor, weights: Mapping[str, Tensor], eps: float = 1e-5
) -> Tensor:
    """Give the vectors that enter the first block: the embeddings of the tokens, normalised.

    Args:
        input_ids: shape (B, T), int64.
        weights: "token_embedding" (V, D), and the gain "weight" (D,) and "bias" (D,) of the layer
            norm.
        eps: of the layer norm.

    Returns:
        Shape (B, T, D). No position is added.

    Source: BigScience Workshop 2022, section 3.2.3, "Embedding LayerNorm".
    """
    embedded = F.embedding(input_ids, weights["token_embedding"])  # (B, T, D)
    return F.layer_norm(embedded, embedded.shape[-1:], weights["weight"], weights["bias"], eps)


def bloom_block(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    bias: Tensor,
    past: tuple[Tensor, Tensor] | None = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Apply one block of BLOOM: attention, then a feed-forward network with GELU (tanh).

    Each of the two is a residual step with the norm before it: x + sublayer(norm(x)).

    Args:
        x: shape (B, T, D), float.
        weights: four groups. "attention_norm": "weight" and "bias", each (D,). "attention": as
            ``bloom_attention`` takes them. "feed_forward_norm": "weight" and "bias".
            "feed_forward": "inner_weight" (4 * D, D), "inner_bias" (4 * D,), "outer_weight"
            (D, 4 * D) and "outer_bias" (D,).
        num_heads: H, a divisor of D.
        bias: as ``bloom_attention`` takes it.
        past: as ``bloom_attention`` takes it.
        eps: of both norms.
        residual_after_norm: True makes the steps norm(x) + sublayer(norm(x)). The released BLOOM
            has False.

    Returns:
        The output, shape (B, T, D); and keys and values as ``bloom_attention`` gives them.

    Source: BigScience Workshop 2022, figure 5; the tanh form of GELU and ``residual_after_norm``
        as in the released code.
    """

    def activation(inner: Tensor) -> Tensor:
        return F.gelu(inner, approximate="tanh")

    normed = F.layer_norm(x, x.shape[-1:], **weights["attention_norm"], eps=eps)
    attended, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    x = (normed if residual_after_norm else x) + attended
    normed = F.layer_norm(x, x.shape[-1:], **weights["feed_forward_norm"], eps=eps)
    transformed = feed_forward(normed, weights["feed_forward"], activation)
    return (normed if residual_after_norm else x) + transformed, longer


# ---------------------------------------------------------------------------- the model


@dataclass(frozen=True)
class BloomConfig:
    """The sizes of a BLOOM; the defaults are those of BLOOM-176B.

    Attributes:
        vocab_size: V.
        hidden_size: D; the inner size of the feed-forward network is 4 * D.
        num_layers: L.
        num_heads: H, a divisor of D.
        norm_eps: added to the variance in every layer norm.
        residual_after_norm: True adds to the normalised vectors instead of those before the norm.
        initializer_range: matrices start from a normal distribution with this standard deviation.
        pad_id: the token of padding.
        end_ids: the tokens that end a text.
    """

    vocab_size: int = 250880
    hidden_size: int = 14336
    num_layers: int = 70
    num_heads: int = 112
    norm_eps: float = 1e-5
    residual_after_norm: bool = False
    initializer_range: float = 0.02
    pad_id: int = 3
    end_ids: tuple[int, ...] = (2,)

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.num_heads < 1 or self.hidden_size % self.num_heads:
            raise ValueError(
                f"hidden_size is {self.hidden_size}, which {self.num_heads} heads can't share "
                "equally"
            )


class Bloom(CausalDecoder):
    """BLOOM: embeddings and their norm, blocks with ALiBi, a norm, and the embeddings as head.

    There is no limit to the length of a text, and no dropout. Matrices start from a normal
    distribution, biases from 0 and gains from 1, as in the released code.
    """

    def __init__(self, config: BloomConfig) -> None:
        super().__init__()
        self.config = config
        self.pad_id = config.pad_id
        self.end_ids = config.end_ids
        size, std = config.hidden_size, config.initializer_range
        norm = norm_shapes(size)
        attention = {
            "qkv_weight": (3 * size, size),
            "qkv_bias": (3 * size,),
            "output_weight": (size, size),
            "output_bias": (size,),
        }
        block: Mapping[str, Shapes] = {
            "attention_norm": norm,
            "attention": attention,
            "feed_forward_norm": norm,
            "feed_forward": feed_forward_shapes(size, 4 * size),
        }
        self.embeddings = WeightGroup({"token_embedding": (config.vocab_size, size), **norm}, std)
        self.blocks = LayerStack(block, config.num_layers, std)
        self.final_norm = WeightGroup(norm)

    @classmethod
    def from_pretrained(cls, directory: str | os.PathLike[str]) -> "Bloom":
        """Read a checkpoint: config.json and safetensors or pytorch_model.bin.

        Raises:
            CheckpointError: if it is damaged, or not a BLOOM that this class can be.
        """
        from solutions.checkpoints.bloom import load_bloom  # here, since that module imports this

        return load_bloom(directory)

    def hidden_states(
        self, input_ids: Tensor, attention_mask: Tensor | None, cache: KeyValueCache | None
    ) -> Tensor:
        """Give the vectors from which the head makes logits, shape (B, T, D)."""
        config = self.config
        check_token_ids(input_ids, config.vocab_size)
        batch, time = input_ids.shape
        length = time if cache is None else cache.length + time
        check_attention_mask(attention_mask, batch, length)
        x = embedding_layer_norm(input_ids, self.embeddings, config.norm_eps)

        if attention_mask is None:
            attention_mask = torch.ones(1, length, dtype=torch.int64)
        slopes = alibi_slopes(config.num_heads).to(x.dtype)
        bias = bloom_bias(slopes, time, attention_mask)  # serves all blocks: (B or 1, H, T, S)

        layers: list[KeyValue] = []
        for number, weights in enumerate(self.blocks):
            past = cache.layers[number] if cache is not None and cache.layers else None
            x, longer = bloom_block(
                x,
                weights,
                config.num_heads,
                bias,
                past,
                config.norm_eps,
                config.residual_after_norm,
            )
            if cache is not None:
                layers.append(longer)
        if cache is not None:
            cache.layers = layers
        return F.layer_norm(x, x.shape[-1:], **self.final_norm, eps=config.norm_eps)

    def head(self, hidden: Tensor) -> Tensor:
        """Give the logits, shape (..., V), of vectors (..., D); the embeddings are the matrix."""
        return F.linear(hidden, self.embeddings["token_embedding"])
