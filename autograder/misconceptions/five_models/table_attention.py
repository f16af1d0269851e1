"""Wrong answers to the exercise `table_attention`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.misconceptions import misconception
from solutions.bloom import alibi_slopes
from solutions.chatglm import apply_rope_2d
from solutions.five_models import table_attention
from solutions.llama import apply_rope, rope_frequencies


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    return F.scaled_dot_product_attention(query, key, value, mask, enable_gqa=True)


def _turned(x: Tensor, position_ids: Tensor, theta: float = 10000.0) -> Tensor:
    return apply_rope(x, position_ids.unsqueeze(-1) * rope_frequencies(x.shape[-1], theta))


def _biased(distances: Tensor, slopes: Tensor, mask: Tensor | None) -> Tensor:
    bias = -slopes[:, None, None] * distances
    return bias if mask is None else bias.masked_fill(~mask, -torch.inf)


@misconception("table_attention")
def positions_without_effect(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """You attend without any positions. With this word, something has to be turned or taken off."""
    return _attend(query, key, value, mask)


@misconception("table_attention")
def values_turned_too(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """You turn the values, too. Only what is compared is turned: queries and keys."""
    if position == "RoPE":
        value = _turned(value, position_ids)
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def only_queries_turned(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """You turn the queries, and not the keys. Only if both are turned does their product depend on
    the distance."""
    if position == "RoPE":
        return _attend(_turned(query, position_ids), key, value, mask)
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def places_counted_anew(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """You count the positions 0, 1, 2 yourself. Take them from `position_ids`."""
    if position in ("RoPE", "ALiBi"):
        position_ids = torch.arange(query.shape[2])
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def two_dimensions_forgotten(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """For "RoPE (2-D)" you turn nothing. Both halves of a head are turned, each by its own
    positions."""
    if position == "RoPE (2-D)":
        position = "none"
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def frequencies_of_a_whole_head(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """In the 2-D form you take the frequencies of a whole head. Each half turns on its own: it
    needs those of a head of half the size."""
    if position == "RoPE (2-D)":
        frequencies = rope_frequencies(query.shape[-1])
        query = apply_rope_2d(query, position_ids, frequencies)
        key = apply_rope_2d(key, position_ids, frequencies)
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def slower_half_of_the_frequencies(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """In the 2-D form you take the first half of a whole head's frequencies. Those of a head of
    half the size are others: make them with `rope_frequencies`."""
    if position == "RoPE (2-D)":
        frequencies = rope_frequencies(query.shape[-1])[: query.shape[-1] // 4]
        query = apply_rope_2d(query, position_ids, frequencies)
        key = apply_rope_2d(key, position_ids, frequencies)
        return _attend(query, key, value, mask)
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def far_keys_preferred(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """Your ALiBi adds to the scores of far keys. It takes something off: the bias is never above
    0."""
    if position == "ALiBi":
        distances = -(position_ids - position_ids.unsqueeze(-1)).abs()
        bias = _biased(distances, alibi_slopes(query.shape[1]), mask)
        return _attend(query, key, value, bias)
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def keys_ahead_preferred(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """A key that lies ahead of its query gets something added. The distance is never below 0: take
    `abs`."""
    if position == "ALiBi":
        distances = position_ids.unsqueeze(-1) - position_ids
        bias = _biased(distances, alibi_slopes(query.shape[1]), mask)
        return _attend(query, key, value, bias)
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def index_of_the_key(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """You use the index of the key, as chapter 9 did. That is the same only where no key lies ahead
    of its query. Here one may: use the distance."""
    if position == "ALiBi":
        bias = _biased(-position_ids, alibi_slopes(query.shape[1]), mask)
        bias = bias.expand(query.shape[1], query.shape[2], key.shape[2])
        return _attend(query, key, value, bias)
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def alibi_forgets_the_mask(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """With ALiBi, hidden keys get into the result. The bias takes the place of the mask, so the
    mask has to be in it, as minus infinity."""
    if position == "ALiBi":
        mask = None
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def alibi_mask_inverted(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """With ALiBi, each position sees what it may not see. True in the mask means that it may look:
    minus infinity belongs where the mask is False."""
    if position == "ALiBi" and mask is not None:
        mask = ~mask
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def alibi_wants_a_mask(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """Your ALiBi stops where there is no mask. `mask` may be None: then the bias is all there
    is."""
    if position == "ALiBi":
        mask = torch.zeros(1).masked_fill(~mask, -torch.inf) == 0  # type: ignore[operator]
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def slopes_of_the_keys_heads(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """You make slopes for the heads of keys. Scores belong to heads of queries: each has a slope of
    its own."""
    if position == "ALiBi":
        share = query.shape[1] // key.shape[1]
        slopes = alibi_slopes(key.shape[1]).repeat_interleave(share)
        distances = (position_ids - position_ids.unsqueeze(-1)).abs()
        return _attend(query, key, value, _biased(distances, slopes, mask))
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def heads_shared_in_turn(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """Your query heads take the heads of keys in turn: 0, 1, 0, 1. Neighbours share: 0, 0, 1, 1."""
    share = query.shape[1] // key.shape[1]
    key, value = (x.repeat(1, share, 1, 1) for x in (key, value))
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def heads_not_shared_at_all(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """You attend as if there were as many heads of keys as of queries. `enable_gqa=True` lets heads
    share."""
    F.scaled_dot_product_attention(query, key, value, mask)
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def mask_of_attention_forgotten(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """You have not passed on `mask`, so that everybody sees everybody."""
    return table_attention(query, key, value, position, position_ids)


@misconception("table_attention")
def alibi_counts_anew(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """Your ALiBi counts the positions 0, 1, 2 itself. Distances are those of `position_ids`."""
    if position == "ALiBi":
        position_ids = torch.arange(query.shape[2])
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def keys_ahead_for_nothing(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """For a key that lies ahead you take nothing off. Its distance counts as well: take `abs`."""
    if position == "ALiBi":
        distances = (position_ids.unsqueeze(-1) - position_ids).clamp(min=0)
        bias = _biased(distances, alibi_slopes(query.shape[1]), mask)
        return _attend(query, key, value, bias)
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def bias_divided_too(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """You divide the bias by the square root of d. Only the product of query and key is; the bias
    is taken off after that."""
    if position == "ALiBi":
        distances = (position_ids - position_ids.unsqueeze(-1)).abs()
        slopes = alibi_slopes(query.shape[1]) / query.shape[-1] ** 0.5
        return _attend(query, key, value, _biased(distances, slopes, mask))
    return table_attention(query, key, value, position, position_ids, mask)


@misconception("table_attention")
def turned_for_every_word(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """You turn queries and keys where the word is not RoPE. Waves and learned positions are added
    at the entry; nothing is done for them here."""
    if position in ("none", "sinusoidal", "learned absolute"):
        position = "RoPE"
    return table_attention(query, key, value, position, position_ids, mask)
