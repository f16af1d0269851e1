"""Wrong answers to the exercise `split_heads`."""

from __future__ import annotations

from torch import Tensor

from autograder.misconceptions import misconception
from solutions import attention


@misconception("split_heads")
def reshaped_in_one_go(x: Tensor, num_heads: int) -> Tensor:
    """The shape is right, but the pieces are not: reshaping straight to (B, H, T, D / H) reads the
    numbers on across the positions. Cut each vector first, then move the axis of the heads."""
    return x.reshape(x.shape[0], num_heads, x.shape[1], -1)


@misconception("split_heads")
def every_so_many_entries(x: Tensor, num_heads: int) -> Tensor:
    """You deal the entries out to the heads like cards, one to each in turn. Each head gets a
    piece: entries that stand side by side."""
    batch, time, _ = x.shape
    return x.reshape(batch, time, -1, num_heads).permute(0, 3, 1, 2)


@misconception("split_heads")
def heads_left_behind_time(x: Tensor, num_heads: int) -> Tensor:
    """The vectors are cut well, but the axes stand in the order (B, T, H, D / H). Heads work side
    by side like the sentences of a batch: their axis comes before that of time."""
    batch, time, _ = x.shape
    return x.reshape(batch, time, num_heads, -1)


@misconception("split_heads")
def heads_before_the_batch(x: Tensor, num_heads: int) -> Tensor:
    """The axis of the heads stands before that of the batch. The batch stays in front."""
    return attention.split_heads(x, num_heads).transpose(0, 1)


@misconception("split_heads")
def last_two_axes_swapped(x: Tensor, num_heads: int) -> Tensor:
    """Time is your last axis. A head's vectors are its rows: the last axis holds the entries of a
    piece."""
    return attention.split_heads(x, num_heads).transpose(-2, -1)


@misconception("split_heads")
def number_taken_as_size(x: Tensor, num_heads: int) -> Tensor:
    """You make pieces of `num_heads` entries. `num_heads` is how many pieces there are."""
    return attention.split_heads(x, x.shape[-1] // num_heads)


@misconception("split_heads")
def time_cut_instead_of_vectors(x: Tensor, num_heads: int) -> Tensor:
    """You cut the sequence into pieces. Each head sees all positions, and of each vector a piece:
    cut the last axis."""
    batch, _, dim = x.shape
    return x.reshape(batch, num_heads, -1, dim)
