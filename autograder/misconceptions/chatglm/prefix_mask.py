"""Wrong answers to the exercise `prefix_mask`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import chatglm
from solutions.attention import causal_mask


def _in_prefix(prefix_lengths: Tensor, num_keys: int) -> Tensor:
    """Whether a key belongs to the prefix, (B, 1, S)."""
    return torch.arange(num_keys) < prefix_lengths[:, None, None]


@misconception("prefix_mask")
def causal_alone(prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None) -> Tensor:
    """Your mask is causal everywhere: the tokens of the prefix don't see what comes later in the
    prefix."""
    mask = causal_mask(num_queries, num_keys)
    return mask.expand(len(prefix_lengths), *mask.shape)


@misconception("prefix_mask")
def everything_is_seen(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    """With your mask everybody sees everything, the answer its own future, too. Only keys of the
    prefix are open to all."""
    keys = num_queries if num_keys is None else num_keys
    return torch.ones(len(prefix_lengths), num_queries, keys, dtype=torch.bool)


@misconception("prefix_mask")
def only_the_prefix(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    """With your mask the tokens behind the prefix see the prefix and nothing else. They see
    themselves, too, and what stands between."""
    keys = num_queries if num_keys is None else num_keys
    return _in_prefix(prefix_lengths, keys).expand(-1, num_queries, -1)


@misconception("prefix_mask")
def joined_by_and(prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None) -> Tensor:
    """You join the two conditions by "and". A key may be looked at if it lies in the prefix *or*
    in the past."""
    causal = causal_mask(num_queries, num_keys)
    return causal & _in_prefix(prefix_lengths, causal.shape[-1])


@misconception("prefix_mask")
def one_token_too_many(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    """Your prefix is one token too long. With length 2 it is made of the tokens 0 and 1: positions
    count from 0."""
    return chatglm.prefix_mask(prefix_lengths + 1, num_queries, num_keys)


@misconception("prefix_mask")
def true_where_hidden(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    """Your mask is True where a query may not look. In this course True means that it may."""
    return ~chatglm.prefix_mask(prefix_lengths, num_queries, num_keys)


@misconception("prefix_mask")
def rows_of_the_prefix(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    """You let the *queries* of the prefix see everything. It is the *keys* of the prefix that
    everybody may look at: rows and columns."""
    causal = causal_mask(num_queries, num_keys)
    total = causal.shape[-1]
    places = torch.arange(total - num_queries, total).unsqueeze(-1)
    return causal | (places < prefix_lengths[:, None, None])


@misconception("prefix_mask")
def queries_at_the_beginning(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    """You let the queries stand at the first positions. If there are fewer queries than keys, they
    are the last ones."""
    keys = num_queries if num_keys is None else num_keys
    causal = torch.ones(num_queries, keys, dtype=torch.bool).tril()
    return causal | _in_prefix(prefix_lengths, keys)


@misconception("prefix_mask")
def one_length_for_all(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    """You use the prefix length of the first text for all texts. Each text has its own."""
    same = prefix_lengths[:1].expand(len(prefix_lengths))
    return chatglm.prefix_mask(same, num_queries, num_keys)


@misconception("prefix_mask")
def lengths_not_given_axes(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    """You compare the keys, shape (S,), with the lengths, shape (B,), as they are. Give the
    lengths two axes of length 1, so that each text gets a table of its own."""
    causal = causal_mask(num_queries, num_keys)
    mask: Tensor = causal | (torch.arange(causal.shape[-1]) < prefix_lengths)
    return mask
