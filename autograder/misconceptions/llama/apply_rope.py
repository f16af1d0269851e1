"""Wrong answers to the exercise `apply_rope`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception


def _waves(x: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
    return angles.cos().to(x.dtype), angles.sin().to(x.dtype)


@misconception("apply_rope")
def neighbours_paired(x: Tensor, angles: Tensor) -> Tensor:
    """You turn neighbours, the entries 2i and 2i + 1, as the paper does. Here entry i belongs to
    entry i + d/2."""
    cos, sin = _waves(x, angles)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


@misconception("apply_rope")
def paired_by_halves_but_interleaved_back(x: Tensor, angles: Tensor) -> Tensor:
    """You take the pairs from the two halves, and put the results back as neighbours. Each goes
    back to the place that it came from."""
    cos, sin = _waves(x, angles)
    first, second = x.chunk(2, dim=-1)
    turned = [first * cos - second * sin, first * sin + second * cos]
    return torch.stack(turned, dim=-1).flatten(-2)


@misconception("apply_rope")
def clockwise(x: Tensor, angles: Tensor) -> Tensor:
    """You turn clockwise. A quarter turn should bring the point (1, 0) to (0, 1): look at the
    signs."""
    cos, sin = _waves(x, angles)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos + second * sin, second * cos - first * sin], dim=-1)


@misconception("apply_rope")
def both_signs_positive(x: Tensor, angles: Tensor) -> Tensor:
    """Your vectors change their length: a rotation has one minus in it."""
    cos, sin = _waves(x, angles)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos + second * sin, first * sin + second * cos], dim=-1)


@misconception("apply_rope")
def sine_and_cosine_exchanged(x: Tensor, angles: Tensor) -> Tensor:
    """Sine and cosine have changed places: by the angle 0 nothing should be turned."""
    cos, sin = _waves(x, angles)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * sin - second * cos, first * cos + second * sin], dim=-1)


@misconception("apply_rope")
def each_half_by_itself(x: Tensor, angles: Tensor) -> Tensor:
    """You multiply one half by the cosine, the other one by the sine. Each of the two new
    coordinates depends on both old ones."""
    cos, sin = _waves(x, angles)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos, second * sin], dim=-1)


@misconception("apply_rope")
def new_value_used_at_once(x: Tensor, angles: Tensor) -> Tensor:
    """You compute the second coordinate with the first one's new value. Both are made from the old
    ones."""
    cos, sin = _waves(x, angles)
    first, second = x.chunk(2, dim=-1)
    first = first * cos - second * sin
    return torch.cat([first, first * sin + second * cos], dim=-1)


@misconception("apply_rope")
def position_added(x: Tensor, angles: Tensor) -> Tensor:
    """You add waves to the vectors, as chapter 5 does. Here nothing is added: the vectors are
    turned."""
    cos, sin = _waves(x, angles)
    return x + torch.cat([sin, cos], dim=-1)


@misconception("apply_rope")
def halves_exchanged(x: Tensor, angles: Tensor) -> Tensor:
    """Your two halves come back in the wrong order: the new first coordinates come first."""
    cos, sin = _waves(x, angles)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * sin + second * cos, first * cos - second * sin], dim=-1)


@misconception("apply_rope")
def dtype_of_the_angles(x: Tensor, angles: Tensor) -> Tensor:
    """Your result has the dtype of the angles. The docstring asks for that of `x`: bring sines and
    cosines to it."""
    cos, sin = angles.cos(), angles.sin()
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


@misconception("apply_rope")
def neighbours_put_back_by_halves(x: Tensor, angles: Tensor) -> Tensor:
    """You take the pairs from neighbours, and put the results back as halves. Here entry i belongs
    to entry i + d/2, before and after."""
    cos, sin = _waves(x, angles)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.cat([even * cos - odd * sin, even * sin + odd * cos], dim=-1)


@misconception("apply_rope")
def angles_in_the_dtype_of_x(x: Tensor, angles: Tensor) -> Tensor:
    """You bring the angles to the dtype of `x`. In half precision a large angle is far off then:
    take its sine and cosine first, and bring those to the dtype of `x`."""
    angles = angles.to(x.dtype)
    cos, sin = _waves(x, angles)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
