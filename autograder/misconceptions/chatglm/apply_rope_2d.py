"""Wrong answers to the exercise `apply_rope_2d`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions.llama import apply_rope, rope_frequencies


def _angles(position_ids: Tensor, frequencies: Tensor) -> tuple[Tensor, Tensor]:
    """The angles of both halves, each (B, 1, T, d/4)."""
    first, second = position_ids.unbind(1)
    return first[:, None, :, None] * frequencies, second[:, None, :, None] * frequencies


@misconception("apply_rope_2d")
def halves_swapped(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """You turn the first half by the second positions, and the second half by the first ones."""
    one, two = _angles(position_ids, frequencies)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([apply_rope(first, two), apply_rope(second, one)], dim=-1)


@misconception("apply_rope_2d")
def first_positions_twice(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """You turn both halves by the first positions. The second half is turned by the second
    ones."""
    one, _ = _angles(position_ids, frequencies)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([apply_rope(first, one), apply_rope(second, one)], dim=-1)


@misconception("apply_rope_2d")
def second_half_left(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """You turn the first half and leave the second one as it is. It is turned, too, by the second
    positions."""
    one, _ = _angles(position_ids, frequencies)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([apply_rope(first, one), second], dim=-1)


@misconception("apply_rope_2d")
def positions_added(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """You turn by the sum of both positions. Then the model could not tell one from the other:
    each has a half of its own."""
    angle = position_ids.sum(1)[:, None, :, None] * frequencies
    first, second = x.chunk(2, dim=-1)
    return torch.cat([apply_rope(first, angle), apply_rope(second, angle)], dim=-1)


@misconception("apply_rope_2d")
def whole_head_at_once(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """You give `apply_rope` the whole head, with the angles of both positions side by side. Then
    an entry of the first half is paired with one of the second. Turn each half as a head of its
    own."""
    return apply_rope(x, torch.cat(_angles(position_ids, frequencies), dim=-1))


@misconception("apply_rope_2d")
def turned_backwards(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """You turn the other way round. A positive position turns by a positive angle, as `apply_rope`
    does it."""
    one, two = _angles(-position_ids, frequencies)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([apply_rope(first, one), apply_rope(second, two)], dim=-1)


@misconception("apply_rope_2d")
def every_other_entry(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """You take every other entry for the one half, and the rest for the other. The halves are the
    first d/2 entries and the last d/2."""
    one, two = _angles(position_ids, frequencies)
    result = torch.empty_like(x)
    result[..., ::2], result[..., 1::2] = (
        apply_rope(x[..., ::2], one),
        apply_rope(x[..., 1::2], two),
    )
    return result


@misconception("apply_rope_2d")
def no_axis_for_the_heads(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """Your angles have no axis for the heads: shape (B, T, d/4) is laid against (B, H, T, d/2)
    from the right, so that texts meet heads. Put an axis of length 1 between."""
    one, two = position_ids.unsqueeze(-1).mul(frequencies).unbind(1)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([apply_rope(first, one), apply_rope(second, two)], dim=-1)


@misconception("apply_rope_2d")
def put_together_in_the_wrong_order(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """Both halves are turned as they should, but they have changed places when you put them
    together again."""
    one, two = _angles(position_ids, frequencies)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([apply_rope(second, two), apply_rope(first, one)], dim=-1)


@misconception("apply_rope_2d")
def frequencies_of_its_own(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """You work the frequencies out yourself. They are an argument, and may be others: use those
    that you are given."""
    one, two = _angles(position_ids, rope_frequencies(x.shape[-1] // 2).to(x.dtype))
    first, second = x.chunk(2, dim=-1)
    return torch.cat([apply_rope(first, one), apply_rope(second, two)], dim=-1)
