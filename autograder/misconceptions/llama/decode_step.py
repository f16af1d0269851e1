"""Wrong answers to the exercise `decode_step`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from autograder.misconceptions.llama import Pair, Weights, block
from solutions import llama
from solutions.attention import causal_mask, padding_mask


def _step(
    mistake: str,
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None,
    eps: float,
) -> tuple[Tensor, Any]:
    """The step of the reference, with one mistake."""
    time, start = x.shape[1], past[0][0].shape[2] if past else 0
    if mistake == "number of blocks":
        start = len(past or [])
    first = 0 if mistake == "positions from 0" else start + (mistake == "positions from 1")
    if mistake == "padding not counted" and attention_mask is not None:
        first -= int((attention_mask == 0).sum(1).max())
    positions = torch.arange(first, first + time)
    if mistake == "real tokens only" and attention_mask is not None:
        counted = (attention_mask.cumsum(1) - 1).clamp(min=0)[:, -time:]
        positions = counted.unsqueeze(1)  # (B, 1, T)
    angles = positions.unsqueeze(-1) * frequencies
    mask = causal_mask(time, start + time)
    if mistake == "own mask":
        mask = torch.ones(time, start + time).tril().bool()
    if mistake == "one too wide":
        mask = torch.ones(time, start + time).tril(start + 1).bool()
    if mistake == "square mask":
        mask = causal_mask(time)
    if mistake == "no causal mask":
        mask = torch.ones_like(mask)
    if mistake == "only the past":
        mask = mask.tril(start - 1)
    if attention_mask is not None and mistake != "padding seen":
        real = padding_mask(attention_mask)
        if mistake == "padding of new ones":
            real = real.clone()
            real[..., :start] = True
        if mistake == "mask of queries":
            real = attention_mask.bool()[:, None, -time:, None]
        if mistake == "mask without axes":
            real = attention_mask.bool()
        if mistake == "or":
            mask = mask | real
        else:
            mask = real.expand(-1, 1, time, -1) if mistake == "either mask" else mask & real
    longer: list[Any] = []
    given = x
    for number, weights in enumerate(layers):
        pair = past[0 if mistake == "first block's" else number] if past else None
        if mistake == "past not used":
            pair = None
            mask = mask[..., -time:]
        came = given if mistake == "blocks side by side" else x
        own_eps = 1e-6 if mistake == "eps" else eps
        # As students write the block: an exception has the text that theirs has.
        x, kept = block("", came, weights, angles, mask, pair, own_eps)
        if mistake == "only new ones kept":
            kept = (kept[0][:, :, -time:], kept[1][:, :, -time:])
        if mistake == "empty list" and not past:
            continue
        if past is not None or mistake == "always kept":
            longer.append(kept)
    if mistake == "last pair":
        return x, longer[-1] if longer else longer
    if mistake == "last position":
        return x[:, -1:], longer
    if mistake == "normed at the end":
        return llama.rms_norm(x, torch.ones(x.shape[-1], dtype=x.dtype), eps), longer
    return x, longer


@misconception("decode_step")
def positions_start_again(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your new positions count from 0 again. They come after those in `past`:
    how many are there?"""
    return _step("positions from 0", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def positions_from_one(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your positions are one too far. The first one of a text is 0, and the first new one is as
    many as there are in `past`."""
    return _step("positions from 1", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def padding_not_counted(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You leave the padding out when you count positions. The docstring counts through all that is
    there."""
    return _step("padding not counted", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def mask_for_new_ones_only(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your causal mask has a column for each new position only. Those of the past need one, too:
    `causal_mask` takes the number of keys."""
    return _step("square mask", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def future_seen(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your new positions see later ones. As soon as there are several, each may see itself and
    earlier ones only."""
    return _step("no causal mask", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def causal_mask_lost(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """With an `attention_mask` your new positions see later ones: you use one mask in place of the
    other. Both have to agree: `&`."""
    return _step("either mask", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def padding_seen(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your positions attend to padding. `attention_mask` says what is real."""
    return _step("padding seen", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def padding_of_the_past_seen(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You mask the padding among the new positions, but not that of the past."""
    return _step("padding of new ones", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def past_not_used(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your blocks don't get what was kept: hand `past[number]` on to the block of that number."""
    return _step("past not used", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def all_blocks_get_the_first_past(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You hand the same pair to each block. Each block has its own keys and values."""
    return _step("first block's", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def blocks_side_by_side(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Each of your blocks reads `x` as it came in. A block reads what the one before it gave."""
    return _step("blocks side by side", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def only_the_last_pair_returned(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You give back the pair of the last block only. Wanted is a list with one pair for each
    block."""
    return _step("last pair", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def only_new_ones_kept(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You keep the keys and values of the new positions only. The next step needs all of them."""
    return _step("only new ones kept", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def kept_unasked(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You keep keys and values though `past` is None. Then the list is to be empty."""
    return _step("always kept", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def only_the_last_position_returned(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You give back the last position only. Wanted are all new ones."""
    return _step("last position", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def normed_at_the_end(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You norm the result. The norm after the last block belongs to the model, not to this
    function."""
    return _step("normed at the end", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def eps_forgotten(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your blocks use an eps of their own. Hand the argument `eps` on to them."""
    return _step("eps", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def nothing_kept_for_an_empty_list(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You keep nothing where `past` is an empty list. Empty means: nothing yet, but keep what
    you compute. Only with None nothing is kept; both count as false in an `if`."""
    return _step("empty list", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def positions_counted_by_blocks(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You take the length of `past` for the number of earlier positions. That is the number of
    blocks: positions are an axis of the keys in it."""
    return _step("number of blocks", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def mask_without_its_offset(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your causal mask lets the first new position see the first old one only. It sees all old
    ones and itself: `causal_mask` takes the number of keys, too."""
    return _step("own mask", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def mask_one_too_wide(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your mask is one too wide: each position sees the one after it, too."""
    return _step("one too wide", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def either_mask_is_enough(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You join the two masks with `|`, so one of them is enough. Both have to agree: `&`."""
    return _step("or", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def padded_queries_masked(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You mask rows where columns are meant: it is nobody who may see the padding, and not the
    padding that may see nobody. `padding_mask` gives the right shape."""
    return _step("mask of queries", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def attention_mask_without_axes(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """The shape (B, S) of `attention_mask` does not go with (T, S). `padding_mask` of chapter 4
    gives it the axes for heads and queries."""
    return _step("mask without axes", x, layers, past, frequencies, attention_mask, eps)


@misconception("decode_step")
def positions_of_real_tokens(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You count the real tokens only, so that each text has positions of its own. The docstring
    counts through all that is there, padding too."""
    return _step("real tokens only", x, layers, past, frequencies, attention_mask, eps)
