"""Wrong answers to the exercise `build_vocab`."""

from __future__ import annotations

from collections import Counter

from autograder.misconceptions import misconception
from solutions import one_hot as reference


def _cut(words: list[str], max_size: int | None) -> list[str]:
    """The vocabulary from its words in their order; the limit is kept, and refused, as it should
    be."""
    if max_size is not None and max_size < 1:
        raise ValueError(f"max_size is {max_size}.")
    return ["<unk>", *words][:max_size]


@misconception("build_vocab")
def first_appearance_order(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your words stand in the order of their first appearance. That order decides only between
    words that occur equally often; the more frequent word comes first."""
    counts = Counter(token for token in tokens if token != "<unk>")
    return _cut([word for word in counts if counts[word] >= min_count], max_size)


@misconception("build_vocab")
def alphabetical_order(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your words stand in alphabetical order. The vocabulary is ordered by how often a word
    occurs, the most frequent first."""
    return _cut(sorted(reference.build_vocab(tokens, min_count)[1:]), max_size)


@misconception("build_vocab")
def ties_in_alphabetical_order(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your words with equal counts stand in alphabetical order. They should stand in the order of
    their first appearance in the text; look at what your sort compares after the count."""
    counts = Counter(tokens)
    words = sorted(reference.build_vocab(tokens, min_count)[1:], key=lambda w: (-counts[w], w))
    return _cut(words, max_size)


@misconception("build_vocab")
def ties_latest_first(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your words with equal counts stand in reverse order: the one that appeared last comes first.
    This happens when a list sorted upwards is turned round, because the ties turn round too."""
    counts = Counter(token for token in tokens if token != "<unk>")
    words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: counts[w])
    return _cut(words[::-1], max_size)


@misconception("build_vocab")
def rarest_first(tokens: list[str], min_count: int = 1, max_size: int | None = None) -> list[str]:
    """Your rarest words come first. Sort by falling frequency: the word with id 1 is the most
    frequent one."""
    counts = Counter(token for token in tokens if token != "<unk>")
    words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: counts[w])
    return _cut(words, max_size)


@misconception("build_vocab")
def no_unknown_entry(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your vocabulary has no entry "<unk>". It has to be at place 0: it is the id of every word
    that the vocabulary does not have."""
    return _cut(reference.build_vocab(tokens, min_count)[1:], max_size)[1:]


@misconception("build_vocab")
def unknown_at_the_end(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your "<unk>" is the last entry. It belongs at place 0, so that its id is the same for every
    vocabulary, however large."""
    return [*reference.build_vocab(tokens, min_count, max_size)[1:], "<unk>"]


@misconception("build_vocab")
def min_count_is_not_enough(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """You drop the words that occur exactly `min_count` times. "At least this many times" keeps
    them: look at your comparison."""
    return reference.build_vocab(tokens, min_count + 1, max_size)


@misconception("build_vocab")
def max_size_without_unknown(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your vocabulary has one entry too many when `max_size` is given: the limit counts "<unk>"
    too."""
    return reference.build_vocab(tokens, min_count, None if max_size is None else max_size + 1)


@misconception("build_vocab")
def unknown_twice(tokens: list[str], min_count: int = 1, max_size: int | None = None) -> list[str]:
    """Your vocabulary holds "<unk>" twice when the text itself has the token "<unk>". Two entries
    with the same name would need two ids: leave that token out when you count."""
    counts = Counter(tokens)
    return _cut([w for w, count in counts.most_common() if count >= min_count], max_size)


@misconception("build_vocab")
def unknown_takes_a_place(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your vocabulary is too short when the text has the token "<unk>" and `max_size` is given: you
    cut the list while that token is still in it. Leave it out first, then cut."""
    if max_size is not None and max_size < 1:
        raise ValueError(f"max_size is {max_size}.")
    frequent = Counter(tokens).most_common(None if max_size is None else max_size - 1)
    return ["<unk>", *(w for w, count in frequent if count >= min_count and w != "<unk>")]


@misconception("build_vocab")
def too_small_a_limit_accepted(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your function accepts a `max_size` below 1, although not even "<unk>" has room then. Raise a
    ValueError."""
    return reference.build_vocab(tokens, min_count)[:max_size]


@misconception("build_vocab")
def only_a_limit_of_zero_refused(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your function refuses a `max_size` of 0, but accepts a negative one, and a slice counts that
    from the end of the list. Refuse every limit below 1."""
    if max_size == 0:
        raise ValueError("max_size is 0.")
    return reference.build_vocab(tokens, min_count)[:max_size]


@misconception("build_vocab")
def limit_of_zero_taken_for_none(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your function takes a `max_size` of 0 for no limit. This happens with `if max_size:`, which
    is false for 0 as well as for None; compare with `is None`."""
    return reference.build_vocab(tokens, min_count, max_size or None)
