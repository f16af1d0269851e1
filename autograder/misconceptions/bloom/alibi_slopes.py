"""Wrong answers to the exercise `alibi_slopes`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception


def _power(num_heads: int) -> int:
    """The largest power of two up to a number of heads."""
    return int(2 ** (num_heads.bit_length() - 1))


def _of(exponents: list[float]) -> Tensor:
    return torch.tensor([2.0**exponent for exponent in exponents])


def _checked(num_heads: int) -> None:
    if num_heads < 1:
        raise ValueError("there must be a head")


@misconception("alibi_slopes")
def formula_for_any_number(num_heads: int) -> Tensor:
    """You use the formula for powers of two with every number of heads. For 12 heads, take the 8
    slopes of 8 heads first; the other four come from the list for 16."""
    _checked(num_heads)
    return _of([-8 * step / num_heads for step in range(1, num_heads + 1)])


@misconception("alibi_slopes")
def exponent_counted_from_zero(num_heads: int) -> Tensor:
    """Your first slope is 1. The first of H slopes is the ratio itself, 2 to the -8 / H, and the
    last one 2 to the -8: how far is the exponent of the first head?"""
    _checked(num_heads)
    power = _power(num_heads)
    exponents = [-8 * step / power for step in range(power)]
    exponents += [-8 * step / (2 * power) for step in range(0, 2 * (num_heads - power), 2)]
    return _of(exponents)


@misconception("alibi_slopes")
def halved_from_head_to_head(num_heads: int) -> Tensor:
    """You halve the slope from head to head, whatever the number of heads. That is right for 8: in
    general the ratio depends on H, and the last slope is 1/256."""
    _checked(num_heads)
    power = _power(num_heads)
    exponents = [-float(step) for step in range(1, power + 1)]
    exponents += [-step / 2 for step in range(1, 2 * (num_heads - power), 2)]
    return _of(exponents)


@misconception("alibi_slopes")
def additional_ones_without_a_gap(num_heads: int) -> Tensor:
    """The additional heads get the first slopes of the next power's list, one after another. Every
    second one of these is there already: take every other one."""
    _checked(num_heads)
    power = _power(num_heads)
    exponents = [-8 * step / power for step in range(1, power + 1)]
    return _of(exponents + [-4 * step / power for step in range(1, num_heads - power + 1)])


@misconception("alibi_slopes")
def additional_ones_from_the_second(num_heads: int) -> Tensor:
    """Of the next power's list you take the second, the fourth, ... These are the slopes that you
    have already: begin with the first."""
    _checked(num_heads)
    power = _power(num_heads)
    exponents = [-8 * step / power for step in range(1, power + 1)]
    return _of(exponents + [-8 * step / power for step in range(1, num_heads - power + 1)])


@misconception("alibi_slopes")
def cut_from_the_next_power(num_heads: int) -> Tensor:
    """You take the list of the next power of two and cut it off. Begin with the largest power of
    two that is not above the number of heads, all of its slopes, and fill up from the list for
    twice as many."""
    _checked(num_heads)
    power = 2 ** (num_heads - 1).bit_length()
    return _of([-8 * step / power for step in range(1, num_heads + 1)])


@misconception("alibi_slopes")
def power_strictly_below(num_heads: int) -> Tensor:
    """You start with half as many heads as you could where the number of heads is a power of two
    itself. The power of two may be as large as H."""
    _checked(num_heads)
    power = max(1, _power(num_heads - 1))
    exponents = [-8 * step / power for step in range(1, power + 1)]
    return _of(exponents + [-4 * step / power for step in range(1, 2 * (num_heads - power), 2)])


@misconception("alibi_slopes")
def sorted_slopes(num_heads: int) -> Tensor:
    """The slopes are right, but you have put them in order of size. The slopes of the power of two
    come first, and the additional ones after them."""
    _checked(num_heads)
    power = _power(num_heads)
    exponents = [-8 * step / power for step in range(1, power + 1)]
    exponents += [-8 * step / (2 * power) for step in range(1, 2 * (num_heads - power), 2)]
    return _of(sorted(exponents, reverse=True))


@misconception("alibi_slopes")
def additional_ones_in_front(num_heads: int) -> Tensor:
    """You put the additional slopes in front. They come after those of the power of two."""
    _checked(num_heads)
    power = _power(num_heads)
    exponents = [-8 * step / power for step in range(1, power + 1)]
    return _of([-4 * step / power for step in range(1, 2 * (num_heads - power), 2)] + exponents)


@misconception("alibi_slopes")
def negative_slopes(num_heads: int) -> Tensor:
    """Your slopes are below 0. A slope says how much is taken away, so it is a positive number;
    the sign comes in where the bias is made."""
    _checked(num_heads)
    power = _power(num_heads)
    exponents = [-8 * step / power for step in range(1, power + 1)]
    exponents += [-8 * step / (2 * power) for step in range(1, 2 * (num_heads - power), 2)]
    return -_of(exponents)


@misconception("alibi_slopes")
def exponents_left(num_heads: int) -> Tensor:
    """You give the exponents. The slopes are 2 to the power of these."""
    _checked(num_heads)
    power = _power(num_heads)
    exponents = [-8 * step / power for step in range(1, power + 1)]
    return torch.tensor(
        exponents + [-8 * step / (2 * power) for step in range(1, 2 * (num_heads - power), 2)]
    )


@misconception("alibi_slopes")
def no_heads_no_slopes(num_heads: int) -> Tensor:
    """For no head you give something, where the task asks for a ValueError."""
    if num_heads < 1:
        return torch.zeros(0)
    power = _power(num_heads)
    exponents = [-8 * step / power for step in range(1, power + 1)]
    exponents += [-8 * step / (2 * power) for step in range(1, 2 * (num_heads - power), 2)]
    return _of(exponents)


@misconception("alibi_slopes")
def only_zero_refused(num_heads: int) -> Tensor:
    """You refuse 0 heads and nothing else. Fewer than 0 there can't be either: raise the ValueError
    for every number below 1."""
    if num_heads == 0:
        raise ValueError("there must be a head")
    power = 1
    while 2 * power <= num_heads:
        power *= 2
    exponents = [-8 * step / power for step in range(1, power + 1)]
    return _of(exponents + [-4 * step / power for step in range(1, 2 * (num_heads - power), 2)])
