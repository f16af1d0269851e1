"""Wrong answers to the exercise `grouped_query_attention`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions.attention import scaled_dot_product_attention


def _grouped(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float = 1.0
) -> Tensor:
    size = query.shape[1] // key.shape[1]
    key, value = (x.repeat_interleave(size, dim=1) for x in (key, value))
    return scaled_dot_product_attention(query * scale, key, value, mask)


@misconception("grouped_query_attention")
def heads_dealt_out_in_turn(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You deal the keys out in turn: 0, 1, 0, 1. Neighbouring query heads share a head of keys: 0,
    0, 1, 1."""
    size = query.shape[1] // key.shape[1]
    key, value = (x.repeat(1, size, 1, 1) for x in (key, value))
    return scaled_dot_product_attention(query, key, value, mask)


@misconception("grouped_query_attention")
def not_repeated(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """There are fewer heads of keys than of queries, so torch can't pair them. Repeat each head of
    keys and values for its whole group."""
    return scaled_dot_product_attention(query, key, value, mask)


@misconception("grouped_query_attention")
def repeated_as_often_as_there_are_groups(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You repeat each head once for each group. How many query heads are in one group?"""
    key, value = (x.repeat_interleave(key.shape[1], dim=1) for x in (key, value))
    return scaled_dot_product_attention(query, key, value, mask)


@misconception("grouped_query_attention")
def only_the_keys_repeated(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You repeat the keys but not the values. They belong together."""
    key = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1)
    return scaled_dot_product_attention(query, key, value, mask)


@misconception("grouped_query_attention")
def values_dealt_out_otherwise(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Your keys are repeated in the right order, your values in another one. Each key has to find
    its own value."""
    size = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(size, dim=1), value.repeat(1, size, 1, 1)
    return scaled_dot_product_attention(query, key, value, mask)


@misconception("grouped_query_attention")
def one_head_for_all(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """All of your query heads use head 0 of the keys. Each group has a head of its own."""
    return scaled_dot_product_attention(query, key[:, :1], value[:, :1], mask)


@misconception("grouped_query_attention")
def keys_averaged(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """You average the heads of keys and values. Nothing is averaged: each group uses its own
    head."""
    key, value = (x.mean(1, keepdim=True) for x in (key, value))
    return scaled_dot_product_attention(query, key, value, mask)


@misconception("grouped_query_attention")
def queries_averaged(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You average the queries of a group. Each query head asks for itself; only keys and values are
    shared."""
    size = query.shape[1] // key.shape[1]
    query = query.unflatten(1, (-1, size)).mean(2).repeat_interleave(size, dim=1)
    return _grouped(query, key, value, mask)


@misconception("grouped_query_attention")
def mask_forgotten(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Your queries attend to keys that they may not see. Hand the mask on."""
    return _grouped(query, key, value, None)


@misconception("grouped_query_attention")
def mask_inverted(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Your queries attend to just the keys that they may not see. True means: may attend."""
    return _grouped(query, key, value, None if mask is None else ~mask)


@misconception("grouped_query_attention")
def blind_queries_get_nan(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """A query that may attend to no key gets NaN. The docstring says what it gets; your
    `scaled_dot_product_attention` of chapter 4 does that."""
    size = query.shape[1] // key.shape[1]
    key, value = (x.repeat_interleave(size, dim=1) for x in (key, value))
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return torch.softmax(scores, -1) @ value


@misconception("grouped_query_attention")
def scaled_twice(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """You divide by the root of d before the attention. `scaled_dot_product_attention` does that
    already."""
    return _grouped(query, key, value, mask, query.shape[-1] ** -0.5)


@misconception("grouped_query_attention")
def mask_of_the_first_head_for_all(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """All of your heads use the mask of head 0. A mask may have one part for each query head: give
    each head its own."""
    return _grouped(query, key, value, mask if mask is None or mask.ndim < 4 else mask[:, :1])


@misconception("grouped_query_attention")
def mask_with_one_part_only(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You give the mask an axis for the group, which is right for (B, 1, T, S) only. A mask may
    also be (T, S), or have one part for each query head, (B, H, T, S)."""
    size = query.shape[1] // key.shape[1]
    query = query.unflatten(1, (-1, size))  # (B, G, H/G, T, d)
    if mask is not None:
        mask = mask.unsqueeze(2)
    return scaled_dot_product_attention(query, key.unsqueeze(2), value.unsqueeze(2), mask).flatten(
        1, 2
    )
