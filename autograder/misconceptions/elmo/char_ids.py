"""Wrong answers to the exercise `char_ids`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from autograder.misconceptions.elmo import spell
from solutions import elmo

MARKS = {"<S>": [256], "</S>": [257]}


def characters_of(word: str) -> list[int]:
    return MARKS.get(word) or list(word.encode())


def letters_counted_rows(words: Sequence[str], max_characters: int) -> list[list[int]]:
    """The rows of words that were cut before they were turned into bytes."""
    rows = []
    for word in words:
        characters = MARKS.get(word) or list(word[: max_characters - 2].encode())
        row = [258, *characters, 259]
        rows.append([one + 1 for one in row + [260] * (max_characters - len(row))])
    return rows


@misconception("char_ids")
def not_raised(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """Every number is too small by 1. Read the end of the task again: what does 0 stand for?"""
    return elmo.char_ids(words, max_characters) - 1


@misconception("char_ids")
def padding_not_raised(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """The characters are raised by 1, but the padding is not: it now has the number of another
    mark."""
    ids = elmo.char_ids(words, max_characters)
    return torch.where(ids == 261, 260, ids)


@misconception("char_ids")
def padded_with_zero(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """You fill the rows with 0. A padding character has a number of its own; 0 is kept for words
    that are padding as a whole."""
    ids = elmo.char_ids(words, max_characters)
    return torch.where(ids == 261, 0, ids)


@misconception("char_ids")
def end_mark_cut_off(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """A word that is too long has lost the mark of its end. Which part of it should give way, and
    how much room do the two marks take?"""
    rows = [[258, *characters_of(word), 259][:max_characters] for word in words]
    return spell(rows, max_characters)


@misconception("char_ids")
def code_points(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """Letters outside of English come out wrong: you took the number of the letter (`ord`). ELMo
    sees the bytes of the word's UTF-8 form, and such a letter has several."""
    rows = []
    for word in words:
        characters = MARKS.get(word) or [ord(letter) for letter in word]
        rows.append([258, *characters[: max_characters - 2], 259])
    return spell(rows, max_characters)


@misconception("char_ids")
def no_marks_around(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """The marks around the characters are missing. Which character does every row begin with?"""
    return spell([characters_of(word)[:max_characters] for word in words], max_characters)


@misconception("char_ids")
def sentence_marks_spelled(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """You spell "<S>" and "</S>" letter by letter, so the model could not tell them from words of
    the text. Each of them has one character of its own."""
    rows = [[258, *word.encode()[: max_characters - 2], 259] for word in words]
    return spell(rows, max_characters)


@misconception("char_ids")
def sentence_marks_bare(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """The words "<S>" and "</S>" lack the marks of a word. They have one character in place of
    their bytes; what stands around it is as for every word."""
    rows = [MARKS.get(word) or [258, *word.encode()[: max_characters - 2], 259] for word in words]
    return spell(rows, max_characters)


@misconception("char_ids")
def beginning_and_end_exchanged(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """ "<S>" and "</S>" have each other's number. The slash stands in the one that ends."""
    other = {"<S>": "</S>", "</S>": "<S>"}
    return elmo.char_ids([other.get(word, word) for word in words], max_characters)


@misconception("char_ids")
def lower_case(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """You turn capitals into small letters. ELMo reads words as they are written, so that it can
    tell Bill from bill."""
    rows = []
    for word in words:
        characters = MARKS.get(word) or list(word.lower().encode())
        rows.append([258, *characters[: max_characters - 2], 259])
    return spell(rows, max_characters)


@misconception("char_ids")
def only_whole_letters(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """You end a long word before a letter that does not fit as a whole. Bytes are cut, not
    letters: half of a letter may remain."""
    short = [word.encode()[: max_characters - 2].decode(errors="ignore") for word in words]
    return elmo.char_ids(short, max_characters)


@misconception("char_ids")
def no_columns(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """Without words there are no rows, but each row would still have its length: the shape should
    be (0, max_characters)."""
    ids = elmo.char_ids(words, max_characters)
    return ids if len(words) else ids.reshape(-1)


@misconception("char_ids")
def letters_counted(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """You shorten the word while it is letters, and a row gets too long: a letter may have several
    bytes. What is it that `max_characters` counts?"""
    rows = letters_counted_rows(words, max_characters)
    return torch.tensor(rows) if rows else spell(rows, max_characters)


@misconception("char_ids")
def letters_counted_then_reshaped(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """One of your rows is too long, so it can't be brought into shape: you shorten the word while
    it is letters, and a letter may have several bytes. When should it be cut?"""
    rows = letters_counted_rows(words, max_characters)
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, max_characters)


@misconception("char_ids")
def nothing_known_of_an_empty_list(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """Without words, torch sees an empty list, and can't know that whole numbers were meant nor how
    long a row would be. You have to say both."""
    return elmo.char_ids(words, max_characters) if len(words) else torch.tensor([]) + 1
