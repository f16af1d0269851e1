"""Wrong answers to the exercise `bloom_attention`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from autograder.misconceptions.bloom import Attended, Past, finished, made
from autograder.misconceptions.bloom.split_fused_qkv import part_by_part
from solutions.attention import softmax
from solutions.bloom import bloom_attention

Weights = Mapping[str, Tensor]


def _attended(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, divisor: float, weights: Weights
) -> Attended:
    """The rest of the attention, from queries, keys and values on."""
    shares = softmax(query @ key.transpose(-2, -1) / divisor + bias)
    return finished(shares @ value, weights), (key, value)


@misconception("bloom_attention")
def bias_forgotten(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You don't use the bias. It is added to the scores, before the softmax."""
    query, key, value = made(x, weights, num_heads, past)
    return _attended(
        query, key, value, torch.zeros_like(bias[..., :1, :1]), query.shape[-1] ** 0.5, weights
    )


@misconception("bloom_attention")
def products_without_scale(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """Your products of queries and keys are not divided by anything. The square root of D / H is
    missing."""
    query, key, value = made(x, weights, num_heads, past)
    return _attended(query, key, value, bias, 1.0, weights)


@misconception("bloom_attention")
def products_scaled_by_the_whole_width(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You divide by the square root of D. A head works with vectors of D / H entries."""
    query, key, value = made(x, weights, num_heads, past)
    return _attended(query, key, value, bias, x.shape[-1] ** 0.5, weights)


@misconception("bloom_attention")
def products_scaled_by_the_fused_width(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You divide by the square root of 3 * D / H, the width of a head in the fused tensor. A query
    has a third of that: D / H entries."""
    query, key, value = made(x, weights, num_heads, past)
    return _attended(query, key, value, bias, (3 * query.shape[-1]) ** 0.5, weights)


@misconception("bloom_attention")
def softmax_over_the_queries(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """Your softmax runs along the queries. Each query shares its attention out among the keys,
    which lie along the last axis of the scores."""
    query, key, value = made(x, weights, num_heads, past)
    shares = softmax(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5 + bias, -2)
    return finished(shares @ value, weights), (key, value)


@misconception("bloom_attention")
def bias_scaled_too(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You add the bias first and divide then, so that the bias gets smaller too. Divide the
    products, then add the bias."""
    query, key, value = made(x, weights, num_heads, past)
    root = query.shape[-1] ** 0.5
    return _attended(query, key, value, bias / root, root, weights)


@misconception("bloom_attention")
def bias_subtracted(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You take the bias away from the scores. It is added: its sign is right already."""
    query, key, value = made(x, weights, num_heads, past)
    return _attended(query, key, value, -bias, query.shape[-1] ** 0.5, weights)


@misconception("bloom_attention")
def bias_on_the_weights(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You add the bias to the weights, after the softmax. Then they no longer sum to 1: it belongs
    to the scores."""
    query, key, value = made(x, weights, num_heads, past)
    shares = softmax(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5) + bias
    return finished(shares @ value, weights), (key, value)


@misconception("bloom_attention")
def cut_part_by_part(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You cut the fused tensor into all queries, all keys and all values. Use your
    `split_fused_qkv`: the heads come one after another."""
    fused = functional.linear(x, weights["qkv_weight"], weights["qkv_bias"])
    query, key, value = part_by_part(fused, num_heads)
    if past is not None:
        key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
    return _attended(query, key, value, bias, query.shape[-1] ** 0.5, weights)


@misconception("bloom_attention")
def qkv_bias_forgotten(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """The first map has a bias of its own, "qkv_bias", and you don't add it."""
    without = {**weights, "qkv_bias": torch.zeros_like(weights["qkv_bias"])}
    return bloom_attention(x, without, num_heads, bias, past)


@misconception("bloom_attention")
def last_bias_forgotten(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """The last map has a bias, "output_bias", and you don't add it."""
    without = {**weights, "output_bias": torch.zeros_like(weights["output_bias"])}
    return bloom_attention(x, without, num_heads, bias, past)


@misconception("bloom_attention")
def last_map_forgotten(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You put the heads together and stop there. The last map is missing."""
    query, key, value = made(x, weights, num_heads, past)
    heads = functional.scaled_dot_product_attention(query, key, value, bias)
    return heads.transpose(1, 2).flatten(-2), (key, value)


@misconception("bloom_attention")
def last_map_not_transposed(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You multiply by the last matrix as it is stored. Use it as `F.linear` does: x @ weight.T."""
    turned = {**weights, "output_weight": weights["output_weight"].T}
    return bloom_attention(x, turned, num_heads, bias, past)


@misconception("bloom_attention")
def first_map_not_transposed(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You multiply by "qkv_weight" as it is stored, (3 * D, D), and the shapes don't fit. Use it as
    `F.linear` does: x @ weight.T."""
    fused = x @ weights["qkv_weight"] + weights["qkv_bias"]
    return fused, (fused, fused)


@misconception("bloom_attention")
def heads_merged_in_one_go(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You reshape the heads straight to (B, T, D), which mixes different positions. Use your
    `merge_heads`."""
    query, key, value = made(x, weights, num_heads, past)
    heads = functional.scaled_dot_product_attention(query, key, value, bias).reshape(x.shape)
    output = functional.linear(heads, weights["output_weight"], weights["output_bias"])
    return output, (key, value)


@misconception("bloom_attention")
def blind_query_gets_nan(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """A position that may look at nothing gets NaN: a row of -inf only. Your own softmax of chapter
    4 gives zeros there."""
    query, key, value = made(x, weights, num_heads, past)
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5 + bias
    return finished(torch.softmax(scores, -1) @ value, weights), (key, value)


@misconception("bloom_attention")
def blind_query_sends_nan_back(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """Your outputs are right, but a position that may look at nothing makes the gradients NaN.
    Replacing NaN by 0 at the end does not help the way back: see that no NaN arises, as in your
    softmax of chapter 4."""
    query, key, value = made(x, weights, num_heads, past)
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5 + bias
    return finished(torch.softmax(scores, -1).nan_to_num(0.0) @ value, weights), (key, value)


@misconception("bloom_attention")
def past_ignored(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You don't use `past`. The queries look at earlier positions, too: put their keys and values
    in front of the new ones."""
    query, key, value = made(x, weights, num_heads, None)
    return _attended(query, key, value, bias[..., -key.shape[2] :], query.shape[-1] ** 0.5, weights)


@misconception("bloom_attention")
def past_behind_the_new(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You put the past behind the new positions. Earlier keys and values come first."""
    query, key, value = made(x, weights, num_heads, None)
    if past is not None:
        key, value = torch.cat([key, past[0]], 2), torch.cat([value, past[1]], 2)
    return _attended(query, key, value, bias, query.shape[-1] ** 0.5, weights)


@misconception("bloom_attention")
def past_of_keys_only(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You put the earlier keys in front, and not the earlier values. Each key needs its value."""
    query, key, value = made(x, weights, num_heads, None)
    if past is not None:
        key = torch.cat([past[0], key], 2)
    return _attended(query, key, value, bias, query.shape[-1] ** 0.5, weights)


@misconception("bloom_attention")
def past_along_the_heads(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You join past and new along the axis of the heads. The positions lie along axis 2."""
    query, key, value = made(x, weights, num_heads, None)
    if past is not None:
        key, value = torch.cat([past[0], key], 1), torch.cat([past[1], value], 1)
    return _attended(query, key, value, bias, query.shape[-1] ** 0.5, weights)


@misconception("bloom_attention")
def past_values_for_keys(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You have swapped the two parts of `past`. The first holds the keys, the second the values."""
    swapped = None if past is None else (past[1], past[0])
    return bloom_attention(x, weights, num_heads, bias, swapped)


@misconception("bloom_attention")
def past_keys_for_values(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You put the earlier keys in front of the new values, too. The earlier values are the second
    part of `past`."""
    doubled = None if past is None else (past[0], past[0])
    return bloom_attention(x, weights, num_heads, bias, doubled)


@misconception("bloom_attention")
def values_given_back_first(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You give back the values first and the keys second. The keys come first, as in `past`."""
    output, (key, value) = bloom_attention(x, weights, num_heads, bias, past)
    return output, (value, key)


@misconception("bloom_attention")
def only_new_ones_given_back(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Attended:
    """You give back the keys and values of the new positions only. The next call needs those of all
    positions."""
    output, (key, value) = bloom_attention(x, weights, num_heads, bias, past)
    time = x.shape[1]
    return output, (key[:, :, -time:], value[:, :, -time:])


@misconception("bloom_attention")
def only_the_output(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> Tensor:
    """You give back the output alone. Two things are asked for: the output, and the pair of keys
    and values."""
    return bloom_attention(x, weights, num_heads, bias, past)[0]


@misconception("bloom_attention")
def three_things(
    x: Tensor, weights: Weights, num_heads: int, bias: Tensor, past: Past = None
) -> tuple[Tensor, Tensor, Tensor]:
    """You give back output, keys and values side by side. Keys and values are a pair of their own:
    two things in all."""
    output, (key, value) = bloom_attention(x, weights, num_heads, bias, past)
    return output, key, value
