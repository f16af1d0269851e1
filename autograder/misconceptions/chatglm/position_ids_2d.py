"""Wrong answers to the exercise `position_ids_2d`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import chatglm


def _positions(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The right answer in two parts, each (B, T)."""
    both = chatglm.position_ids_2d(prefix_lengths, mask_indices, length, padding_lengths)
    return both[:, 0], both[:, 1]


@misconception("position_ids_2d")
def goes_on_counting(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """Your first positions go on counting behind the prefix. All of these tokens have the first
    position of the mask token that they fill."""
    _, second = _positions(prefix_lengths, mask_indices, length, padding_lengths)
    padding = 0 if padding_lengths is None else padding_lengths.unsqueeze(1)
    first = (torch.arange(length) - padding).clamp(min=0).expand_as(second)
    return torch.stack([first, second], dim=1)


@misconception("position_ids_2d")
def end_of_the_prefix(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """You give the tokens behind the prefix the position at which the prefix ends. They belong
    where the mask token stands."""
    return chatglm.position_ids_2d(prefix_lengths, prefix_lengths, length, padding_lengths)


@misconception("position_ids_2d")
def last_of_the_prefix(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """You give the tokens behind the prefix the position of its last token. The mask token may
    stand further in front."""
    return chatglm.position_ids_2d(prefix_lengths, prefix_lengths - 1, length, padding_lengths)


@misconception("position_ids_2d")
def second_counts_from_0(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """Your second positions count from 0 behind the prefix. 0 is for the prefix itself: the first
    token behind it has 1."""
    first, second = _positions(prefix_lengths, mask_indices, length, padding_lengths)
    return torch.stack([first, (second - 1).clamp(min=0)], dim=1)


@misconception("position_ids_2d")
def second_negative_in_the_prefix(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """Your second positions fall below 0 in the prefix. There they are all 0."""
    first, _ = _positions(prefix_lengths, mask_indices, length, padding_lengths)
    second = torch.arange(length) - prefix_lengths.unsqueeze(1) + 1
    return torch.stack([first, second], dim=1)


@misconception("position_ids_2d")
def second_counts_all(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """Your second positions count all tokens from the beginning of the text. They are 0 in the
    prefix, and begin to count behind it."""
    first, _ = _positions(prefix_lengths, mask_indices, length, padding_lengths)
    return torch.stack([first, torch.arange(length).expand_as(first)], dim=1)


@misconception("position_ids_2d")
def padding_counted(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """You count the padding. The first real token has first position 0, however much padding
    stands in front of it."""
    return chatglm.position_ids_2d(prefix_lengths, mask_indices, length)


@misconception("position_ids_2d")
def padding_taken_from_the_prefix_alone(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """You take the padding away in the prefix, but not from the index of the mask token. That
    index counts the padding, too."""
    first, second = _positions(prefix_lengths, mask_indices, length, padding_lengths)
    if padding_lengths is not None:
        first = torch.where(second > 0, mask_indices.unsqueeze(1), first)
    return torch.stack([first, second], dim=1)


@misconception("position_ids_2d")
def negative_at_the_padding(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """Your first positions fall below 0 at the padding. Padding has 0 for both."""
    first, second = _positions(prefix_lengths, mask_indices, length, padding_lengths)
    if padding_lengths is not None:
        padding = padding_lengths.unsqueeze(1)
        place = torch.arange(length) - padding
        first = torch.where(torch.arange(length) < padding, place, first)
    return torch.stack([first, second], dim=1)


@misconception("position_ids_2d")
def stacked_in_front(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """Your two rows stand along the first axis. The batch comes first: (B, 2, T)."""
    return torch.stack(_positions(prefix_lengths, mask_indices, length, padding_lengths))


@misconception("position_ids_2d")
def stacked_at_the_end(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """Your two positions of a token stand side by side, in the last axis. The axis of the two
    comes before that of time: (B, 2, T)."""
    return torch.stack(_positions(prefix_lengths, mask_indices, length, padding_lengths), dim=-1)


@misconception("position_ids_2d")
def padding_demanded(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """You calculate with `padding_lengths` where it is None. None means that there is no padding:
    take care of that first."""
    padding = padding_lengths.unsqueeze(1)  # type: ignore[union-attr]
    index = torch.arange(length)
    first = torch.where(index < prefix_lengths.unsqueeze(1), index, mask_indices.unsqueeze(1))
    second = (index - prefix_lengths.unsqueeze(1) + 1).clamp(min=0)
    return torch.stack([(first - padding).clamp(min=0), second], dim=1)


@misconception("position_ids_2d")
def prefix_taken_without_the_padding(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """You take `prefix_lengths` for the number of the prefix's tokens. It is the place in the
    padded row at which the prefix ends, so it counts the padding."""
    longer = prefix_lengths if padding_lengths is None else prefix_lengths + padding_lengths
    return chatglm.position_ids_2d(longer, mask_indices, length, padding_lengths)


@misconception("position_ids_2d")
def first_counts_from_1(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """Your first positions count from 1, as the paper does. Here the first real token has 0."""
    first, second = _positions(prefix_lengths, mask_indices, length, padding_lengths)
    padding = 0 if padding_lengths is None else padding_lengths.unsqueeze(1)
    return torch.stack([first + (torch.arange(length) >= padding), second], dim=1)


@misconception("position_ids_2d")
def prefix_one_longer(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """The token at the place `prefix_lengths` still counts as prefix for you. It is the first one
    behind: the prefix is t < n."""
    return chatglm.position_ids_2d(prefix_lengths + 1, mask_indices, length, padding_lengths)


@misconception("position_ids_2d")
def never_beyond_the_mask(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """You let no first position go beyond that of the mask token. In the prefix the tokens behind
    the mask token go on counting: the place of the mask token is for those behind the prefix."""
    first, second = _positions(prefix_lengths, mask_indices, length, padding_lengths)
    padding = 0 if padding_lengths is None else padding_lengths.unsqueeze(1)
    return torch.stack([torch.minimum(first, mask_indices.unsqueeze(1) - padding), second], dim=1)
