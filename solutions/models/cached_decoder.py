"""The Transformer's decoder with a memory of its own: keys and values are computed once and kept.

``decoder_layer`` of chapter 5 computes all positions anew for each new token. Here the same layer
computes the new positions only. Tests hold the two equal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.attention import merge_heads, split_heads
from solutions.models.generation import KeyValue, KeyValueCache


@dataclass(kw_only=True)
class DecoderCache(KeyValueCache):
    """What a decoder has seen so far, and what it needs of the encoder.

    Attributes:
        memory: for each layer the keys and the values of what the encoder gave, each of shape
            (texts, heads, S, head_dim).
        memory_mask: who may attend to which of them, as ``decoder_layer`` takes it.
        positions: the vectors of all positions that may come, shape (P, D).
    """

    memory: list[KeyValue]
    memory_mask: Tensor | None
    positions: Tensor

    def reorder(self, parents: Tensor) -> None:
        """Make row r continue what was row ``parents[r]``: for the beams of a search.

        What the encoder gave stays as it is: all beams of a text read the same.

        Args:
            parents: shape (rows,), int64, the parent of each row among the rows of the same text.
        """
        self.layers = [(key[parents], value[parents]) for key, value in self.layers]


def key_value_heads(context: Tensor, weights: Mapping[str, Tensor], num_heads: int) -> KeyValue:
    """Give the keys and values that ``multi_head_attention`` would compute.

    Args:
        context: shape (B, S, D).
        weights: as ``multi_head_attention`` takes them.
        num_heads: H.

    Returns:
        Keys and values, each of shape (B, H, S, D / H).
    """
    key = F.linear(context, weights["key_weight"], weights.get("key_bias"))
    value = F.linear(context, weights["value_weight"], weights.get("value_bias"))
    return split_heads(key, num_heads), split_heads(value, num_heads)


def attend(
    x: Tensor, key_value: KeyValue, weights: Mapping[str, Tensor], mask: Tensor | None = None
) -> Tensor:
    """Do the rest of ``multi_head_attention``, once keys and values are there.

    Args:
        x: shape (B, T, D).
        key_value: keys and values, each of shape (B, H, S, D / H).
        weights: as ``multi_head_attention`` takes them.
        mask: as ``multi_head_attention`` takes it.

    Returns:
        Shape (B, T, D).
    """
    key, value = key_value
    query = F.linear(x, weights["query_weight"], weights.get("query_bias"))
    query = split_heads(query, key.shape[1])  # (B, H, T, D/H)
    heads = merge_heads(F.scaled_dot_product_attention(query, key, value, mask))  # (B, T, D)
    return F.linear(heads, weights["output_weight"], weights.get("output_bias"))


def cached_decoder_layer(
    x: Tensor,
    past: KeyValue | None,
    memory: KeyValue,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = F.relu,
    eps: float = 1e-5,
) -> tuple[Tensor, KeyValue]:
    """Apply ``decoder_layer`` to new positions only.

    Args:
        x: the new positions, shape (B, T, D).
        past: keys and values of the positions before, each (B, H, P, D / H); None: there are none.
        memory: keys and values of what the encoder gave, each (texts, H, S, D / H). With several
            beams a text, B is a multiple of that: row 0 and those after it belong to text 0.
        weights: as ``decoder_layer`` takes them.
        num_heads: H.
        mask: True where a new position may attend to one of all positions, bool, a shape that
            broadcasts to (B, H, T, P + T). None: everywhere.
        memory_mask: as ``decoder_layer`` takes it.
        activation: of the feed-forward network.
        eps: of the three norms.

    Returns:
        The output, shape (B, T, D); and the keys and values of all positions.
    """
    from solutions.transformer import feed_forward  # here, since that module imports this one

    key, value = key_value_heads(x, weights["self_attention"], num_heads)
    if past is not None:
        key = torch.cat([past[0], key], dim=2)  # (B, H, P + T, D/H)
        value = torch.cat([past[1], value], dim=2)
    attended = attend(x, (key, value), weights["self_attention"], mask)
    x = F.layer_norm(x + attended, x.shape[-1:], **weights["self_attention_norm"], eps=eps)
    # The beams of a text ask the same keys: they are so many queries more of one text.
    queries = x.reshape(len(memory[0]), -1, x.shape[-1])  # (texts, beams * T, D)
    read = attend(queries, memory, weights["cross_attention"], memory_mask).reshape(x.shape)
    x = F.layer_norm(x + read, x.shape[-1:], **weights["cross_attention_norm"], eps=eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    x = F.layer_norm(x + transformed, x.shape[-1:], **weights["feed_forward_norm"], eps=eps)
    return x, (key, value)
