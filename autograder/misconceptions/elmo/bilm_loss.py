"""Wrong answers to the exercise `bilm_loss`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from autograder.misconceptions.elmo import Weights, negative_logs
from solutions import elmo


def real_words(token_ids: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """The mask as bools, and the words with 0 in place of padding."""
    real = torch.ones_like(token_ids).bool() if mask is None else mask.bool()
    return real, token_ids.masked_fill(~real, 0)


def both_losses(
    forward_hidden: Tensor, backward_hidden: Tensor, token_ids: Tensor, weights: Weights
) -> tuple[Tensor, Tensor]:
    """-log p of every prediction in each direction, (batch, time - 1) each."""
    forward = negative_logs(forward_hidden[:, :-1], token_ids[:, 1:], weights)
    backward = negative_logs(backward_hidden[:, 1:], token_ids[:, :-1], weights)
    return forward, backward


def picked_by_number(
    forward_hidden: Tensor, backward_hidden: Tensor, token_ids: Tensor, mask: Tensor | None
) -> list[tuple[Tensor, Tensor]]:
    """For each direction states and targets, picked out by a mask of 0 and 1 that is no bool."""
    real = torch.ones_like(token_ids) if mask is None else mask
    counts = real[:, :-1] * real[:, 1:]
    return [
        (forward_hidden[:, :-1][counts], token_ids[:, 1:][counts]),
        (backward_hidden[:, 1:][counts], token_ids[:, :-1][counts]),
    ]


@misconception("bilm_loss")
def predicts_the_word_that_it_read(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """Each state predicts the word at its own position, which it has just read. There is nothing
    to learn from that: it should predict a neighbour."""
    real, ids = real_words(token_ids, mask)
    forward = negative_logs(forward_hidden, ids, weights)[real].mean()
    return (forward + negative_logs(backward_hidden, ids, weights)[real].mean()) / 2


@misconception("bilm_loss")
def directions_exchanged(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """The forward states predict the word before, and the backward states the word after: words
    that they have read. Each direction should predict the word that it reads next."""
    return elmo.bilm_loss(backward_hidden, forward_hidden, token_ids, weights, mask)


@misconception("bilm_loss")
def backward_like_forward(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """Your forward states are right. Your backward states predict the word after them, which they
    have read already: they should predict the word before."""
    real, ids = real_words(token_ids, mask)
    counts = real[:, :-1] & real[:, 1:]
    forward = negative_logs(forward_hidden[:, :-1], ids[:, 1:], weights)[counts].mean()
    return (
        forward + negative_logs(backward_hidden[:, :-1], ids[:, 1:], weights)[counts].mean()
    ) / 2


@misconception("bilm_loss")
def backward_states_turned_round(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """You turn the backward states round, as if they came in the order of reading. They stand in
    the order of the text, as the forward states do."""
    return elmo.bilm_loss(forward_hidden, backward_hidden.flip(1), token_ids, weights, mask)


@misconception("bilm_loss")
def text_is_a_ring(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """The last forward state predicts the first word (and the first backward state the last word),
    as if the text were a ring: `torch.roll` does that. These two predict nothing."""
    real, ids = real_words(token_ids, mask)
    forward = negative_logs(forward_hidden, ids.roll(-1, 1), weights)
    backward = negative_logs(backward_hidden, ids.roll(1, 1), weights)
    forward = forward[real & real.roll(-1, 1)].mean()
    return (forward + backward[real & real.roll(1, 1)].mean()) / 2


@misconception("bilm_loss")
def forward_only(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """Your loss doesn't depend on the backward states. Both directions count, half each."""
    real, ids = real_words(token_ids, mask)
    losses = negative_logs(forward_hidden[:, :-1], ids[:, 1:], weights)
    return losses[real[:, :-1] & real[:, 1:]].mean()


@misconception("bilm_loss")
def not_halved(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """Your loss is twice as large as it should be: the result is half the sum of the two."""
    return 2 * elmo.bilm_loss(forward_hidden, backward_hidden, token_ids, weights, mask)


@misconception("bilm_loss")
def summed_over_predictions(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """You sum over the predictions, so that longer texts have a larger loss. Take the mean."""
    real, ids = real_words(token_ids, mask)
    forward, backward = both_losses(forward_hidden, backward_hidden, ids, weights)
    counts = real[:, :-1] & real[:, 1:]
    return (forward[counts].sum() + backward[counts].sum()) / 2


@misconception("bilm_loss")
def mask_ignored(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """Padding counts in your loss as if it were words. Where does the mask come in?"""
    return elmo.bilm_loss(forward_hidden, backward_hidden, token_ids, weights)


@misconception("bilm_loss")
def mask_of_whole_numbers(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """You index with a mask of whole numbers, and so pick out the rows 0 and 1 again and again: the
    result has an axis too many. Which dtype must a mask have to pick out what it marks?"""
    picked = picked_by_number(forward_hidden, backward_hidden, token_ids, mask)
    total = torch.zeros((), dtype=forward_hidden.dtype)
    for states, targets in picked:
        logits = functional.linear(states, weights["weight"], weights["bias"])
        total = total + functional.cross_entropy(logits, targets) / 2
    return total


@misconception("bilm_loss")
def mask_of_whole_numbers_then_flattened(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """Your mask picks rows by their number, 0 or 1, since it holds whole numbers; so the first two
    sentences count many times, and the others never. What would pick by True and False?"""
    picked = picked_by_number(forward_hidden, backward_hidden, token_ids, mask)
    total = torch.zeros((), dtype=forward_hidden.dtype)
    for states, targets in picked:
        logits = functional.linear(states, weights["weight"], weights["bias"])
        total = total + functional.cross_entropy(logits.flatten(0, -2), targets.flatten()) / 2
    return total


@misconception("bilm_loss")
def divided_by_all_places(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """You put 0 in place of the predictions that don't count, and then divide by the number of all.
    Divide by the number of those that count."""
    real, ids = real_words(token_ids, mask)
    forward, backward = both_losses(forward_hidden, backward_hidden, ids, weights)
    counts = real[:, :-1] & real[:, 1:]
    return ((forward * counts).mean() + (backward * counts).mean()) / 2


@misconception("bilm_loss")
def mean_of_means(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """You take the mean of each sentence, and then the mean of these, so that a word of a short
    sentence counts more than one of a long sentence. Every prediction counts alike."""
    real, ids = real_words(token_ids, mask)
    forward, backward = both_losses(forward_hidden, backward_hidden, ids, weights)
    counts = real[:, :-1] & real[:, 1:]
    sums = ((forward + backward) * counts).sum(dim=1)
    return (sums / counts.sum(dim=1).clamp(min=1)).mean() / 2


@misconception("bilm_loss")
def only_the_predicted_must_be_real(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """Some of your predictions are made from a state at padding. It is not enough that the
    predicted word is real: the word that was read last must be real, too."""
    real, ids = real_words(token_ids, mask)
    forward, backward = both_losses(forward_hidden, backward_hidden, ids, weights)
    return (forward[real[:, 1:]].mean() + backward[real[:, :-1]].mean()) / 2


@misconception("bilm_loss")
def only_the_read_must_be_real(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """Some of your states predict padding. It is not enough that the word that was read last is
    real: the predicted word must be real, too."""
    real = torch.ones_like(token_ids).bool() if mask is None else mask.bool()
    forward, backward = both_losses(forward_hidden, backward_hidden, token_ids, weights)
    return (forward[real[:, :-1]].mean() + backward[real[:, 1:]].mean()) / 2


@misconception("bilm_loss")
def padding_always_last(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """You count the words of each sentence, and take padding to stand behind them. The mask itself
    says where it stands; it may be in front as well."""
    if mask is not None:
        mask = torch.arange(mask.shape[1]) < mask.long().sum(dim=1, keepdim=True)
    return elmo.bilm_loss(forward_hidden, backward_hidden, token_ids, weights, mask)


@misconception("bilm_loss")
def bias_forgotten(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """Your loss doesn't depend on the bias of the softmax, which makes frequent words likelier."""
    bare = {"weight": weights["weight"], "bias": torch.zeros_like(weights["bias"])}
    return elmo.bilm_loss(forward_hidden, backward_hidden, token_ids, bare, mask)


@misconception("bilm_loss")
def logits_not_flattened(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """You give `F.cross_entropy` logits with three axes, and it takes the second for the words of
    the vocabulary, though positions stand there. It wants one row for each guess."""
    real, ids = real_words(token_ids, mask)
    counts = real[:, :-1] & real[:, 1:]
    total = torch.zeros((), dtype=forward_hidden.dtype)
    for states, targets in (
        (forward_hidden[:, :-1], ids[:, 1:]),
        (backward_hidden[:, 1:], ids[:, :-1]),
    ):
        logits = functional.linear(states, weights["weight"], weights["bias"])
        losses = functional.cross_entropy(logits, targets, reduction="none")
        total = total + losses[counts].mean() / 2
    return total


@misconception("bilm_loss")
def softmax_before_cross_entropy(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """You take the softmax twice: `F.cross_entropy` takes it, too. Look up what it expects to
    get."""
    real, ids = real_words(token_ids, mask)
    counts = real[:, :-1] & real[:, 1:]
    total = torch.zeros((), dtype=forward_hidden.dtype)
    for states, targets in (
        (forward_hidden[:, :-1][counts], ids[:, 1:][counts]),
        (backward_hidden[:, 1:][counts], ids[:, :-1][counts]),
    ):
        logits = functional.linear(states, weights["weight"], weights["bias"])
        total = total + functional.cross_entropy(logits.softmax(dim=-1), targets) / 2
    return total


@misconception("bilm_loss")
def softmax_over_the_text(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """Your probabilities sum to 1 over the positions of the text. At each position, those of all
    words of the vocabulary should."""
    real, ids = real_words(token_ids, mask)
    counts = real[:, :-1] & real[:, 1:]
    total = torch.zeros((), dtype=forward_hidden.dtype)
    for states, targets in (
        (forward_hidden[:, :-1], ids[:, 1:]),
        (backward_hidden[:, 1:], ids[:, :-1]),
    ):
        logits = states @ weights["weight"].mT + weights["bias"]
        logs = torch.log_softmax(logits, dim=1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        total = total - logs[counts].mean() / 2
    return total


@misconception("bilm_loss")
def padding_looked_up(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """You look up the loss of padding before you leave it out, and at padding any number may stand,
    even one that is no word. Which comes first?"""
    real = real_words(token_ids, mask)[0]
    forward, backward = both_losses(forward_hidden, backward_hidden, token_ids, weights)
    counts = real[:, :-1] & real[:, 1:]
    return (forward[counts].mean() + backward[counts].mean()) / 2


@misconception("bilm_loss")
def padding_gathered(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    """You `gather` at padding, too, where any number may stand, even one that is no word. Leave
    padding out before you look anything up."""
    real = real_words(token_ids, mask)[0]
    counts = real[:, :-1] & real[:, 1:]
    total = torch.zeros((), dtype=forward_hidden.dtype)
    for states, targets in (
        (forward_hidden[:, :-1], token_ids[:, 1:]),
        (backward_hidden[:, 1:], token_ids[:, :-1]),
    ):
        logits = functional.linear(states, weights["weight"], weights["bias"])
        logs = torch.log_softmax(logits, dim=-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        total = total - logs[counts].mean() / 2
    return total
