"""Wrong answers to the exercise `attention_weights`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from autograder.misconceptions.attention import masked, scores_of, weights_of
from solutions import attention


@misconception("attention_weights")
def no_scale(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Your weights are too far apart: the products are not divided by anything. See what stands
    below the product in the formula."""
    return weights_of(query @ key.transpose(-2, -1), mask)


@misconception("attention_weights")
def divided_by_d(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Your weights are too close together: you divide by d. The standard deviation of the products
    grows more slowly than that: look at the formula once more."""
    return weights_of(query @ key.transpose(-2, -1) / query.shape[-1], mask)


@misconception("attention_weights")
def multiplied_by_the_root(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Your weights are much too far apart: you multiply by the square root of d. It stands below
    the fraction's line, to keep the scores small."""
    return weights_of(query @ key.transpose(-2, -1) * query.shape[-1] ** 0.5, mask)


@misconception("attention_weights")
def root_of_the_number_of_keys(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """You divide by the square root of the number of keys. A product is a sum of d terms, and d is
    the length of a query: look at which axis that is."""
    return weights_of(query @ key.transpose(-2, -1) / key.shape[-2] ** 0.5, mask)


@misconception("attention_weights")
def root_of_the_number_of_queries(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """You divide by the square root of the number of queries. What is wanted is d, the length of
    one query: look at which axis of the shape that is."""
    return weights_of(query @ key.transpose(-2, -1) / query.shape[-2] ** 0.5, mask)


@misconception("attention_weights")
def d_from_the_second_axis(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """You take d from the second axis, as `query.shape[1]` or `len(query[0])` do. With a batch or
    heads in front, the second axis is another one: d is the length of the last."""
    return weights_of(query @ key.transpose(-2, -1) / query.shape[1] ** 0.5, mask)


@misconception("attention_weights")
def scaled_after_the_softmax(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Your rows sum to 1 over the square root of d. The scores are scaled, and not the
    probabilities: divide before the softmax."""
    return weights_of(query @ key.transpose(-2, -1), mask) / query.shape[-1] ** 0.5


@misconception("attention_weights")
def summed_over_the_queries(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """In your result each key shares itself out among the queries. It is each query that shares its
    attention out among the keys: along which axis should the weights sum to 1?"""
    return attention.softmax(masked(scores_of(query, key), mask), -2)


@misconception("attention_weights")
def keys_ask_queries(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Your result has a row for each key and a column for each query. Queries are the rows: look at
    which of the two you transpose."""
    return weights_of(scores_of(key, query), mask)


@misconception("attention_weights")
def all_axes_transposed(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """`.T` turns round all axes of a tensor, also those of batch and heads. Swap the last two axes
    only."""
    turned = key.permute(*reversed(range(key.ndim)))  # what `key.T` does
    return weights_of(query @ turned / query.shape[-1] ** 0.5, mask)


@misconception("attention_weights")
def mask_forgotten(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Keys that a query may not see get weight. You have not used `mask`."""
    return weights_of(scores_of(query, key))


@misconception("attention_weights")
def mask_inverted(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Your queries attend to just the keys that they may not see. True in `mask` means that a query
    may look."""
    return weights_of(scores_of(query, key), None if mask is None else ~mask)


@misconception("attention_weights")
def mask_multiplied_into_the_scores(
    query: Tensor, key: Tensor, mask: Tensor | None = None
) -> Tensor:
    """You give masked keys the score 0. That is a score like any other, and its exponential is 1: a
    masked key needs a score whose exponential is 0."""
    scores = scores_of(query, key)
    return attention.softmax(scores if mask is None else scores * mask)


@misconception("attention_weights")
def mask_added_as_a_number(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """You add the mask to the scores, so that True counts as 1 and False as 0. It should decide
    which scores take part at all."""
    scores = scores_of(query, key)
    return attention.softmax(scores if mask is None else scores + mask)


@misconception("attention_weights")
def mask_after_the_softmax(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Your rows sum to less than 1: you take the masked weights out when all has been shared out
    already. Mask the scores, before the softmax."""
    weights = weights_of(scores_of(query, key))
    return weights if mask is None else weights * mask


@misconception("attention_weights")
def divided_again_after_the_mask(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """You mask the probabilities and divide once more by their sum. If a masked key has by far the
    largest score, the other probabilities have vanished by then: mask the scores, before the
    softmax."""
    weights = weights_of(scores_of(query, key))
    if mask is None:
        return weights
    weights = weights * mask
    total = weights.sum(-1, keepdim=True)
    return weights / torch.where(total == 0, torch.ones_like(total), total)


@misconception("attention_weights")
def masked_row_is_nan(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """A query that may attend to no key gets NaN. The docstring says what it gets. Does the softmax
    that you call give zeros there? Torch's does not; that of the first exercise should."""
    return torch.softmax(masked(scores_of(query, key), mask), -1)


@misconception("attention_weights")
def masked_row_is_uniform(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """A query that may attend to no key attends to all of them equally in your result: a score of
    -1e9, given to all keys, forbids nothing, since a softmax sees differences only. Use -inf."""
    return torch.softmax(masked(scores_of(query, key), mask, -1e9), -1)


@misconception("attention_weights")
def ten_thousand_subtracted(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """A query that may attend to no key gets weights as if nothing were masked: you lower all of
    its scores by the same amount, and a softmax sees differences only. Use -inf."""
    scores = scores_of(query, key)
    return torch.softmax(scores if mask is None else scores - 1e4 * ~mask, -1)


@misconception("attention_weights")
def masked_row_has_nan_gradient(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Your weights are right, but a query that may attend to no key makes the gradients NaN.
    Replacing NaN by 0 at the end does not help the way back: see that no NaN arises, as in your
    softmax."""
    scores = scores_of(query, key)
    if mask is not None:
        scores = scores + masked(torch.zeros(mask.shape, dtype=scores.dtype), mask)
    return torch.softmax(scores, -1).nan_to_num(0.0)
