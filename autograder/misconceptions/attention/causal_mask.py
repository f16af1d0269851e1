"""Wrong answers to the exercise `causal_mask`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import attention


def _ones(num_queries: int, num_keys: int | None) -> Tensor:
    return torch.ones(num_queries, num_queries if num_keys is None else num_keys, dtype=torch.bool)


@misconception("causal_mask")
def future_instead_of_past(num_queries: int, num_keys: int | None = None) -> Tensor:
    """With your mask a position sees itself and what comes after it. Which half of the table is the
    past?"""
    first = 0 if num_keys is None else num_keys - num_queries
    return _ones(num_queries, num_keys).triu(first)


@misconception("causal_mask")
def true_where_forbidden(num_queries: int, num_keys: int | None = None) -> Tensor:
    """Your mask is True where a query may not attend. In this course True means that it may."""
    return ~attention.causal_mask(num_queries, num_keys)


@misconception("causal_mask")
def blind_to_itself(num_queries: int, num_keys: int | None = None) -> Tensor:
    """With your mask a position sees only what came before it, and the first one sees nothing at
    all. A position sees itself, too."""
    first = 0 if num_keys is None else num_keys - num_queries
    return _ones(num_queries, num_keys).tril(first - 1)


@misconception("causal_mask")
def one_step_ahead(num_queries: int, num_keys: int | None = None) -> Tensor:
    """With your mask a position sees one position too many: the one that comes next. That is just
    what a model is to guess."""
    first = 0 if num_keys is None else num_keys - num_queries
    return _ones(num_queries, num_keys).tril(first + 1)


@misconception("causal_mask")
def queries_come_first(num_queries: int, num_keys: int | None = None) -> Tensor:
    """You let the queries stand at the first positions. With fewer queries than keys they are the
    last ones: at which position does the first query stand?"""
    return _ones(num_queries, num_keys).tril()


@misconception("causal_mask")
def number_of_keys_ignored(num_queries: int, num_keys: int | None = None) -> Tensor:
    """Your mask has as many columns as there are queries, whatever `num_keys` is. Each key needs
    its column."""
    return _ones(num_queries, None).tril()


@misconception("causal_mask")
def last_rows_and_columns_swapped(num_queries: int, num_keys: int | None = None) -> Tensor:
    """Rows and columns are swapped in your mask. Queries are the rows, keys the columns."""
    return attention.causal_mask(num_queries, num_keys).T


@misconception("causal_mask")
def ones_and_zeros(num_queries: int, num_keys: int | None = None) -> Tensor:
    """Your mask consists of numbers. A mask in this course is boolean: without a dtype,
    `torch.ones` makes floats."""
    return attention.causal_mask(num_queries, num_keys).float()


@misconception("causal_mask")
def made_for_adding(num_queries: int, num_keys: int | None = None) -> Tensor:
    """Your mask holds 0 and -inf, to be added to scores. A mask in this course is boolean, and True
    where a query may attend."""
    mask = attention.causal_mask(num_queries, num_keys)
    return torch.zeros(mask.shape).masked_fill(~mask, -torch.inf)


@misconception("causal_mask")
def number_of_keys_demanded(num_queries: int, num_keys: int | None = None) -> Tensor:
    """You calculate with `num_keys` where it is None. None means as many keys as queries: take care
    of that first."""
    before = num_keys - num_queries  # type: ignore[operator]
    return _ones(num_queries, num_keys).tril(before)
