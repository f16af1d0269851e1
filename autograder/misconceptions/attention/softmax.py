"""Wrong answers to the exercise `softmax`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import attention


def _safe_divide(exponentials: Tensor, dim: int) -> Tensor:
    total = exponentials.sum(dim, keepdim=True)
    return exponentials / torch.where(total == 0, torch.ones_like(total), total)


def _finite_largest(largest: Tensor) -> Tensor:
    return torch.where(largest == -torch.inf, torch.zeros_like(largest), largest)


@misconception("softmax")
def exponential_overflows(scores: Tensor, dim: int = -1) -> Tensor:
    """The exponential of a large score is infinite, and infinity divided by infinity is NaN; that
    of very low scores is 0 for all of them. A softmax does not change when the same number is
    subtracted from all scores: choose that number well."""
    return _safe_divide(scores.exp(), dim)


@misconception("softmax")
def sums_in_the_wrong_place(scores: Tensor, dim: int = -1) -> Tensor:
    """Your sums have lost an axis, so that they are laid out along the wrong one: each row is
    divided by the sums of all rows. What does `keepdim` do?"""
    exponentials = (scores - _finite_largest(scores.amax(dim, keepdim=True))).exp()
    return exponentials / exponentials.sum(dim)


@misconception("softmax")
def largest_of_all_rows(scores: Tensor, dim: int = -1) -> Tensor:
    """You subtract the largest score of the whole tensor. A row whose own scores lie far below it
    underflows: its exponentials are all 0. Each row needs the largest of its own."""
    return _safe_divide((scores - _finite_largest(scores.max())).exp(), dim)


@misconception("softmax")
def scores_clamped(scores: Tensor, dim: int = -1) -> Tensor:
    """You cut large scores off, so that scores which differ get the same probability. Shift the
    scores instead, all by the same number: that keeps their differences."""
    return _safe_divide(scores.clamp(max=80.0).exp(), dim)


@misconception("softmax")
def dim_ignored(scores: Tensor, dim: int = -1) -> Tensor:
    """Your probabilities sum to 1 along the last axis, whatever `dim` says. Each step that goes
    along an axis needs `dim`."""
    return attention.softmax(scores, -1)


@misconception("softmax")
def always_down_the_columns(scores: Tensor, dim: int = -1) -> Tensor:
    """Your probabilities sum to 1 down the first axis, whatever `dim` says. By default it is the
    last axis along which they sum to 1."""
    return attention.softmax(scores, 0)


@misconception("softmax")
def divided_by_the_sum_of_all(scores: Tensor, dim: int = -1) -> Tensor:
    """All your numbers together sum to 1. Each row is a distribution of its own: sum along `dim`
    only, and keep that axis so that the division broadcasts."""
    largest = _finite_largest(scores.amax(dim, keepdim=True))
    exponentials = (scores - largest).exp()
    total = exponentials.sum()
    return exponentials / torch.where(total == 0, torch.ones_like(total), total)


@misconception("softmax")
def nothing_to_choose_is_nan(scores: Tensor, dim: int = -1) -> Tensor:
    """Where all scores are -inf, you get NaN: -inf minus -inf is NaN, and so is 0 divided by 0. The
    docstring says what the result is there; look at the number you subtract and at the sum."""
    return torch.softmax(scores, dim)


@misconception("softmax")
def nothing_to_choose_is_uniform(scores: Tensor, dim: int = -1) -> Tensor:
    """Where all scores are -inf, your result gives each the same probability. There is nothing to
    choose from: a very low number in place of -inf does not say that, since a softmax sees
    differences only."""
    return torch.softmax(scores.masked_fill(scores == -torch.inf, -1e9), dim)


@misconception("softmax")
def nan_repaired_at_the_end(scores: Tensor, dim: int = -1) -> Tensor:
    """Your probabilities are right, but the gradient of a row of -inf is NaN. The NaN that you
    replace at the end has already been made, and the way back leads through it: see that none
    arises."""
    return torch.softmax(scores, dim).nan_to_num(0.0)


@misconception("softmax")
def small_number_in_the_sum(scores: Tensor, dim: int = -1) -> Tensor:
    """Your probabilities sum to a little less than 1: you add a small number to each sum. Only a
    sum of 0 needs help, and no other sum is to be changed."""
    exponentials = (scores - _finite_largest(scores.amax(dim, keepdim=True))).exp()
    return exponentials / (exponentials.sum(dim, keepdim=True) + 1e-6)


@misconception("softmax")
def powers_of_two(scores: Tensor, dim: int = -1) -> Tensor:
    """Your probabilities are not as far apart as they should be: one score more should make a
    probability e = 2.718... times as large. Look at which number is raised to the power of the
    score."""
    return attention.softmax(scores * torch.log(torch.tensor(2.0, dtype=scores.dtype)), dim)
