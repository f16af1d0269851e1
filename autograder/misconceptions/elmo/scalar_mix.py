"""Wrong answers to the exercise `scalar_mix`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import elmo


def refuse_other_numbers(layers: Sequence[Tensor], scores: Tensor) -> None:
    """Raise the ValueError that the exercise asks for."""
    if len(layers) != len(scores):
        raise ValueError("There should be one score for each layer.")


def summed(layers: Sequence[Tensor], weights: Tensor) -> Tensor:
    """The sum of the layers, each times its weight."""
    return sum(weight * layer for weight, layer in zip(weights, layers, strict=True))


@misconception("scalar_mix")
def scores_as_weights(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """You use the scores as weights. They may be anything, even below 0; first they must become
    weights that are positive and sum to 1."""
    refuse_other_numbers(layers, scores)
    return gamma * summed(layers, scores)


@misconception("scalar_mix")
def gamma_forgotten(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """Your result doesn't depend on gamma, so it can't be larger than the layers are."""
    return elmo.scalar_mix(layers, scores, torch.ones_like(gamma))


@misconception("scalar_mix")
def gamma_on_the_scores(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """You multiply the scores by gamma. Then it changes which layer counts; it should only change
    how large the result is."""
    return elmo.scalar_mix(layers, gamma * scores, torch.ones_like(gamma))


@misconception("scalar_mix")
def divided_by_their_sum(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """You divide the scores by their sum. The weights then sum to 1, but with a negative score a
    weight is negative, and with the sum 0 there is none. Which function does better?"""
    refuse_other_numbers(layers, scores)
    return gamma * summed(layers, scores / scores.sum())


@misconception("scalar_mix")
def softmax_of_one_number(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """All your weights are 1: each softmax runs over a single score. It should run over the
    layers."""
    refuse_other_numbers(layers, scores)
    return gamma * summed(layers, torch.ones_like(scores))


@misconception("scalar_mix")
def not_normalised(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """Your weights are positive, but they don't sum to 1. What do you divide by?"""
    refuse_other_numbers(layers, scores)
    return gamma * summed(layers, scores.exp())


@misconception("scalar_mix")
def sigmoid_of_each(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """You put each score through a sigmoid. The weights are positive then, but they don't know of
    each other, and don't sum to 1."""
    refuse_other_numbers(layers, scores)
    return gamma * summed(layers, scores.sigmoid())


@misconception("scalar_mix")
def weights_along_the_last_axis(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """Your weights are laid along the last axis, so each weighs a number of the vectors and not a
    layer: torch fits shapes together from the right. On which axis do your layers stand?"""
    refuse_other_numbers(layers, scores)
    weights = torch.softmax(scores, dim=0)
    return gamma * (torch.stack(list(layers)) * weights).sum(dim=0)


@misconception("scalar_mix")
def product_over_the_last_axis(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """Your product with the weights sums over the last axis, the numbers of the vectors, and one
    axis too many is left. The sum should run over the layers."""
    refuse_other_numbers(layers, scores)
    return gamma * (torch.stack(list(layers)) @ torch.softmax(scores, dim=0))


@misconception("scalar_mix")
def plain_mean(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """You take the mean of the layers. The scores say how much each of them counts."""
    return elmo.scalar_mix(layers, torch.zeros_like(scores), gamma)


@misconception("scalar_mix")
def divided_once_more(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """Your result is too small by the number of layers. The weights sum to 1 already: after the
    weighting take the sum, not the mean."""
    return elmo.scalar_mix(layers, scores, gamma) / len(layers)


@misconception("scalar_mix")
def exponentials_overflow(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """Large scores give you infinity divided by infinity. If the same number is taken from all
    scores, what happens to the weights? Or use torch's own softmax."""
    refuse_other_numbers(layers, scores)
    return gamma * summed(layers, scores.exp() / scores.exp().sum())


@misconception("scalar_mix")
def numbers_not_compared(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """There are more scores than layers, or fewer, and you don't notice: `zip` stops at the shorter
    one in silence. The task asks for an error."""
    weights = torch.softmax(scores, dim=0)
    return gamma * sum(weight * layer for weight, layer in zip(weights, layers, strict=False))


@misconception("scalar_mix")
def weights_as_numbers(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """Your values are right, but the scores can't learn: with `.tolist()`, `.item()`, `float()` or
    `.detach()` the weights are cut off from them, and no gradient flows back."""
    refuse_other_numbers(layers, scores)
    return gamma * summed(layers, torch.softmax(scores.detach(), dim=0))
