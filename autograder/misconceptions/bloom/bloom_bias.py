"""Wrong answers to the exercise `bloom_bias`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions.attention import causal_mask, padding_mask
from solutions.bloom import alibi_bias


@misconception("bloom_bias")
def future_allowed(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """Your queries may look at later positions. Only padding is hidden: the causal mask is
    missing."""
    bias = alibi_bias(slopes, attention_mask).expand(-1, -1, num_queries, -1)
    return bias.masked_fill(~padding_mask(attention_mask), -torch.inf)


@misconception("bloom_bias")
def padding_allowed(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """Your queries may look at padding. Both masks have to say yes."""
    mask = causal_mask(num_queries, attention_mask.shape[1])
    return alibi_bias(slopes, attention_mask).masked_fill(~mask, -torch.inf)


@misconception("bloom_bias")
def either_mask_suffices(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """You let a query look where one of the two masks allows it. Both have to: "and", not "or"."""
    mask = causal_mask(num_queries, attention_mask.shape[1]) | padding_mask(attention_mask)
    return alibi_bias(slopes, attention_mask).masked_fill(~mask, -torch.inf)


@misconception("bloom_bias")
def queries_at_the_start(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """With fewer queries than keys, yours stand at the first positions. They are the last ones:
    those before them lie in the cache."""
    positions = torch.arange(attention_mask.shape[1])
    mask = (positions <= positions[:num_queries, None]) & padding_mask(attention_mask)
    return alibi_bias(slopes, attention_mask).masked_fill(~mask, -torch.inf)


@misconception("bloom_bias")
def a_query_for_each_key(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """You make a row for each key. There are `num_queries` rows."""
    mask = causal_mask(attention_mask.shape[1]) & padding_mask(attention_mask)
    return alibi_bias(slopes, attention_mask).masked_fill(~mask, -torch.inf)


@misconception("bloom_bias")
def only_the_newest_keys(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """You make columns for the new positions only. The queries look at all keys, those of earlier
    positions too: S columns."""
    mask = causal_mask(num_queries) & padding_mask(attention_mask)[..., -num_queries:]
    return alibi_bias(slopes, attention_mask)[..., -num_queries:].masked_fill(~mask, -torch.inf)


@misconception("bloom_bias")
def allowed_forbidden(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """You put -inf where a query may look, and the bias where it may not. In the masks, True means
    that it may."""
    mask = causal_mask(num_queries, attention_mask.shape[1]) & padding_mask(attention_mask)
    return alibi_bias(slopes, attention_mask).masked_fill(mask, -torch.inf)


@misconception("bloom_bias")
def very_low_instead_of_never(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """You use a large negative number. A query that may look at nothing would then look at
    everything a little: the task asks for -inf."""
    mask = causal_mask(num_queries, attention_mask.shape[1]) & padding_mask(attention_mask)
    return alibi_bias(slopes, attention_mask).masked_fill(~mask, -1e9)


@misconception("bloom_bias")
def lowest_instead_of_never(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """You use the lowest number that there is. It is a number all the same: a query that may look
    at nothing would look at everything alike. The task asks for -inf."""
    mask = causal_mask(num_queries, attention_mask.shape[1]) & padding_mask(attention_mask)
    bias = alibi_bias(slopes, attention_mask)
    return bias.masked_fill(~mask, torch.finfo(bias.dtype).min)


@misconception("bloom_bias")
def by_distance(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """You take away slope times distance. After the softmax it would be the same, but here the bias
    is what your `alibi_bias` gives: slope times the number of the key."""
    mask = causal_mask(num_queries, attention_mask.shape[1]) & padding_mask(attention_mask)
    numbers = alibi_bias(torch.ones_like(slopes), attention_mask)
    of_queries = numbers.transpose(-2, -1)[:, :, -num_queries:]
    bias = slopes[:, None, None] * (numbers - of_queries)
    return bias.masked_fill(~mask, -torch.inf)


@misconception("bloom_bias")
def zero_forbids(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """You multiply by the mask, so that forbidden keys get 0. A score plus 0 is the score: what do
    you have to add, so that a weight becomes 0?"""
    mask = causal_mask(num_queries, attention_mask.shape[1]) & padding_mask(attention_mask)
    return alibi_bias(slopes, attention_mask) * mask


@misconception("bloom_bias")
def zero_times_infinity(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """You multiply -inf by a mask of zeros and ones, and 0 times infinity is no number. Choose
    between two values instead: `masked_fill` or `torch.where`."""
    mask = causal_mask(num_queries, attention_mask.shape[1]) & padding_mask(attention_mask)
    return alibi_bias(slopes, attention_mask) + (~mask).to(slopes.dtype) * -torch.inf


@misconception("bloom_bias")
def mask_added_as_numbers(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """You add the mask itself, that is 0 or 1. Forbidden keys need -inf."""
    mask = causal_mask(num_queries, attention_mask.shape[1]) & padding_mask(attention_mask)
    return alibi_bias(slopes, attention_mask) + mask


@misconception("bloom_bias")
def only_the_masks(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """Allowed keys get 0 in your result. There should stand the bias of ALiBi."""
    mask = causal_mask(num_queries, attention_mask.shape[1]) & padding_mask(attention_mask)
    shape = (len(attention_mask), len(slopes), num_queries, attention_mask.shape[1])
    return torch.zeros(shape, dtype=slopes.dtype).masked_fill(~mask, -torch.inf)


@misconception("bloom_bias")
def padding_of_queries_forgotten(
    slopes: Tensor, num_queries: int, attention_mask: Tensor
) -> Tensor:
    """You hide the rows of padding instead of its columns. Nobody may look *at* padding: it is the
    keys that are hidden."""
    real = attention_mask.bool()[:, None, -num_queries:, None]
    mask = causal_mask(num_queries, attention_mask.shape[1]) & real
    return alibi_bias(slopes, attention_mask).masked_fill(~mask, -torch.inf)


@misconception("bloom_bias")
def blind_to_itself(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    """Your queries may not look at their own position. They may: only later ones are forbidden."""
    num_keys = attention_mask.shape[1]
    mask = torch.ones(num_keys, num_keys).tril(-1).bool()[-num_queries:]
    mask = mask & padding_mask(attention_mask)
    return alibi_bias(slopes, attention_mask).masked_fill(~mask, -torch.inf)
