"""Wrong answers to the exercise `keep_probability`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import word2vec


@misconception("keep_probability")
def probability_to_discard(
    counts: Tensor, threshold: float = 1e-3, formula: str = "paper"
) -> Tensor:
    """This is the probability with which an occurrence is thrown away. The function gives the
    probability with which it is kept, one minus that."""
    return 1 - word2vec.keep_probability(counts, threshold, formula)


@misconception("keep_probability")
def counts_not_divided(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """You compare the threshold with the counts themselves. f is the relative frequency: a word's
    count divided by the number of all words in the corpus."""
    ratio = threshold / counts
    value = ratio.sqrt() if formula == "paper" else ratio.sqrt() + ratio
    return value.clamp(max=1.0)


@misconception("keep_probability")
def square_root_missing(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """Your probabilities fall as threshold / f. Both formulas have a square root: frequent words
    are thinned out less than that."""
    ratio = threshold / (counts / counts.sum())
    value = ratio if formula == "paper" else 2 * ratio
    return value.clamp(max=1.0)


@misconception("keep_probability")
def larger_than_one(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """Rare words have a probability above 1 in your result. A probability ends at 1: words rarer
    than the threshold are always kept."""
    ratio = threshold / (counts / counts.sum())
    return ratio.sqrt() if formula == "paper" else ratio.sqrt() + ratio


@misconception("keep_probability")
def fraction_upside_down(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """In your result frequent words are the ones that are kept. Look at which of threshold and
    f stands above the other in the fraction."""
    ratio = (counts / counts.sum()) / threshold
    value = ratio.sqrt() if formula == "paper" else ratio.sqrt() + ratio
    return value.clamp(max=1.0)


@misconception("keep_probability")
def formula_ignored(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """You get the paper's formula for both values of `formula`. The released code has a second
    term: see what to do for "code"."""
    return word2vec.keep_probability(counts, threshold, "paper")


@misconception("keep_probability")
def never_seen_never_kept(
    counts: Tensor, threshold: float = 1e-3, formula: str = "paper"
) -> Tensor:
    """A word that never occurs has probability 0 in your result. There is nothing of it to throw
    away: the docstring says which probability it has."""
    probability = word2vec.keep_probability(counts, threshold, formula)
    return torch.where(counts > 0, probability, torch.zeros_like(probability))


@misconception("keep_probability")
def zero_times_infinity(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """A word that never occurs has no number at all in your result: for f = 0 your formula makes
    0 times infinity, or 0 divided by 0. Put the probability of such words in separately."""
    frequency = counts / counts.sum()
    value = (frequency / threshold).sqrt() * (threshold / frequency)
    if formula == "code":
        value = value + threshold / frequency
    elif formula != "paper":
        raise ValueError(formula)
    return value.clamp(max=1.0)


@misconception("keep_probability")
def counts_made_whole(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """You turn the counts into whole numbers, and counts such as 0.7 become 0. Counts may be
    floats, for example shares: divide them as they are."""
    whole = counts.long().to(
        counts.dtype if counts.is_floating_point() else torch.get_default_dtype()
    )
    ratio = threshold / (whole / whole.sum())
    if formula == "code":
        return (ratio.sqrt() + ratio).clamp(max=1.0)
    if formula == "paper":
        return ratio.sqrt().clamp(max=1.0)
    raise ValueError(formula)


@misconception("keep_probability")
def unknown_formula_accepted(
    counts: Tensor, threshold: float = 1e-3, formula: str = "paper"
) -> Tensor:
    """You take any other value of `formula` for "code". A misspelt name should not go through:
    raise what the docstring says."""
    return word2vec.keep_probability(counts, threshold, "paper" if formula == "paper" else "code")
