"""Wrong answers to the exercise `next_sentence_pairs`."""

from __future__ import annotations

import itertools
import random
from typing import Any

from autograder.misconceptions import misconception
from solutions import bert

Pairs = list[tuple[str, str, int]]


def _others(documents: list[list[str]], number: int) -> list[str]:
    """The sentences of all documents but one."""
    return [s for other, document in enumerate(documents) if other != number for s in document]


def _refuse(documents: list[list[str]]) -> None:
    if sum(bool(document) for document in documents) < 2:
        raise ValueError("too few documents")


@misconception("next_sentence_pairs")
def last_sentence_too(documents: list[list[str]], seed: int) -> Pairs:
    """You make a pair of the last sentence of a document, too. Nothing follows it there."""
    _refuse(documents)
    draw = random.Random(seed)
    pairs: Pairs = []
    together = [(n, s) for n, document in enumerate(documents) for s in document]
    for (number, first), (_, following) in itertools.pairwise(together):
        if draw.random() < 0.5:
            pairs.append((first, following, 0))
        else:
            pairs.append((first, draw.choice(_others(documents, number)), 1))
    return pairs


@misconception("next_sentence_pairs")
def both_pairs(documents: list[list[str]], seed: int) -> Pairs:
    """You make two pairs of each sentence, a true and a random one. Each sentence gets one pair,
    and chance decides which."""
    _refuse(documents)
    draw = random.Random(seed)
    pairs: Pairs = []
    for number, document in enumerate(documents):
        for first, following in itertools.pairwise(document):
            pairs.append((first, following, 0))
            pairs.append((first, draw.choice(_others(documents, number)), 1))
    return pairs


@misconception("next_sentence_pairs")
def shuffled(documents: list[list[str]], seed: int) -> Pairs:
    """Your pairs are in another order. They stand in the order of the documents and of their
    sentences."""
    pairs = bert.next_sentence_pairs(documents, seed)
    random.Random(seed).shuffle(pairs)
    return pairs


@misconception("next_sentence_pairs")
def labels_exchanged(documents: list[list[str]], seed: int) -> Pairs:
    """Your labels are exchanged. As in the released code, 0 means "is next"."""
    return [(one, two, 1 - label) for one, two, label in bert.next_sentence_pairs(documents, seed)]


@misconception("next_sentence_pairs")
def from_any_document(documents: list[list[str]], seed: int) -> Pairs:
    """Some of your random sentences come from the same document as the first one. They have to come
    from another one."""
    _refuse(documents)
    draw = random.Random(seed)
    pairs: Pairs = []
    everything = [s for document in documents for s in document]
    for document in documents:
        for first, following in itertools.pairwise(document):
            if draw.random() < 0.5:
                pairs.append((first, following, 0))
            else:
                pairs.append((first, draw.choice(everything), 1))
    return pairs


@misconception("next_sentence_pairs")
def document_first(documents: list[list[str]], seed: int) -> Pairs:
    """You draw a document first and then one of its sentences, so that those of short documents
    come too often. All sentences of the other documents are equally likely."""
    _refuse(documents)
    draw = random.Random(seed)
    pairs: Pairs = []
    for number, document in enumerate(documents):
        others = [d for n, d in enumerate(documents) if n != number and d]
        for first, following in itertools.pairwise(document):
            if draw.random() < 0.5:
                pairs.append((first, following, 0))
            else:
                pairs.append((first, draw.choice(draw.choice(others)), 1))
    return pairs


@misconception("next_sentence_pairs")
def last_never_drawn(documents: list[list[str]], seed: int) -> Pairs:
    """Some sentences of the other documents are never drawn. Any of them may come, also the first
    and the last one of a document."""
    _refuse(documents)
    draw = random.Random(seed)
    pairs: Pairs = []
    for number, document in enumerate(documents):
        others = _others(documents, number)
        for first, following in itertools.pairwise(document):
            if draw.random() < 0.5:
                pairs.append((first, following, 0))
            else:
                pairs.append((first, others[int(draw.random() * max(len(others) - 1, 1))], 1))
    return pairs


@misconception("next_sentence_pairs")
def labels_take_turns(documents: list[list[str]], seed: int) -> Pairs:
    """Your labels take turns: one pair is true, the next one random. Let chance decide for each
    pair by itself."""
    _refuse(documents)
    draw = random.Random(seed)
    pairs: Pairs = []
    for number, document in enumerate(documents):
        for first, following in itertools.pairwise(document):
            if len(pairs) % 2 == 0:
                pairs.append((first, following, 0))
            else:
                pairs.append((first, draw.choice(_others(documents, number)), 1))
    return pairs


@misconception("next_sentence_pairs")
def started_anew_for_each_pair(documents: list[list[str]], seed: int) -> Pairs:
    """All your labels are the same, since the generator starts anew for each pair. Make it once,
    before the loop."""
    _refuse(documents)
    pairs = []
    for number, document in enumerate(documents):
        for first, following in itertools.pairwise(document):
            draw = random.Random(seed)
            if draw.random() < 0.5:
                pairs.append((first, following, 0))
            else:
                pairs.append((first, draw.choice(_others(documents, number)), 1))
    return pairs


@misconception("next_sentence_pairs")
def seed_forgotten(documents: list[list[str]], seed: int) -> Pairs:
    """The same seed gives you other pairs each time. Take every draw from a generator that starts
    with `seed`."""
    return bert.next_sentence_pairs(documents, random.randrange(2**31))


@misconception("next_sentence_pairs")
def seed_fixed(documents: list[list[str]], seed: int) -> Pairs:
    """Every seed gives you the same pairs. Hand `seed` on to your generator."""
    return bert.next_sentence_pairs(documents, 0)


@misconception("next_sentence_pairs")
def nothing_to_draw_from(documents: list[list[str]], seed: int) -> Pairs:
    """With a single document you get as far as drawing from an empty list. The docstring says which
    exception is asked for, before anything is drawn."""
    draw = random.Random(seed)
    pairs: Pairs = []
    for number, document in enumerate(documents):
        for first, following in itertools.pairwise(document):
            if draw.random() < 0.5:
                pairs.append((first, following, 0))
            else:
                pairs.append((first, draw.choice(_others(documents, number)), 1))
    return pairs


@misconception("next_sentence_pairs")
def empty_documents_count(documents: list[list[str]], seed: int) -> Pairs:
    """You count empty documents, too. Nothing can be drawn from them: at least two documents have
    to have a sentence."""
    if len(documents) < 2:
        raise ValueError("give two documents")
    return nothing_to_draw_from(documents, seed)


@misconception("next_sentence_pairs")
def started_anew_for_each_document(documents: list[list[str]], seed: int) -> Pairs:
    """Your generator starts anew for each document, so that all of them get the same labels. Make
    it once, before all loops."""
    _refuse(documents)
    pairs: Pairs = []
    for number, document in enumerate(documents):
        draw = random.Random(seed)
        for first, following in itertools.pairwise(document):
            if draw.random() < 0.5:
                pairs.append((first, following, 0))
            else:
                pairs.append((first, draw.choice(_others(documents, number)), 1))
    return pairs


@misconception("next_sentence_pairs")
def each_sentence_once(documents: list[list[str]], seed: int) -> Pairs:
    """A sentence that stands several times in the other documents comes too rarely in your result:
    it counts as often as it stands there."""
    _refuse(documents)
    draw = random.Random(seed)
    pairs: Pairs = []
    for number, document in enumerate(documents):
        others = sorted(set(_others(documents, number)))
        for first, following in itertools.pairwise(document):
            if draw.random() < 0.5:
                pairs.append((first, following, 0))
            else:
                pairs.append((first, draw.choice(others), 1))
    return pairs


@misconception("next_sentence_pairs")
def told_apart_by_their_text(documents: list[list[str]], seed: int) -> Pairs:
    """You leave out another document because its sentences are the same. It is another document all
    the same: go by its place in the list."""
    _refuse(documents)
    draw = random.Random(seed)
    pairs: Pairs = []
    for document in documents:
        others = [s for other in documents if other != document for s in other]
        for first, following in itertools.pairwise(document):
            if draw.random() < 0.5:
                pairs.append((first, following, 0))
            else:
                pairs.append((first, draw.choice(others), 1))
    return pairs


@misconception("next_sentence_pairs")
def exactly_half(documents: list[list[str]], seed: int) -> Pairs:
    """Exactly half of your pairs are random, whatever the seed. A coin for each pair gives half
    only on average."""
    _refuse(documents)
    draw = random.Random(seed)
    count = sum(max(len(document) - 1, 0) for document in documents)
    labels = [place % 2 for place in range(count)]
    draw.shuffle(labels)
    pairs: Pairs = []
    for number, document in enumerate(documents):
        for first, following in itertools.pairwise(document):
            if labels[len(pairs)] == 0:
                pairs.append((first, following, 0))
            else:
                pairs.append((first, draw.choice(_others(documents, number)), 1))
    return pairs


@misconception("next_sentence_pairs")
def without_putting_back(documents: list[list[str]], seed: int) -> Pairs:
    """A sentence that you have drawn does not come again until all the others have. Each draw is
    from all sentences of the other documents."""
    _refuse(documents)
    draw = random.Random(seed)
    pairs: Pairs = []
    for number, document in enumerate(documents):
        pool: list[str] = []
        for first, following in itertools.pairwise(document):
            if draw.random() < 0.5:
                pairs.append((first, following, 0))
                continue
            if not pool:
                pool = _others(documents, number)
                draw.shuffle(pool)
            pairs.append((first, pool.pop(), 1))
    return pairs


@misconception("next_sentence_pairs")
def pairs_as_lists(documents: list[list[str]], seed: int) -> Pairs:
    """Your pairs are lists. A triple is a tuple, in round brackets."""
    lists: Any = [list(pair) for pair in bert.next_sentence_pairs(documents, seed)]
    return lists
