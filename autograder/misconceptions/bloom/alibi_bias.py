"""Wrong answers to the exercise `alibi_bias`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception


def _numbers(attention_mask: Tensor) -> Tensor:
    """The number of each key among the real ones, and 0 for padding."""
    is_real = attention_mask.long()
    return (is_real.cumsum(-1) - 1) * is_real


@misconception("alibi_bias")
def padding_counted_too(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """You number all places, padding too. Behind padding on the left, the first real token has the
    number 0: count real tokens only."""
    numbers = torch.arange(attention_mask.shape[1]).expand(attention_mask.shape)
    return slopes[:, None, None] * numbers[:, None, None, :]


@misconception("alibi_bias")
def padding_numbered_but_hidden(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """You give padding the bias 0, but the real tokens behind it are numbered as if it counted.
    What adds up along a row of the mask, and only where there is a 1?"""
    numbers = torch.arange(attention_mask.shape[1]) * attention_mask.long()
    return slopes[:, None, None] * numbers[:, None, None, :]


@misconception("alibi_bias")
def padding_keeps_a_number(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """Your real tokens are right, but padding gets the number of the last real token before it, or
    -1. The task asks for 0 there."""
    numbers = attention_mask.long().cumsum(-1) - 1
    return slopes[:, None, None] * numbers[:, None, None, :]


@misconception("alibi_bias")
def padding_behind_keeps_a_number(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """Padding in front of the tokens gets 0 from you, but padding behind real tokens keeps the
    number of the last of them. All padding gets 0, wherever it stands."""
    numbers = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)
    return slopes[:, None, None] * numbers[:, None, None, :]


@misconception("alibi_bias")
def counted_from_one(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """You count the tokens from 1. The first real token has the number 0."""
    is_real = attention_mask.long()
    return slopes[:, None, None] * (is_real.cumsum(-1) * is_real)[:, None, None, :]


@misconception("alibi_bias")
def the_near_pays(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """Your bias falls from key to key, so the keys nearest to the query get the least. Of two keys
    the later one is nearer, and should get the larger number."""
    return -slopes[:, None, None] * _numbers(attention_mask)[:, None, None, :]


@misconception("alibi_bias")
def distance_to_the_last(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """You take away slope times the distance to the last token. After the softmax it would be the
    same, but here the bias is slope times the number of the key, counted from 0."""
    numbers = _numbers(attention_mask)
    last = numbers.amax(-1, keepdim=True)
    return slopes[:, None, None] * ((numbers - last) * attention_mask.long())[:, None, None, :]


@misconception("alibi_bias")
def whole_table(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """You build a table of distances, with a row for each query. By the number of the key one row
    serves all queries: the third axis has length 1."""
    numbers = _numbers(attention_mask)
    table = numbers[:, None, None, :] - numbers[:, None, :, None]
    return slopes[:, None, None] * table


@misconception("alibi_bias")
def query_axis_forgotten(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """Your bias has three axes. Scores have four, (B, H, T, S): the axis of the queries is missing,
    with length 1."""
    return slopes[:, None] * _numbers(attention_mask)[:, None, :]


@misconception("alibi_bias")
def heads_before_the_texts(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """The axis of the heads stands in front of that of the texts. The order is (B, H, 1, S)."""
    return slopes[:, None, None, None] * _numbers(attention_mask)[:, None, :]


@misconception("alibi_bias")
def axes_that_do_not_meet(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """You multiply slopes (H,) and numbers (B, S) as they are. Give each of them axes of length 1,
    so that torch can tell heads, texts and keys apart."""
    return (slopes * _numbers(attention_mask))[:, None, None]


@misconception("alibi_bias")
def only_the_first_text(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """You number the keys of the first text, and use that for all. Each text has padding of its
    own."""
    numbers = _numbers(attention_mask[:1]).expand(attention_mask.shape)
    return slopes[:, None, None] * numbers[:, None, None, :]


@misconception("alibi_bias")
def added_up_over_the_texts(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """You add up along the wrong axis, from text to text. The keys of one text lie along the last
    axis."""
    is_real = attention_mask.long()
    return slopes[:, None, None] * ((is_real.cumsum(0) - 1) * is_real)[:, None, None, :]


@misconception("alibi_bias")
def always_float32(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """Your result is float32 whatever comes in. It should have the dtype of the slopes: let torch
    find it in the product."""
    numbers = _numbers(attention_mask)[:, None, None, :].float()
    return (slopes[:, None, None].float() * numbers).float()


@misconception("alibi_bias")
def forbidden_for_padding(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """You put -inf at padding. Here padding gets 0; to hide it is the work of the next exercise."""
    bias = slopes[:, None, None] * _numbers(attention_mask)[:, None, None, :]
    return bias.masked_fill(~attention_mask.bool()[:, None, None, :], -torch.inf)


@misconception("alibi_bias")
def mask_taken_for_integers(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    """You subtract 1 from a mask that may be boolean, which torch refuses. Make integers of it
    first."""
    is_real = attention_mask
    numbers = is_real.cumsum(-1) - 1 + (is_real - 1)
    return slopes[:, None, None] * (numbers * is_real)[:, None, None, :]
