"""Wrong answers to the exercise `split_fused_qkv`."""

from __future__ import annotations

from torch import Tensor

from autograder.misconceptions import misconception
from solutions.attention import split_heads
from solutions.bloom import split_fused_qkv

Three = tuple[Tensor, Tensor, Tensor]


@misconception("split_fused_qkv")
def part_by_part(fused: Tensor, num_heads: int) -> Three:
    """You cut into three thirds, all queries first. In BLOOM the heads come one after another, and
    each brings its query, its key and its value."""
    query, key, value = (split_heads(part, num_heads) for part in fused.chunk(3, dim=-1))
    return query, key, value


@misconception("split_fused_qkv")
def entry_by_entry(fused: Tensor, num_heads: int) -> Three:
    """Inside a head you deal the entries out in turn, one to the query, one to the key, one to the
    value. Each of the three is a piece of d entries that stand side by side."""
    batch, time, _ = fused.shape
    query, key, value = fused.reshape(batch, time, num_heads, -1, 3).transpose(1, 2).unbind(-1)
    return query, key, value


@misconception("split_fused_qkv")
def heads_left_behind_time_fused(fused: Tensor, num_heads: int) -> Three:
    """The pieces are right, but their axes stand in the order (B, T, H, d). The axis of the heads
    comes before that of time."""
    batch, time, _ = fused.shape
    query, key, value = fused.reshape(batch, time, num_heads, 3, -1).unbind(-2)
    return query, key, value


@misconception("split_fused_qkv")
def reshaped_across_positions(fused: Tensor, num_heads: int) -> Three:
    """You reshape straight to (B, H, T, 3, d), which mixes the numbers of different positions. Cut
    each vector first, then move the axis of the heads."""
    batch, time, _ = fused.shape
    query, key, value = fused.reshape(batch, num_heads, time, 3, -1).unbind(-2)
    return query, key, value


@misconception("split_fused_qkv")
def key_and_query_swapped(fused: Tensor, num_heads: int) -> Three:
    """You have swapped queries and keys. The query of a head comes first."""
    query, key, value = split_fused_qkv(fused, num_heads)
    return key, query, value


@misconception("split_fused_qkv")
def key_and_value_swapped(fused: Tensor, num_heads: int) -> Three:
    """You have swapped keys and values. Behind the query comes the key."""
    query, key, value = split_fused_qkv(fused, num_heads)
    return query, value, key


@misconception("split_fused_qkv")
def number_of_heads_as_size(fused: Tensor, num_heads: int) -> Three:
    """You make pieces of `num_heads` entries. `num_heads` is how many heads there are; a piece has
    a third of what is left for each."""
    return split_fused_qkv(fused, fused.shape[-1] // (3 * num_heads))


@misconception("split_fused_qkv")
def heads_kept_together(fused: Tensor, num_heads: int) -> Three:
    """You give queries, keys and values as whole vectors, (B, T, D). Each head should have its own
    rows: (B, H, T, d)."""
    query, key, value = (
        part.transpose(1, 2).flatten(2) for part in split_fused_qkv(fused, num_heads)
    )
    return query, key, value


@misconception("split_fused_qkv")
def axes_of_a_piece_swapped(fused: Tensor, num_heads: int) -> Three:
    """Time is your last axis, as scores would need it for keys. All three have the shape (B, H, T,
    d) here; transpose where you use them."""
    query, key, value = split_fused_qkv(fused, num_heads)
    return query, key.transpose(-2, -1), value


@misconception("split_fused_qkv")
def cut_off_from_the_gradient(fused: Tensor, num_heads: int) -> Three:
    """Your pieces are right, but torch can't follow them back to `fused`: they have been detached,
    or went through NumPy. A model could not be trained through them."""
    query, key, value = split_fused_qkv(fused.detach(), num_heads)
    return query, key, value
