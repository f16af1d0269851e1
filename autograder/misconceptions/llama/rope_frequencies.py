"""Wrong answers to the exercise `rope_frequencies`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception


def _refuse_odd(head_dim: int) -> None:
    if head_dim % 2:
        raise ValueError("head_dim must be even")


@misconception("rope_frequencies")
def factor_two_forgotten(head_dim: int, theta: float = 10000.0) -> Tensor:
    """Your series falls half as fast as it should: look at the factor before i in the exponent."""
    _refuse_odd(head_dim)
    return theta ** -(torch.arange(head_dim // 2) / head_dim)


@misconception("rope_frequencies")
def one_for_each_entry(head_dim: int, theta: float = 10000.0) -> Tensor:
    """You give a frequency to each entry. Entries are turned in pairs: there are half as many."""
    _refuse_odd(head_dim)
    return theta ** -(torch.arange(head_dim) / head_dim)


@misconception("rope_frequencies")
def rising(head_dim: int, theta: float = 10000.0) -> Tensor:
    """Your frequencies grow. The first pair is the fastest: look at the sign of the exponent."""
    _refuse_odd(head_dim)
    return theta ** (torch.arange(0, head_dim, 2) / head_dim)


@misconception("rope_frequencies")
def theta_not_used(head_dim: int, theta: float = 10000.0) -> Tensor:
    """You always use 10000. The base of the series is the argument `theta`."""
    _refuse_odd(head_dim)
    return 10000.0 ** -(torch.arange(0, head_dim, 2) / head_dim)


@misconception("rope_frequencies")
def end_included(head_dim: int, theta: float = 10000.0) -> Tensor:
    """Your last frequency is 1 / theta. The series would reach it one step later, at index d/2."""
    _refuse_odd(head_dim)
    half = head_dim // 2
    return theta ** -(torch.arange(half) / max(half - 1, 1))


@misconception("rope_frequencies")
def theta_divided(head_dim: int, theta: float = 10000.0) -> Tensor:
    """You multiply where a power is meant: each frequency is a power of theta."""
    _refuse_odd(head_dim)
    return 1 / (1 + theta * torch.arange(0, head_dim, 2) / head_dim)


@misconception("rope_frequencies")
def each_one_twice(head_dim: int, theta: float = 10000.0) -> Tensor:
    """You give each frequency twice, once for each entry of its pair. Wanted is one for a pair."""
    _refuse_odd(head_dim)
    frequencies = theta ** -(torch.arange(0, head_dim, 2) / head_dim)
    return torch.cat([frequencies, frequencies])


@misconception("rope_frequencies")
def odd_sizes_accepted(head_dim: int, theta: float = 10000.0) -> Tensor:
    """An odd size has an entry without a partner. The docstring says what to do about it."""
    return theta ** -(torch.arange(0, head_dim, 2) / head_dim)


@misconception("rope_frequencies")
def in_float64(head_dim: int, theta: float = 10000.0) -> Tensor:
    """Your frequencies are float64. The docstring asks for torch's default float type."""
    _refuse_odd(head_dim)
    return theta ** -(torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
