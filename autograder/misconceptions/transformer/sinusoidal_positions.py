"""Wrong answers to the exercise `sinusoidal_positions`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import transformer


def _angles(num_positions: int, dim: int, first: int = 0) -> Tensor:
    """The angle of each position and each pair, (T, D/2)."""
    if dim % 2 != 0:
        raise ValueError("dim must be even")
    positions = torch.arange(first, first + num_positions, dtype=torch.float64)
    pairs = torch.arange(dim // 2, dtype=torch.float64)
    return positions[:, None] / 10000 ** (2 * pairs / dim)


def _interleaved(first: Tensor, second: Tensor) -> Tensor:
    return torch.stack([first, second], dim=-1).flatten(-2).float()


@misconception("sinusoidal_positions")
def sines_then_cosines(num_positions: int, dim: int) -> Tensor:
    """You put all sines into the first half and all cosines into the second. Here they take turns:
    each sine has its cosine right behind it."""
    angles = _angles(num_positions, dim)
    return torch.cat([angles.sin(), angles.cos()], dim=-1).float()


@misconception("sinusoidal_positions")
def cosine_before_sine(num_positions: int, dim: int) -> Tensor:
    """Sine and cosine have changed places. What should stand in the even columns, and what is the
    vector of position 0?"""
    angles = _angles(num_positions, dim)
    return _interleaved(angles.cos(), angles.sin())


@misconception("sinusoidal_positions")
def every_column_its_own_frequency(num_positions: int, dim: int) -> Tensor:
    """Your columns have a frequency each. A sine and the cosine behind it belong to one wave: both
    columns of a pair have the same exponent."""
    if dim % 2 != 0:
        raise ValueError("dim must be even")
    columns = torch.arange(dim, dtype=torch.float64)
    angles = torch.arange(num_positions)[:, None] / 10000 ** (columns / dim)
    return torch.where(columns % 2 == 0, angles.sin(), angles.cos()).float()


@misconception("sinusoidal_positions")
def number_of_the_pair_as_exponent(num_positions: int, dim: int) -> Tensor:
    """Your waves slow down too little from pair to pair. Compare your exponent with the formula: it
    grows from 0 to nearly 1 over the pairs, not to nearly one half."""
    _angles(num_positions, dim)
    pairs = torch.arange(dim // 2, dtype=torch.float64)
    angles = torch.arange(num_positions)[:, None] / 10000 ** (pairs / dim)
    return _interleaved(angles.sin(), angles.cos())


@misconception("sinusoidal_positions")
def exponent_counted_twice(num_positions: int, dim: int) -> Tensor:
    """Your waves slow down too fast from pair to pair: the step of 2 is in your exponent twice. If
    you count the columns 0, 2, 4, ..., they are the 2i of the formula already."""
    _angles(num_positions, dim)
    even_columns = torch.arange(0, dim, 2, dtype=torch.float64)
    angles = torch.arange(num_positions)[:, None] / 10000 ** (2 * even_columns / dim)
    return _interleaved(angles.sin(), angles.cos())


@misconception("sinusoidal_positions")
def positions_from_one(num_positions: int, dim: int) -> Tensor:
    """Your first position is 1. The first position is 0: all its sines are 0."""
    angles = _angles(num_positions, dim, first=1)
    return _interleaved(angles.sin(), angles.cos())


@misconception("sinusoidal_positions")
def power_on_the_wrong_side(num_positions: int, dim: int) -> Tensor:
    """Your waves get faster from column to column. They get slower: the power of 10000 divides the
    position."""
    _angles(num_positions, dim)
    pairs = torch.arange(dim // 2, dtype=torch.float64)
    angles = torch.arange(num_positions)[:, None] * 10000 ** (2 * pairs / dim)
    return _interleaved(angles.sin(), angles.cos())


@misconception("sinusoidal_positions")
def slowest_wave_of_exactly_ten_thousand(num_positions: int, dim: int) -> Tensor:
    """Your slowest pair has the exponent 1. The exponent is divided by the whole dimension, so it
    stays below 1 for the last pair, too."""
    _angles(num_positions, dim)
    pairs = torch.arange(dim // 2, dtype=torch.float64)
    angles = torch.arange(num_positions)[:, None] / 10000 ** (pairs / max(dim // 2 - 1, 1))
    return _interleaved(angles.sin(), angles.cos())


@misconception("sinusoidal_positions")
def odd_dimension_cut_off(num_positions: int, dim: int) -> Tensor:
    """You give vectors of an odd dimension, in which one sine has no cosine. The docstring says
    what should happen then."""
    return transformer.sinusoidal_positions(num_positions, dim + dim % 2)[:, :dim]
