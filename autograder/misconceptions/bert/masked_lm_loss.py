"""Wrong answers to the exercise `masked_lm_loss`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from solutions import bert


def _losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy at each position, with token 0 where there is no label."""
    right = labels.clamp(min=0).unsqueeze(-1)
    return -logits.log_softmax(-1).gather(-1, right).squeeze(-1)


@misconception("masked_lm_loss")
def all_positions_count(logits: Tensor, labels: Tensor) -> Tensor:
    """Positions without a label count in your loss. Where the label is -100, nothing is predicted:
    leave these out."""
    return _losses(logits, labels).mean()


@misconception("masked_lm_loss")
def divided_by_all_positions(logits: Tensor, labels: Tensor) -> Tensor:
    """Positions without a label add nothing to your sum, but they count in what you divide by.
    Divide by the number of labels."""
    return (_losses(logits, labels) * (labels != -100)).sum() / max(labels.numel(), 1)


@misconception("masked_lm_loss")
def mean_of_the_texts_means(logits: Tensor, labels: Tensor) -> Tensor:
    """You take a mean for each text and then the mean of those. Every label weighs the same,
    whatever text it stands in."""
    counts = labels != -100
    losses = _losses(logits, labels) * counts
    return (losses.sum(1) / counts.sum(1).clamp(min=1)).mean()


@misconception("masked_lm_loss")
def summed(logits: Tensor, labels: Tensor) -> Tensor:
    """You give the sum of the losses. Give their mean over the positions that have a label."""
    return (_losses(logits, labels) * (labels != -100)).sum()


@misconception("masked_lm_loss")
def nothing_divided_by_nothing(logits: Tensor, labels: Tensor) -> Tensor:
    """Where no position has a label you divide 0 by 0. The docstring says what the loss is then."""
    return functional.cross_entropy(logits.flatten(0, -2), labels.flatten())


@misconception("masked_lm_loss")
def zero_cut_off(logits: Tensor, labels: Tensor) -> Tensor:
    """Where no position has a label you give a 0 that does not hang on the logits, so that training
    would stop with an error. Let it be a sum over nothing, divided by 1."""
    if (labels == -100).all():
        return torch.zeros((), dtype=logits.dtype)
    return bert.masked_lm_loss(logits, labels)


@misconception("masked_lm_loss")
def classes_on_the_wrong_axis(logits: Tensor, labels: Tensor) -> Tensor:
    """`F.cross_entropy` looks for the scores of the tokens along the second axis, and here they lie
    along the last: bring the logits to (positions, V) first, and the labels to (positions,)."""
    return functional.cross_entropy(logits, labels)


@misconception("masked_lm_loss")
def softmax_over_the_positions(logits: Tensor, labels: Tensor) -> Tensor:
    """Your probabilities sum to 1 over the positions. At each position they sum to 1 over the V
    tokens: look at the axis of the softmax."""
    right = labels.clamp(min=0).unsqueeze(-1)
    losses = -logits.log_softmax(1).gather(-1, right).squeeze(-1)
    counts = labels != -100
    return losses[counts].sum() / counts.sum().clamp(min=1)


@misconception("masked_lm_loss")
def softmax_twice(logits: Tensor, labels: Tensor) -> Tensor:
    """You apply a softmax twice: `F.cross_entropy` and `log_softmax` take logits, and not
    probabilities."""
    return bert.masked_lm_loss(logits.softmax(-1), labels)


@misconception("masked_lm_loss")
def zero_is_no_label(logits: Tensor, labels: Tensor) -> Tensor:
    """You leave out the label 0. It is a token like any other; -100 means that there is none."""
    return bert.masked_lm_loss(logits, labels.where(labels != 0, -100))


@misconception("masked_lm_loss")
def sign_lost(logits: Tensor, labels: Tensor) -> Tensor:
    """Your loss is below 0. The logarithm of a probability is; the loss is its negative."""
    return -bert.masked_lm_loss(logits, labels)


@misconception("masked_lm_loss")
def reshaped_to_classes(logits: Tensor, labels: Tensor) -> Tensor:
    """You reshape the logits to (B, V, T), which mixes up which number belongs to which token. To
    move an axis use `transpose`."""
    batch, time, vocab_size = logits.shape
    moved = logits.reshape(batch, vocab_size, time)
    total = functional.cross_entropy(moved, labels, ignore_index=-100, reduction="sum")
    return total / (labels != -100).sum().clamp(min=1)


@misconception("masked_lm_loss")
def token_zero_where_no_label(logits: Tensor, labels: Tensor) -> Tensor:
    """You divide by the number of labels, but your sum runs over all positions, as if token 0 were
    right where there is no label."""
    return _losses(logits, labels).sum() / (labels != -100).sum().clamp(min=1)


@misconception("masked_lm_loss")
def log_of_the_softmax(logits: Tensor, labels: Tensor) -> Tensor:
    """You take the softmax first and its logarithm after. A small probability becomes 0 on the way:
    `log_softmax` and `F.cross_entropy` do both in one step."""
    counts = labels != -100
    right = labels.clamp(min=0).unsqueeze(-1)
    losses = -logits.softmax(-1).log().gather(-1, right).squeeze(-1)
    return losses[counts].sum() / counts.sum().clamp(min=1)
