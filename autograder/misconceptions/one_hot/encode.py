"""Wrong answers to the exercise `encode`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import one_hot as reference


@misconception("encode")
def unknown_words_raise(words: list[str], vocab: list[str]) -> Tensor:
    """Your function stops at a word that the vocabulary does not have. Text is full of such words:
    give them id 0, and go on."""
    word_to_id = {word: word_id for word_id, word in enumerate(vocab)}
    return torch.tensor([word_to_id[word] for word in words], dtype=torch.int64)


@misconception("encode")
def unknown_words_raise_in_index(words: list[str], vocab: list[str]) -> Tensor:
    """Your function stops at a word that the vocabulary does not have, because `list.index` raises
    an error there. Such words get id 0. (And `list.index` reads the list from its start for each
    word: in a large vocabulary that is very slow.)"""
    return torch.tensor([vocab.index(word) for word in words], dtype=torch.int64)


@misconception("encode")
def unknown_words_dropped(words: list[str], vocab: list[str]) -> Tensor:
    """Your result leaves the unknown words out. It must have one id for each word, or the places in
    the sentence no longer fit: an unknown word gets id 0."""
    return reference.encode([word for word in words if word in vocab], vocab)


@misconception("encode")
def unknown_is_minus_one(words: list[str], vocab: list[str]) -> Tensor:
    """Your unknown words get -1, which is no place in the vocabulary. They get the id of "<unk>",
    which is 0."""
    word_to_id = {word: word_id for word_id, word in enumerate(vocab)}
    return torch.tensor([word_to_id.get(word, -1) for word in words], dtype=torch.int64)


@misconception("encode")
def unknown_after_the_last(words: list[str], vocab: list[str]) -> Tensor:
    """Your unknown words get id V, one more than the last word's. The vocabulary already has an
    entry for them: "<unk>", id 0."""
    word_to_id = {word: word_id for word_id, word in enumerate(vocab)}
    return torch.tensor([word_to_id.get(word, len(vocab)) for word in words], dtype=torch.int64)


@misconception("encode")
def ids_count_from_one(words: list[str], vocab: list[str]) -> Tensor:
    """Your ids count from 1. A word's id is its place in the list, and the first place is 0."""
    return reference.encode(words, vocab) + 1


@misconception("encode")
def numbered_in_the_sentence(words: list[str], vocab: list[str]) -> Tensor:
    """You number the words in the order of the sentence. The id must come from the vocabulary, so
    that a word has the same id in every sentence."""
    order = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return torch.tensor([order[word] for word in words], dtype=torch.int64)


@misconception("encode")
def ids_as_floats(words: list[str], vocab: list[str]) -> Tensor:
    """Your ids are floating-point numbers. An id is a place in a list: ask for `dtype=torch.int64`
    when you make the tensor."""
    return reference.encode(words, vocab).to(torch.float32)


@misconception("encode")
def empty_sentence_as_floats(words: list[str], vocab: list[str]) -> Tensor:
    """Your result for an empty sentence is float32: with an empty list torch can't see that you
    mean integers. Name the dtype when you make the tensor."""
    return torch.tensor(reference.encode(words, vocab).tolist())


@misconception("encode")
def vocabulary_from_outside(words: list[str], vocab: list[str]) -> Tensor:
    """You look the words up in a vocabulary from outside the function. Build what you look them up
    in from the argument `vocab`, inside: each call may bring another vocabulary."""
    outside = ["<unk>", "flies", "like", "time", "an", "arrow", "fruit", "a", "banana"]
    return reference.encode(words, outside)


@misconception("encode")
def list_of_ids(words: list[str], vocab: list[str]) -> list[int]:  # the type is the mistake
    """Your result is a list of Python numbers. The ids should come as a torch tensor of type int64,
    so that the next functions can calculate with them."""
    ids: list[int] = reference.encode(words, vocab).tolist()
    return ids


@misconception("encode")
def array_of_ids(words: list[str], vocab: list[str]) -> np.ndarray:  # the type is the mistake
    """Your result is a NumPy array. In this course numbers live in torch tensors: make one with
    `torch.tensor`."""
    return np.array(reference.encode(words, vocab).tolist(), dtype=np.int64)
