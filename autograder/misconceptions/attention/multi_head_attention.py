"""Wrong answers to the exercise `multi_head_attention`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from autograder.misconceptions.attention import masked, project
from solutions import attention

Weights = Mapping[str, Tensor]


def _heads(
    x: Tensor, context: Tensor, weights: Weights, num_heads: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value of each head, (B, H, T, D / H) and twice (B, H, S, D / H)."""
    query, key, value = (
        attention.split_heads(project(name, source, weights), num_heads)
        for name, source in (("query", x), ("key", context), ("value", context))
    )
    return query, key, value


def _output(heads: Tensor, weights: Weights) -> Tensor:
    return project("output", attention.merge_heads(heads), weights)


def _scaled_by(
    divisor: float,
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None,
) -> Tensor:
    """Multi-head attention whose products are divided by `divisor`."""
    query, key, value = _heads(x, context, weights, num_heads)
    scores = masked(query @ key.transpose(-2, -1) / divisor, mask)
    return _output(attention.softmax(scores) @ value, weights)


@misconception("multi_head_attention")
def scaled_by_the_whole_width(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You divide the products by the square root of D. Each head works on pieces of D / H numbers:
    that is the d of its products."""
    return _scaled_by(x.shape[-1] ** 0.5, x, context, weights, num_heads, mask)


@misconception("multi_head_attention")
def heads_without_scale(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """The products of your heads are not divided by anything. Each head is an attention like that
    of the exercise before: use your own function."""
    return _scaled_by(1.0, x, context, weights, num_heads, mask)


@misconception("multi_head_attention")
def scaled_by_the_number_of_heads(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You divide the products by the square root of the number of heads. What counts is the length
    of a head's queries."""
    return _scaled_by(num_heads**0.5, x, context, weights, num_heads, mask)


@misconception("multi_head_attention")
def everything_from_x(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You take keys and values from `x`. The queries come from `x`, and what they look at from
    `context`."""
    return attention.multi_head_attention(x, x, weights, num_heads, mask)


@misconception("multi_head_attention")
def only_values_from_x(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Your keys come from `context` and your values from `x`. A weight says how much is taken from
    the position of its key: both come from `context`."""
    query, key, _ = _heads(x, context, weights, num_heads)
    value = attention.split_heads(project("value", x, weights), num_heads)
    return _output(attention.scaled_dot_product_attention(query, key, value, mask), weights)


@misconception("multi_head_attention")
def only_keys_from_x(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Your values come from `context` and your keys from `x`. A query is compared with the key of
    the position that it may take from: both come from `context`."""
    query, _, value = _heads(x, context, weights, num_heads)
    key = attention.split_heads(project("key", x, weights), num_heads)
    return _output(attention.scaled_dot_product_attention(query, key, value, mask), weights)


@misconception("multi_head_attention")
def context_asks_x(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You have swapped `x` and `context`: the positions of `context` ask those of `x`. The result
    has a row for each position of `x`."""
    return attention.multi_head_attention(context, x, weights, num_heads, mask)


@misconception("multi_head_attention")
def output_map_forgotten(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You put the heads together and stop there. What the heads found is mapped once more."""
    query, key, value = _heads(x, context, weights, num_heads)
    return attention.merge_heads(attention.scaled_dot_product_attention(query, key, value, mask))


@misconception("multi_head_attention")
def all_biases_forgotten(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You use the four matrices, and none of the biases. Where `weights` has a bias, it is
    added."""
    matrices = {name: weight for name, weight in weights.items() if name.endswith("_weight")}
    return attention.multi_head_attention(x, context, matrices, num_heads, mask)


@misconception("multi_head_attention")
def output_bias_forgotten(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """The output map may have a bias, too, and you don't add it."""
    rest = {name: weight for name, weight in weights.items() if name != "output_bias"}
    return attention.multi_head_attention(x, context, rest, num_heads, mask)


@misconception("multi_head_attention")
def biases_demanded(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You look a bias up that is not there. Each of the four may be missing: what does a mapping
    offer for looking up a name that may be absent?"""
    names = ("query_bias", "key_bias", "value_bias", "output_bias")
    biases = {name: weights[name] for name in names}
    return attention.multi_head_attention(x, context, {**weights, **biases}, num_heads, mask)


@misconception("multi_head_attention")
def biases_all_or_none(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You take it that there are either all four biases or none. Each of them may be missing for
    itself: ask for each."""
    if "query_bias" in weights:
        names = ("key_bias", "value_bias", "output_bias")
        given = {**weights, **{name: weights[name] for name in names}}
    else:
        given = {name: weight for name, weight in weights.items() if name.endswith("_weight")}
    return attention.multi_head_attention(x, context, given, num_heads, mask)


@misconception("multi_head_attention")
def weights_not_transposed(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You multiply by the matrices as they are stored. Here a matrix is used as `F.linear` does: x
    @ weight.T."""
    turned = {
        name: weight.T if name.endswith("_weight") else weight for name, weight in weights.items()
    }
    return attention.multi_head_attention(x, context, turned, num_heads, mask)


@misconception("multi_head_attention")
def output_weight_not_transposed(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Your queries, keys and values are right; the output matrix is not transposed. All four are
    used as `F.linear` does: x @ weight.T."""
    turned = {**weights, "output_weight": weights["output_weight"].T}
    return attention.multi_head_attention(x, context, turned, num_heads, mask)


@misconception("multi_head_attention")
def heads_merged_without_the_axis(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Your heads are right, but they are put together in the wrong order: numbers of different
    positions get into one vector. Use your `merge_heads`."""
    query, key, value = _heads(x, context, weights, num_heads)
    heads = attention.scaled_dot_product_attention(query, key, value, mask)
    return project("output", heads.reshape(x.shape), weights)


@misconception("multi_head_attention")
def heads_cut_across_positions(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You reshape straight to (B, H, T, D / H), which mixes numbers of different positions. Use
    your `split_heads`."""
    query, key, value = (
        project(name, source, weights).reshape(len(x), num_heads, source.shape[1], -1)
        for name, source in (("query", x), ("key", context), ("value", context))
    )
    heads = attention.scaled_dot_product_attention(query, key, value, mask)
    return project("output", heads.reshape(x.shape), weights)


@misconception("multi_head_attention")
def attention_between_heads(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You have left the axis of the heads behind that of time, so that the heads of one position
    attend to each other. Inside a head, positions attend to positions."""
    query, key, value = (part.transpose(1, 2) for part in _heads(x, context, weights, num_heads))
    heads = functional.scaled_dot_product_attention(query, key, value)
    return project("output", heads.flatten(-2), weights)


@misconception("multi_head_attention")
def one_big_head(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You attend with whole vectors. Each head has its own piece of them, and its own weights: cut
    queries, keys and values into `num_heads` pieces."""
    return attention.multi_head_attention(x, context, weights, 1, mask)


@misconception("multi_head_attention")
def heads_mask_forgotten(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Positions that are hidden get into the result. You have not passed on `mask`."""
    return attention.multi_head_attention(x, context, weights, num_heads)


@misconception("multi_head_attention")
def heads_mask_inverted(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Each position sees just what it may not see. True in `mask` means that a query may look."""
    inverted = None if mask is None else ~mask
    return attention.multi_head_attention(x, context, weights, num_heads, inverted)


@misconception("multi_head_attention")
def mask_given_one_more_axis(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """You add an axis to the mask. It broadcasts to (B, H, T, S) as it comes."""
    if mask is not None:
        mask = mask.unsqueeze(1)
    query, key, value = _heads(x, context, weights, num_heads)
    scores = masked(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, mask)
    return _output(attention.softmax(scores) @ value, weights)


@misconception("multi_head_attention")
def blind_position_gets_nan(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """A position that may attend to nothing gets NaN. Its heads find zeros, which are then mapped
    like anything else: use your own attention."""
    query, key, value = _heads(x, context, weights, num_heads)
    scores = masked(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, mask)
    return _output(torch.softmax(scores, -1) @ value, weights)


@misconception("multi_head_attention")
def blind_position_gets_the_mean(
    x: Tensor,
    context: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """A position that may attend to nothing gets the mean of all values: the same very low score
    for all keys forbids nothing. Use your own attention, in which it finds zeros."""
    query, key, value = _heads(x, context, weights, num_heads)
    scores = masked(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, mask, -1e9)
    return _output(torch.softmax(scores, -1) @ value, weights)
