"""Wrong answers to the exercise `interleaved_to_half`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception


@misconception("interleaved_to_half")
def the_other_way(weight: Tensor, num_heads: int) -> Tensor:
    """You go from halves to neighbours. Wanted is the way back: row 2i of a head becomes its
    row i."""
    halves = weight.reshape(num_heads, 2, -1, *weight.shape[1:])
    return halves.transpose(1, 2).reshape(weight.shape)


@misconception("interleaved_to_half")
def across_the_heads(weight: Tensor, num_heads: int) -> Tensor:
    """You reorder the rows of all heads together, so that they mix. Each head keeps its rows: cut
    the matrix into heads first."""
    return torch.cat([weight[0::2], weight[1::2]])


@misconception("interleaved_to_half")
def odd_rows_first(weight: Tensor, num_heads: int) -> Tensor:
    """In your result the rows 2i + 1 of a head stand before its rows 2i."""
    heads = weight.reshape(num_heads, -1, *weight.shape[1:])
    return torch.cat([heads[:, 1::2], heads[:, 0::2]], dim=1).reshape(weight.shape)


@misconception("interleaved_to_half")
def columns_reordered(weight: Tensor, num_heads: int) -> Tensor:
    """You reorder along the last axis. The entries of queries and keys come from the rows of the
    matrix."""
    heads = weight.reshape(*weight.shape[:-1], num_heads, -1)
    return torch.cat([heads[..., 0::2], heads[..., 1::2]], dim=-1).reshape(weight.shape)


@misconception("interleaved_to_half")
def matrices_only(weight: Tensor, num_heads: int) -> Tensor:
    """Your function needs a matrix. A bias has one axis only, and is reordered in the same way."""
    rows, dim = weight.shape
    pairs = weight.reshape(num_heads, rows // num_heads // 2, 2, dim)
    return pairs.transpose(1, 2).reshape(rows, dim)


@misconception("interleaved_to_half")
def heads_counted_as_rows(weight: Tensor, num_heads: int) -> Tensor:
    """You cut the matrix into pieces of as many rows as there are heads. There are as many pieces
    as heads, and each has d rows."""
    pieces = weight.reshape(-1, num_heads, *weight.shape[1:])
    return torch.cat([pieces[:, 0::2], pieces[:, 1::2]], dim=1).reshape(weight.shape)


@misconception("interleaved_to_half")
def viewed_after_the_transpose(weight: Tensor, num_heads: int) -> Tensor:
    """After a transpose the numbers no longer lie in memory in the order of the axes, and `view`
    refuses that. `reshape` copies where it has to."""
    pairs = weight.reshape(num_heads, -1, 2, *weight.shape[1:])
    return pairs.transpose(1, 2).view(weight.shape)


@misconception("interleaved_to_half")
def left_in_heads(weight: Tensor, num_heads: int) -> Tensor:
    """Your rows are in the right order, but still cut into heads. Put the heads together again."""
    pairs = weight.reshape(num_heads, -1, 2, *weight.shape[1:])
    return pairs.transpose(1, 2).reshape(num_heads, -1, *weight.shape[1:])
