"""Wrong answers to the exercise `mean_pool`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import bert


def _real(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    return attention_mask.to(hidden.dtype).unsqueeze(-1)


@misconception("mean_pool")
def padding_counts(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Your mean is over all positions, padding too. Only real tokens count."""
    return hidden.mean(1)


@misconception("mean_pool")
def divided_by_the_length(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Padding adds nothing to your sum, but it counts in what you divide by. Divide by the number
    of real tokens of each text."""
    return (hidden * _real(hidden, attention_mask)).mean(1)


@misconception("mean_pool")
def divided_by_all_real_tokens(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """You divide by the number of real tokens in the whole batch. Each text is divided by its
    own."""
    real = _real(hidden, attention_mask)
    return (hidden * real).sum(1) / real.sum().clamp(min=1)


@misconception("mean_pool")
def padding_only(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """You average the padding and leave out the real tokens. In the attention mask 1 means real."""
    return bert.mean_pool(hidden, ~attention_mask.bool())


@misconception("mean_pool")
def first_token(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """You give the vector of the first token. That is what the pooler looks at; here the mean over
    all real tokens is asked for."""
    return hidden[:, 0].clone()


@misconception("mean_pool")
def largest_entries(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """You keep the largest entry of each column (max pooling). Take the mean."""
    real = attention_mask.bool().unsqueeze(-1)
    return hidden.masked_fill(~real, -torch.inf).amax(1).nan_to_num(neginf=0.0)


@misconception("mean_pool")
def summed(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """You give the sum of the vectors, which is longer for longer texts. Give their mean."""
    return (hidden * _real(hidden, attention_mask)).sum(1)


@misconception("mean_pool")
def zero_divided_by_zero(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """A text of padding only gives NaN, 0 divided by 0. The docstring says what it gets."""
    real = _real(hidden, attention_mask)
    return (hidden * real).sum(1) / real.sum(1)


@misconception("mean_pool")
def something_in_the_count(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """You add something to the number of tokens, so that it is never 0. Then every mean is a little
    too small: change the number only where it is 0."""
    real = _real(hidden, attention_mask)
    return (hidden * real).sum(1) / (real.sum(1) + 1)


@misconception("mean_pool")
def unsqueeze_forgotten(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Your mask has two axes and the vectors have three, so the axes don't fit each other. Give the
    mask a last axis of length 1."""
    return (hidden * attention_mask).sum(1) / attention_mask.sum(1, keepdim=True).clamp(min=1)


@misconception("mean_pool")
def mean_of_the_entries(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """You average the entries of each vector, and get a number for each token. Average over the
    tokens: which axis is that?"""
    return (hidden * _real(hidden, attention_mask)).mean(-1)


@misconception("mean_pool")
def one_vector_for_all_texts(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """You give one vector for the whole batch. Each text has a mean of its own."""
    real = _real(hidden, attention_mask)
    return (hidden * real).sum((0, 1)) / real.sum().clamp(min=1)


@misconception("mean_pool")
def zeros_put_in_afterwards(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Your means are right, but the gradient has gone through 0 divided by 0 and is NaN: putting a
    0 there afterwards comes too late. Never divide by 0."""
    real = _real(hidden, attention_mask)
    return ((hidden * real).sum(1) / real.sum(1)).nan_to_num(0.0)
