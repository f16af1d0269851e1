"""Wrong answers to the exercise `elmo_embed`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import elmo


def keep_first(mixed: Tensor, lengths: Tensor) -> Tensor:
    """The vectors with zeros from each sentence's length on."""
    kept = torch.arange(mixed.shape[1]) < lengths.unsqueeze(-1)
    return mixed * kept.unsqueeze(-1)


@misconception("elmo_embed")
def marks_kept(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """The marks of the beginning and the end are still there. Only words should remain."""
    return keep_first(elmo.scalar_mix(layers, scores, gamma), num_words + 2)


@misconception("elmo_embed")
def nothing_set_to_zero(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """You cut off the first and the last position. Where a sentence is shorter than the longest
    one, that leaves the mark of its end, and what stands behind it."""
    return elmo.scalar_mix(layers, scores, gamma)[:, 1:-1]


@misconception("elmo_embed")
def end_mark_kept(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """One vector too many remains in the shorter sentences. At which position does the mark of the
    end stand, once the mark of the beginning is gone?"""
    return keep_first(elmo.scalar_mix(layers, scores, gamma)[:, 1:-1], num_words + 1)


@misconception("elmo_embed")
def only_the_end_mark_removed(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """Behind the mark of the end, your result still holds what stood in the layers. Everything
    behind the last word should be 0."""
    mixed = elmo.scalar_mix(layers, scores, gamma)[:, 1:-1]
    is_end = torch.arange(mixed.shape[1]) == num_words.unsqueeze(-1)
    return mixed * ~is_end.unsqueeze(-1)


@misconception("elmo_embed")
def beginning_mark_first(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """Your first vector is that of the mark of the beginning, and the last word is lost. In which
    position of the layers does the first word stand?"""
    return keep_first(elmo.scalar_mix(layers, scores, gamma)[:, :-2], num_words)


@misconception("elmo_embed")
def both_cut_from_the_front(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """Your first vector is that of the second word. How many positions stand before the first
    word?"""
    return keep_first(elmo.scalar_mix(layers, scores, gamma)[:, 2:], num_words)


@misconception("elmo_embed")
def marks_counted_as_words(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """You drop the last two words of each sentence. `num_words` counts words only, not the
    marks."""
    return keep_first(elmo.scalar_mix(layers, scores, gamma)[:, 1:-1], num_words - 2)


@misconception("elmo_embed")
def as_long_as_the_longest(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """Your result is only as long as the longest sentence. The layers may have room for more, and
    the result has the same room."""
    return elmo.elmo_embed(layers, num_words, scores, gamma)[:, : int(num_words.max())]


@misconception("elmo_embed")
def top_layer_only(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """You take the last layer alone. The layers should be mixed."""
    return keep_first(gamma * layers[-1][:, 1:-1], num_words)


@misconception("elmo_embed")
def words_set_to_zero(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """You set the words to 0 and keep what stands behind them. `masked_fill` fills where its mask
    is True: what does yours say there?"""
    mixed = elmo.scalar_mix(layers, scores, gamma)[:, 1:-1]
    is_word = torch.arange(mixed.shape[1]) < num_words.unsqueeze(-1)
    return mixed.masked_fill(is_word.unsqueeze(-1), 0.0)


@misconception("elmo_embed")
def counted_before_the_cut(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """Each sentence loses its last word: you count positions while the mark of the beginning still
    stands at 0. At which position does the first word stand when you count?"""
    mixed = elmo.scalar_mix(layers, scores, gamma)
    return keep_first(mixed, num_words)[:, 1:-1]


@misconception("elmo_embed")
def mask_longer_than_the_words(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """Your mask has a place for every position of the layers, marks included, but the marks are cut
    off already. How many positions are left after the cut?"""
    is_word = torch.arange(layers[0].shape[1]) < num_words.unsqueeze(-1)
    words = elmo.scalar_mix(layers, scores, gamma)[:, 1:-1]
    return words.masked_fill(~is_word.unsqueeze(-1), 0.0)


@misconception("elmo_embed")
def product_with_a_longer_mask(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """You multiply by a mask that is longer than what it multiplies, by two: the places of the two
    marks. Which tensor should tell how long the mask is?"""
    is_word = torch.arange(layers[0].shape[1]) < num_words.unsqueeze(-1)
    return elmo.scalar_mix(layers, scores, gamma)[:, 1:-1] * is_word.unsqueeze(-1)


@misconception("elmo_embed")
def longest_sentence_for_all(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """All sentences keep as many vectors as the longest one has words. Each sentence has its own
    number in `num_words`."""
    mixed = elmo.scalar_mix(layers, scores, gamma)[:, 1:-1]
    return keep_first(mixed, num_words.max().expand(len(num_words)))


@misconception("elmo_embed")
def only_mixed(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """You give back the mix as it is: marks, padding and all. Only words should remain."""
    return elmo.scalar_mix(layers, scores, gamma)


@misconception("elmo_embed")
def nothing_cut_off(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """Your result is longer than it should be by two: nothing is cut off for the two marks. And
    what is the vector at position 0?"""
    return keep_first(elmo.scalar_mix(layers, scores, gamma), num_words)


@misconception("elmo_embed")
def product_without_an_axis(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """Your mask has two axes and the vectors have three, and torch fits shapes together from the
    right. Which axis does the mask lack?"""
    words = elmo.scalar_mix(layers, scores, gamma)[:, 1:-1]
    return words * (torch.arange(words.shape[1]) < num_words.unsqueeze(-1))


@misconception("elmo_embed")
def fill_without_an_axis(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """The mask that you give `masked_fill` has two axes, (B, T), and what it fills has three. Where
    does the mask need one of length 1?"""
    words = elmo.scalar_mix(layers, scores, gamma)[:, 1:-1]
    return words.masked_fill(~(torch.arange(words.shape[1]) < num_words.unsqueeze(-1)), 0.0)


@misconception("elmo_embed")
def product_with_the_longest(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """You multiply by a mask that is as long as the longest sentence. The layers may have room for
    more: which shape says for how many words?"""
    words = elmo.scalar_mix(layers, scores, gamma)[:, 1:-1]
    is_word = torch.arange(int(num_words.max())) < num_words.unsqueeze(-1)
    return words * is_word.unsqueeze(-1)


@misconception("elmo_embed")
def fill_with_the_longest(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """Your mask is as long as the longest sentence, and the layers may have room for more words.
    Take the length of the mask from what it fills."""
    words = elmo.scalar_mix(layers, scores, gamma)[:, 1:-1]
    is_word = torch.arange(int(num_words.max())) < num_words.unsqueeze(-1)
    return words.masked_fill(~is_word.unsqueeze(-1), 0.0)
