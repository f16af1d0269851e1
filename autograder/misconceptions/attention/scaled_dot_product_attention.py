"""Wrong answers to the exercise `scaled_dot_product_attention`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from autograder.misconceptions.attention import masked, scores_of, weights_of
from solutions import attention


@misconception("scaled_dot_product_attention")
def attention_without_scale(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Your weights are too far apart: the products are not divided by anything. Does your function
    use the weights of the last exercise?"""
    return weights_of(query @ key.transpose(-2, -1), mask) @ value


@misconception("scaled_dot_product_attention")
def attention_divided_by_d(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You divide the products by d and not by its square root, so that the weights are too equal.
    Does your function use the weights of the last exercise?"""
    return weights_of(query @ key.transpose(-2, -1) / query.shape[-1], mask) @ value


@misconception("scaled_dot_product_attention")
def scaled_by_the_values_size(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You scale by the length of a value. Values may have another length than queries and keys; the
    products are sums over the length of a query."""
    return weights_of(query @ key.transpose(-2, -1) / value.shape[-1] ** 0.5, mask) @ value


@misconception("scaled_dot_product_attention")
def values_taken_as_long_as_queries(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You make room for results as long as a query. A result is an average of values, and as long
    as they are."""
    out = torch.zeros_like(query)
    out[...] = attention.attention_weights(query, key, mask) @ value
    return out


@misconception("scaled_dot_product_attention")
def shared_out_among_the_queries(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Your weights sum to 1 over the queries. Each query should get an average of the values: over
    which axis do the weights of one query run?"""
    return attention.softmax(masked(scores_of(query, key), mask), -2) @ value


@misconception("scaled_dot_product_attention")
def weights_transposed(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You average with the weights transposed. Row t of the weights belongs to query t, and its
    entries to the values, one each."""
    return attention.attention_weights(query, key, mask).transpose(-2, -1) @ value


@misconception("scaled_dot_product_attention")
def keys_averaged(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """You average the keys. Keys decide the weights; what is averaged are the values."""
    return attention.attention_weights(query, key, mask) @ key


@misconception("scaled_dot_product_attention")
def weights_given_back(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You give back the weights. They are the way there: take the average of the values with
    them."""
    return attention.attention_weights(query, key, mask)


@misconception("scaled_dot_product_attention")
def attention_mask_forgotten(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Values that a query may not see get into its result. You have not passed on `mask`."""
    return attention.attention_weights(query, key) @ value


@misconception("scaled_dot_product_attention")
def attention_mask_inverted(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Each query gets the values that it may not see. True in `mask` means that a query may
    look."""
    return attention.attention_weights(query, key, None if mask is None else ~mask) @ value


@misconception("scaled_dot_product_attention")
def attention_mask_in_the_scores(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You give masked keys the score 0, whose exponential is 1, so that their values still take
    part. A masked key needs the score -inf."""
    scores = scores_of(query, key)
    return attention.softmax(scores if mask is None else scores * mask) @ value


@misconception("scaled_dot_product_attention")
def attention_mask_as_numbers(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You turn the mask into numbers, which are then added to the scores: True counts as 1, False
    as 0. A mask has to stay boolean."""
    scores = scores_of(query, key)
    return attention.softmax(scores if mask is None else scores + mask) @ value


@misconception("scaled_dot_product_attention")
def attention_masked_too_late(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Your results are too small where something is masked: the masked weights are taken out after
    the softmax, and the rest sums to less than 1. Mask the scores."""
    weights = weights_of(scores_of(query, key))
    return (weights if mask is None else weights * mask) @ value


@misconception("scaled_dot_product_attention")
def blind_query_gets_nan(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """A query that may attend to no key gets NaN. The docstring says what it gets; your own softmax
    does that already, torch's does not."""
    return torch.softmax(masked(scores_of(query, key), mask), -1) @ value


@misconception("scaled_dot_product_attention")
def blind_query_gets_the_mean(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """A query that may attend to no key gets the mean of all values: the same very low score for
    all keys forbids nothing, since a softmax sees differences only. Use -inf."""
    return torch.softmax(masked(scores_of(query, key), mask, -1e9), -1) @ value


@misconception("scaled_dot_product_attention")
def blind_query_has_nan_gradient(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Your results are right, but a query that may attend to no key makes the gradients NaN.
    Replacing NaN by 0 at the end does not help the way back: see that no NaN arises, as in your
    softmax."""
    scores = scores_of(query, key)
    if mask is not None:
        scores = scores + masked(torch.zeros(mask.shape, dtype=scores.dtype), mask)
    return torch.softmax(scores, -1).nan_to_num(0.0) @ value


@misconception("scaled_dot_product_attention")
def always_causal(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """You hide what comes later though nobody asked for it. What a query may see stands in `mask`;
    without one it sees everything."""
    causal = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
    return functional.scaled_dot_product_attention(
        query, key, value, causal if mask is None else mask & causal
    )
