"""Wrong answers to the exercise `decode`."""

from __future__ import annotations

from torch import Tensor

from autograder.misconceptions import misconception
from solutions import one_hot as reference


@misconception("decode")
def words_count_from_one(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your words are one place off: you count places from 1. Id 0 is the first entry, "<unk>"."""
    return [vocab[word_id - 1] for word_id in ids.tolist()]


@misconception("decode")
def unknown_left_out(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your result leaves id 0 out. It must have one word for each id: id 0 gives "<unk>"."""
    return reference.decode(ids[ids != 0], vocab)


@misconception("decode")
def joined_to_one_string(ids: Tensor, vocab: list[str]) -> str:  # the type is the mistake
    """Your result is one string. Give back a list with one word for each id; whoever wants a
    sentence can join it."""
    return " ".join(reference.decode(ids, vocab))


@misconception("decode")
def only_minus_one_refused(ids: Tensor, vocab: list[str]) -> list[str]:
    """You refuse the id -1, but not the other negative ids: Python reads `vocab[-2]` as the last
    entry but one. Refuse every id below 0."""
    words = []
    for word_id in ids.tolist():
        if word_id == -1:
            raise IndexError("There is no word with id -1.")
        words.append(vocab[word_id])
    return words


@misconception("decode")
def only_the_last_id_tested(ids: Tensor, vocab: list[str]) -> list[str]:
    """You test only the last of the ids. Look at where your test stands: it must run for each id,
    inside the loop."""
    words = [vocab[word_id] for word_id in ids.tolist()]
    if len(ids) and not 0 <= int(ids[-1]) < len(vocab):
        raise IndexError("An id is wrong.")
    return words


@misconception("decode")
def negative_ids_from_the_end(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your function accepts negative ids: Python reads `vocab[-1]` as the last entry, so a wrong id
    becomes a wrong word in silence. Raise an IndexError."""
    return [vocab[word_id] for word_id in ids.tolist()]


@misconception("decode")
def wrong_ids_become_unknown(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your function turns an id outside the vocabulary into "<unk>". A word may be unknown; an id
    that does not exist is a mistake in the program. Raise an IndexError."""
    return [vocab[i] if 0 <= i < len(vocab) else "<unk>" for i in ids.tolist()]


@misconception("decode")
def words_without_repeats(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your result names each word only once. Give one word for each id, repeats included."""
    return list(dict.fromkeys(reference.decode(ids, vocab)))


@misconception("decode")
def dictionary_asked_for_tensors(ids: Tensor, vocab: list[str]) -> list[str]:
    """You look up tensors in a dictionary. Going through a tensor gives small tensors, which are
    never equal to a key; `ids.tolist()` gives Python's own numbers."""
    word_of = dict(enumerate(vocab))
    return [word_of[word_id] for word_id in ids]


@misconception("decode")
def wrong_ids_raise_a_key_error(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your function raises a KeyError for a wrong id, as every dictionary does. The exception that
    is asked for is an IndexError."""
    word_of = dict(enumerate(vocab))
    return [word_of[word_id] for word_id in ids.tolist()]


@misconception("decode")
def least_of_no_ids(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your function fails when there are no ids: an empty tensor has no `min()`. A condition on all
    ids followed by `.any()` works for none, too; so does a test inside the loop."""
    if ids.min() < 0 or ids.max() >= len(vocab):
        raise IndexError("An id is wrong.")
    return [vocab[word_id] for word_id in ids.tolist()]


@misconception("decode")
def greatest_of_no_ids(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your function fails when there are no ids: an empty tensor has no `max()`. A condition on all
    ids followed by `.any()` works for none, too; so does a test inside the loop."""
    if ids.max() >= len(vocab) or ids.min() < 0:
        raise IndexError("An id is wrong.")
    return [vocab[word_id] for word_id in ids.tolist()]


@misconception("decode")
def all_ids_in_one_condition(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your `if` gets a whole tensor of answers, one for each id, and can't decide. Say whether
    `.any()` of them counts, or look at one id at a time."""
    if ids < 0 or ids >= len(vocab):
        raise IndexError("An id is wrong.")
    return [vocab[word_id] for word_id in ids.tolist()]
