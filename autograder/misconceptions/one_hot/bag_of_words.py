"""Wrong answers to the exercise `bag_of_words`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import one_hot as reference


@misconception("bag_of_words")
def presence_only(ids: Tensor, vocab_size: int) -> Tensor:
    """Your entries are at most 1: they say whether a word occurs, not how often. This happens with
    `counts[ids] += 1` too, which adds a single 1 where an id occurs several times."""
    return reference.bag_of_words(ids, vocab_size).clamp(max=1)


@misconception("bag_of_words")
def shares_instead_of_counts(ids: Tensor, vocab_size: int) -> Tensor:
    """Your entries are shares of the text: they add up to 1. Counts add up to the number of words;
    take the sum over the time axis, not the mean."""
    return reference.bag_of_words(ids, vocab_size) / max(ids.shape[-1], 1)


@misconception("bag_of_words")
def all_texts_in_one_bag(ids: Tensor, vocab_size: int) -> Tensor:
    """You put all texts of the batch into one bag. Only the time axis, the last axis of `ids`,
    is summed; every axis before it stays."""
    return reference.bag_of_words(ids.reshape(-1), vocab_size)


@misconception("bag_of_words")
def summed_over_the_batch(ids: Tensor, vocab_size: int) -> Tensor:
    """You sum over the first axis, which is the batch as soon as there is one. Sum over the time
    axis, the last axis of `ids`."""
    return reference.one_hot(ids, vocab_size).sum(dim=0)


@misconception("bag_of_words")
def unknown_not_counted(ids: Tensor, vocab_size: int) -> Tensor:
    """Your count of id 0 is always 0. The unknown word is counted like any other: the counts of a
    text add up to its length."""
    counts = reference.bag_of_words(ids, vocab_size)
    counts[..., 0] = 0
    return counts


@misconception("bag_of_words")
def integer_counts(ids: Tensor, vocab_size: int) -> Tensor:
    """Your counts are integers. They should be float32, as the one-hot vectors that they are the
    sum of: the next step multiplies and divides them."""
    return reference.bag_of_words(ids, vocab_size).to(torch.int64)


@misconception("bag_of_words")
def batch_of_one_squeezed(ids: Tensor, vocab_size: int) -> Tensor:
    """Your result has lost an axis of length 1: `squeeze()` drops them all. A batch of one text
    keeps its axis; only the time axis goes."""
    return reference.bag_of_words(ids, vocab_size).squeeze()


@misconception("bag_of_words")
def a_text_or_a_batch_only(ids: Tensor, vocab_size: int) -> Tensor:
    """Your function knows one text and a batch of texts, and stops at ids with three axes:
    `bincount` takes one axis only. Look for an operation that works along the last axis."""
    if ((ids < 0) | (ids >= vocab_size)).any():
        raise IndexError("An id is wrong.")
    if ids.dim() == 1:
        return torch.bincount(ids, minlength=vocab_size).float()
    return torch.stack([torch.bincount(text, minlength=vocab_size).float() for text in ids])


@misconception("bag_of_words")
def wrong_ids_left_to_scatter_add(ids: Tensor, vocab_size: int) -> Tensor:
    """You leave wrong ids to `scatter_add`, which raises a RuntimeError. An IndexError is asked
    for: look at the ids yourself first, as in `one_hot`."""
    counts = torch.zeros(*ids.shape[:-1], vocab_size)
    return counts.scatter_add(-1, ids, torch.ones(ids.shape))
