"""Wrong answers to the exercise `padding_mask`."""

from __future__ import annotations

from torch import Tensor

from autograder.misconceptions import misconception
from solutions import attention


@misconception("padding_mask")
def axes_for_heads_and_queries_missing(attention_mask: Tensor) -> Tensor:
    """Your mask has no axes for heads and queries. To broadcast to (B, H, T, S) the batch must come
    first and the keys last, with axes of length 1 between them."""
    return attention_mask.bool()


@misconception("padding_mask")
def axis_for_heads_missing(attention_mask: Tensor) -> Tensor:
    """Your mask has three axes. Against (B, H, T, S), axes are lined up from the right, and your
    batch would meet the heads: one more axis is needed."""
    return attention_mask.bool()[:, None, :]


@misconception("padding_mask")
def padding_asks_nothing(attention_mask: Tensor) -> Tensor:
    """Your mask hides the queries that are padding, and lets all others see the padding. It is as
    keys that the padding must be hidden: which axis are the keys?"""
    return attention_mask.bool()[:, None, :, None]


@misconception("padding_mask")
def batch_not_in_front(attention_mask: Tensor) -> Tensor:
    """You put both new axes in front, so that the batch stands where the queries should be. The
    batch comes first, and the keys last."""
    return attention_mask.bool()[None, None]


@misconception("padding_mask")
def new_axes_at_the_end(attention_mask: Tensor) -> Tensor:
    """You put both new axes at the end, so that the keys stand where the heads should be. The batch
    comes first, and the keys last."""
    return attention_mask.bool()[:, :, None, None]


@misconception("padding_mask")
def padding_is_true(attention_mask: Tensor) -> Tensor:
    """Your mask is True at the padding. In this course True means that a query may attend."""
    return ~attention.padding_mask(attention_mask)


@misconception("padding_mask")
def still_numbers(attention_mask: Tensor) -> Tensor:
    """Your mask consists of numbers, as they came. A mask in this course is boolean."""
    return attention_mask[:, None, None, :]


@misconception("padding_mask")
def pairs_of_real_tokens(attention_mask: Tensor) -> Tensor:
    """You make a square for each sentence, in which a padding sees nothing either. The mask should
    be the same for all queries, with an axis of length 1 in their place."""
    real = attention_mask.bool()
    return (real[:, :, None] & real[:, None, :])[:, None]


@misconception("padding_mask")
def subtracted_from_one(attention_mask: Tensor) -> Tensor:
    """You calculate with the mask as with numbers. It may be boolean already, for which torch has
    no minus: compare it, or convert it."""
    return ((1 - attention_mask) == 0)[:, None, None, :]


@misconception("padding_mask")
def one_row_for_the_batch(attention_mask: Tensor) -> Tensor:
    """You take the mask of the first sentence for the whole batch. Each sentence has its own
    padding."""
    return attention.padding_mask(attention_mask[:1]).expand(len(attention_mask), -1, -1, -1)
