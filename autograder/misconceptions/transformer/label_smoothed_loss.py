"""Wrong answers to the exercise `label_smoothed_loss`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from solutions import transformer


def _losses(logits: Tensor, targets: Tensor, right: float, other: float) -> Tensor:
    """Cross-entropy with the given targets for the right token and for each other, (B, T)."""
    goal = torch.full_like(logits, other).scatter(-1, targets.unsqueeze(-1), right)
    return -(goal * logits.log_softmax(-1)).sum(-1)


def _shares(smoothing: float, size: int, spread: str) -> tuple[float, float]:
    """The targets of the right token and of each other one, among `size`."""
    if spread not in ("all", "wrong"):
        raise ValueError("no such spread")
    if spread == "all":
        return 1 - smoothing + smoothing / size, smoothing / size
    return 1 - smoothing, smoothing / (size - 1)


def _mean(losses: Tensor, counts: Tensor) -> Tensor:
    return losses[counts].sum() / counts.sum().clamp(min=1)


@misconception("label_smoothed_loss")
def spreads_exchanged(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """You have exchanged the two ways of spreading. Which of them gives the right token a part of
    eps, too?"""
    other = {"all": "wrong", "wrong": "all"}.get(spread, spread)
    return transformer.label_smoothed_loss(logits, targets, smoothing, pad_id, other)


@misconception("label_smoothed_loss")
def more_than_one_in_sum(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """Your target is not a distribution: with "all", its probabilities don't sum to 1. Count what
    the right token gets: it is one of all."""
    _, other = _shares(smoothing, logits.shape[-1], spread)
    return _mean(_losses(logits, targets, 1 - smoothing, other), targets != pad_id)


@misconception("label_smoothed_loss")
def spread_ignored(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """You spread over all tokens whatever `spread` says. With "wrong" the right token gets nothing
    of eps."""
    _shares(smoothing, logits.shape[-1], spread)
    return transformer.label_smoothed_loss(logits, targets, smoothing, pad_id)


@misconception("label_smoothed_loss")
def not_smoothed(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """You give the plain cross-entropy: all probability on the right token. Use `smoothing`."""
    return transformer.label_smoothed_loss(logits, targets, 0.0, pad_id, spread)


@misconception("label_smoothed_loss")
def right_token_gets_eps(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """You give the right token eps and spread the rest. It is the other way round: eps is the small
    part that is spread."""
    return transformer.label_smoothed_loss(logits, targets, 1 - smoothing, pad_id, spread)


@misconception("label_smoothed_loss")
def predictions_smoothed(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """You smooth what the model predicts. It is the target that is smoothed; the model's
    probabilities stay as they are."""
    right, other = _shares(smoothing, logits.shape[-1], spread)
    of_target = logits.softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return _mean(-(other + (right - other) * of_target).log(), targets != pad_id)


@misconception("label_smoothed_loss")
def padding_counts(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """Your padding is learned like a token of the text. Leave out the positions whose target is
    `pad_id`."""
    right, other = _shares(smoothing, logits.shape[-1], spread)
    return _losses(logits, targets, right, other).sum() / max(targets.numel(), 1)


@misconception("label_smoothed_loss")
def divided_by_all_positions(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """The padding adds nothing to your sum, but it counts in what you divide by. Divide by the
    number of positions that count."""
    right, other = _shares(smoothing, logits.shape[-1], spread)
    losses = _losses(logits, targets, right, other) * (targets != pad_id)
    return losses.sum() / max(targets.numel(), 1)


@misconception("label_smoothed_loss")
def mean_of_the_texts_means(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """You take a mean for each text and then the mean of those, so that a position of a short text
    weighs more. Every position that counts weighs the same."""
    right, other = _shares(smoothing, logits.shape[-1], spread)
    counts = targets != pad_id
    losses = _losses(logits, targets, right, other) * counts
    return (losses.sum(1) / counts.sum(1).clamp(min=1)).mean()


@misconception("label_smoothed_loss")
def summed(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """You give the sum of the losses. Give the mean over the positions that count."""
    counts = (targets != pad_id).sum()
    return counts * transformer.label_smoothed_loss(logits, targets, smoothing, pad_id, spread)


@misconception("label_smoothed_loss")
def nothing_for_the_padding_token(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """Your target leaves out the padding's token: it gets no part of eps. Here it is one of the V
    like all the others, as the docstring says."""
    right, other = _shares(smoothing, logits.shape[-1] - 1, spread)
    goal = torch.full_like(logits, other).scatter(-1, targets.unsqueeze(-1), right)
    goal[..., pad_id] = 0
    return _mean(-(goal * logits.log_softmax(-1)).sum(-1), targets != pad_id)


@misconception("label_smoothed_loss")
def entropy_subtracted(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """You give the divergence from the target, which is 0 at best, as `F.kl_div` does. Here nothing
    is subtracted: the entropy of the target stays in the loss."""
    right, other = _shares(smoothing, logits.shape[-1], spread)
    goal = torch.full_like(logits, other).scatter(-1, targets.unsqueeze(-1), right)
    losses = functional.kl_div(logits.log_softmax(-1), goal, reduction="none").sum(-1)
    return _mean(losses, targets != pad_id)


@misconception("label_smoothed_loss")
def nothing_divided_by_nothing(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """Where all targets are padding you divide 0 by 0. The docstring says what the loss is then."""
    right, other = _shares(smoothing, logits.shape[-1], spread)
    return _losses(logits, targets, right, other)[targets != pad_id].mean()


@misconception("label_smoothed_loss")
def any_spread_accepted(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """You accept a `spread` that does not exist. The docstring says which exception it asks for."""
    known = "all" if spread == "all" else "wrong"
    return transformer.label_smoothed_loss(logits, targets, smoothing, pad_id, known)
