"""Wrong answers to the exercise `noise_distribution`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import word2vec


@misconception("noise_distribution")
def power_missing(counts: Tensor, power: float = 0.75) -> Tensor:
    """These are the relative frequencies of the words. The counts are raised to the power before
    they are normalised."""
    return counts / counts.sum()


@misconception("noise_distribution")
def normalised_before_the_power(counts: Tensor, power: float = 0.75) -> Tensor:
    """Your numbers don't sum to 1. You divide by the sum first and raise to the power afterwards:
    the last step must be the one that makes the sum 1."""
    return (counts / counts.sum()) ** power


@misconception("noise_distribution")
def divided_by_the_sum_of_counts(counts: Tensor, power: float = 0.75) -> Tensor:
    """Your numbers don't sum to 1. You raise the counts to the power, and then divide by the sum of
    the plain counts: divide by the sum of what you have."""
    return counts**power / counts.sum()


@misconception("noise_distribution")
def power_always_three_quarters(counts: Tensor, power: float = 0.75) -> Tensor:
    """You always take the power 0.75. That is the default; use the argument `power`."""
    return word2vec.noise_distribution(counts)


@misconception("noise_distribution")
def softmax_of_counts(counts: Tensor, power: float = 0.75) -> Tensor:
    """This is a softmax. Here nothing is exponentiated: a count to the power is a weight already,
    and only needs to be divided by the sum."""
    return torch.softmax(counts**power, dim=0)
