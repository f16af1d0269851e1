"""Wrong answers to the exercise `skipgram_pairs`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import word2vec


def _pairs(pairs: list[tuple[int, int]]) -> Tensor:
    return torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)


@misconception("skipgram_pairs")
def window_on_one_side(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Your pairs all have the context to the right of the centre. The window looks to both sides:
    begin the contexts before the centre, not after it."""
    ids, sizes = token_ids.tolist(), window_sizes.tolist()
    return _pairs(
        [(ids[t], ids[j]) for t in range(len(ids)) for j in range(t + 1, t + sizes[t] + 1)
         if j < len(ids)]
    )  # fmt: skip


@misconception("skipgram_pairs")
def window_size_as_total_width(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Your window reaches only half as far as it should. The window size is the distance to each
    side, not the width of both sides together."""
    return word2vec.skipgram_pairs(token_ids, window_sizes // 2)


@misconception("skipgram_pairs")
def right_end_left_out(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """On the right your window ends one word too early. The last number of a `range` or of a slice
    is not included; the word exactly `window_sizes[t]` positions away is a context."""
    ids, sizes = token_ids.tolist(), window_sizes.tolist()
    return _pairs(
        [(ids[t], ids[j]) for t in range(len(ids)) for j in range(t - sizes[t], t + sizes[t])
         if 0 <= j < len(ids) and j != t]
    )  # fmt: skip


@misconception("skipgram_pairs")
def centre_paired_with_itself(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Each centre is paired with its own position, too. A word is not its own context: leave out
    the position in the middle of the window."""
    ids, sizes = token_ids.tolist(), window_sizes.tolist()
    return _pairs(
        [(ids[t], ids[j]) for t in range(len(ids)) for j in range(t - sizes[t], t + sizes[t] + 1)
         if 0 <= j < len(ids)]
    )  # fmt: skip


@misconception("skipgram_pairs")
def same_word_left_out(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """You leave out contexts that are the same word as the centre. Only the centre's own position
    is left out: if the word stands a second time in its window, that is a pair like any other.
    Compare positions, not ids."""
    pairs = word2vec.skipgram_pairs(token_ids, window_sizes)
    return pairs[pairs[:, 0] != pairs[:, 1]]


@misconception("skipgram_pairs")
def columns_swapped(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Your two columns have changed places. Column 0 is the centre and column 1 the context, in
    the order of the centres."""
    return word2vec.skipgram_pairs(token_ids, window_sizes).flip(1)


@misconception("skipgram_pairs")
def window_of_the_context(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """You ask how far the context looks. The centre's own window size decides which words are its
    contexts: use the entry of `window_sizes` at the centre's position."""
    ids, sizes = token_ids.tolist(), window_sizes.tolist()
    return _pairs(
        [(ids[t], ids[j]) for t in range(len(ids)) for j in range(len(ids))
         if j != t and abs(t - j) <= sizes[j]]
    )  # fmt: skip


@misconception("skipgram_pairs")
def window_wraps_around(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """The first words of your text have the last words as contexts. A negative index counts from
    the end in Python: cut the window off where the text begins."""
    ids, sizes = token_ids.tolist(), window_sizes.tolist()
    return _pairs(
        [(ids[t], ids[j]) for t in range(len(ids)) for j in range(t - sizes[t], t + sizes[t] + 1)
         if -len(ids) <= j < len(ids) and j != t]
    )  # fmt: skip


@misconception("skipgram_pairs")
def positions_instead_of_words(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Your pairs hold positions in the text. Look up which word stands at each position: the pairs
    are pairs of word ids."""
    return word2vec.skipgram_pairs(torch.arange(len(token_ids)), window_sizes)


@misconception("skipgram_pairs")
def slice_with_negative_start(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Near the beginning of the text your centres lose their left contexts. A slice that starts
    below 0 counts from the end of the text and comes out empty: let it start at 0 at the
    lowest."""
    ids, pairs = token_ids.tolist(), []
    for t, size in enumerate(window_sizes.tolist()):
        pairs += [(ids[t], word) for word in ids[t - size : t] + ids[t + 1 : t + size + 1]]
    return _pairs(pairs)


@misconception("skipgram_pairs")
def contexts_by_distance(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Your pairs are the right ones in another order: the nearest context comes first. The
    docstring orders the contexts of a centre by their position in the text, from left to
    right."""
    ids, pairs = token_ids.tolist(), []
    for t, size in enumerate(window_sizes.tolist()):
        for distance in range(1, size + 1):
            pairs += [(ids[t], ids[j]) for j in (t - distance, t + distance) if 0 <= j < len(ids)]
    return _pairs(pairs)


@misconception("skipgram_pairs")
def duplicate_pairs_removed(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """A pair that occurs twice in the text stands only once in your result. How often two words
    stand together is what the vectors learn from: keep every pair."""
    pairs = word2vec.skipgram_pairs(token_ids, window_sizes).tolist()
    return _pairs(list(dict.fromkeys((center, context) for center, context in pairs)))


@misconception("skipgram_pairs")
def lengths_not_compared(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """You go on when the text and the window sizes differ in length. Each position needs its own
    window size: compare the lengths first, and raise what the docstring says."""
    shorter = min(len(token_ids), len(window_sizes))
    ids, pairs = token_ids.tolist(), []
    for t, size in enumerate(window_sizes[:shorter].tolist()):
        first, last = max(0, t - size), min(len(ids) - 1, t + size)
        pairs += [(ids[t], ids[j]) for j in range(first, last + 1) if j != t]
    return _pairs(pairs)


@misconception("skipgram_pairs")
def too_many_window_sizes_accepted(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """You refuse too few window sizes, but too many of them go through. The two lengths must be
    equal."""
    if len(window_sizes) > len(token_ids):
        window_sizes = window_sizes[: len(token_ids)]
    return word2vec.skipgram_pairs(token_ids, window_sizes)
