"""Wrong answers to the exercise `merge_heads`."""

from __future__ import annotations

from torch import Tensor

from autograder.misconceptions import misconception


@misconception("merge_heads")
def merged_without_moving_the_axis(x: Tensor) -> Tensor:
    """The shape is right, but numbers of different positions stand in one vector. The pieces of one
    position lie apart: bring the axis of the heads next to that of the pieces before you merge."""
    batch, heads, time, size = x.shape
    return x.reshape(batch, time, heads * size)


@misconception("merge_heads")
def entries_interleaved(x: Tensor) -> Tensor:
    """In your vectors the heads alternate, entry by entry. Each piece stays together: first all
    entries of head 0, then those of head 1."""
    return x.permute(0, 2, 3, 1).flatten(-2)


@misconception("merge_heads")
def viewed_after_the_transpose(x: Tensor) -> Tensor:
    """After a transpose the numbers no longer lie in memory in the order of the axes, and `view`
    refuses that. `reshape` copies where it has to."""
    batch, heads, time, size = x.shape
    return x.transpose(1, 2).view(batch, time, heads * size)


@misconception("merge_heads")
def heads_summed(x: Tensor) -> Tensor:
    """You add the heads up. Each head has found something of its own: put the pieces side by
    side."""
    return x.sum(1)


@misconception("merge_heads")
def heads_averaged(x: Tensor) -> Tensor:
    """You average the heads. Each head has found something of its own: put the pieces side by
    side."""
    return x.mean(1)


@misconception("merge_heads")
def heads_one_after_another_in_time(x: Tensor) -> Tensor:
    """You put the heads one below the other, as if they were more positions. They belong side by
    side, in one vector for each position."""
    return x.flatten(1, 2)


@misconception("merge_heads")
def only_the_axes_moved(x: Tensor) -> Tensor:
    """You have moved the axis of the heads back, and it is still there. Put the last two axes
    together."""
    return x.transpose(1, 2)


@misconception("merge_heads")
def last_head_first(x: Tensor) -> Tensor:
    """Your vectors hold the heads in reverse order. Head 0 has the first piece of each vector."""
    return x.flip(1).transpose(1, 2).flatten(-2)
