"""Chapter 1, one-hot: from words to ids, from ids to vectors, and what such vectors can't do.

The vocabulary is a plain list of words. A word's id is its place in the list, and id 0 is kept for
words that the list does not have.
"""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor


def build_vocab(tokens: list[str], min_count: int = 1, max_size: int | None = None) -> list[str]:
    """Gives the vocabulary of a text: its words, the most frequent first.

    The first entry, id 0, is always "<unk>", which stands for every unknown word. After it come the
    words in the order of how often they occur. Words that occur equally often stand in the order of
    their first appearance in `tokens`. No word occurs twice, and that holds for "<unk>" too: tokens
    that already read "<unk>" are not counted.

    Args:
        tokens: the words of the text in their order; may be empty.
        min_count: a word is kept if it occurs at least this many times.
        max_size: how many entries the vocabulary has at most, "<unk>" included; the least frequent
            words are dropped. None: no limit.

    Returns:
        The vocabulary, a list of V strings. The id of a word is its place in the list.

    Raises:
        ValueError: `max_size` is less than 1, so that not even "<unk>" has room.

    Source:
        Equation (1.1) of the chapter.
    """
    if max_size is not None and max_size < 1:
        raise ValueError(
            f"max_size is {max_size}, but the vocabulary holds '<unk>': use 1 or more."
        )
    counts = Counter(token for token in tokens if token != "<unk>")
    # most_common keeps words with equal counts in the order in which they were first counted.
    words = [word for word, count in counts.most_common() if count >= min_count]
    return ["<unk>", *words][:max_size]


def encode(words: list[str], vocab: list[str]) -> Tensor:
    """Gives the id of each word.

    Args:
        words: T words; may be empty.
        vocab: the vocabulary, V different strings with "<unk>" at place 0, as `build_vocab` gives
            it.

    Returns:
        (T,) int64, the ids. A word that the vocabulary does not have gets id 0. With no words the
        result has shape (0,), and is int64 too.
    """
    word_to_id = {word: word_id for word_id, word in enumerate(vocab)}
    return torch.tensor([word_to_id.get(word, 0) for word in words], dtype=torch.int64)


def decode(ids: Tensor, vocab: list[str]) -> list[str]:
    """Gives the word of each id.

    Args:
        ids: (T,) int64, ids from 0 to V - 1; may be empty.
        vocab: the vocabulary, V strings.

    Returns:
        The T words, a list of strings. Id 0 gives "<unk>", whatever the word was before `encode`.

    Raises:
        IndexError: an id is negative, or is V or more.
    """
    words = []
    for word_id in ids.tolist():
        if not 0 <= word_id < len(vocab):
            raise IndexError(
                f"There is no word with id {word_id}: ids go from 0 to {len(vocab) - 1}."
            )
        words.append(vocab[word_id])
    return words


def one_hot(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Gives the one-hot vector of each id.

    Args:
        ids: (...) int64, ids from 0 to V - 1. Any shape: a single id (), a sentence (time,), a
            batch of sentences (batch, time), or one with no ids at all.
        vocab_size: V, the length of the vectors.
        dtype: the type of the result's numbers.

    Returns:
        (..., V) of type `dtype`: the shape of `ids` with one more axis at the end. A 1 at the place
        of the id, 0 everywhere else.

    Raises:
        IndexError: an id is negative, or is V or more.

    Source:
        Equation (1.2) of the chapter.
    """
    if ((ids < 0) | (ids >= vocab_size)).any():
        raise IndexError(
            f"Ids go from 0 to {vocab_size - 1}, but there are ids from {int(ids.min())} to "
            f"{int(ids.max())}."
        )
    places = torch.arange(vocab_size)  # (V,)
    return (ids.unsqueeze(-1) == places).to(dtype)  # (..., 1) == (V,) -> (..., V)


def cosine_similarity_matrix(vectors: Tensor) -> Tensor:
    """Gives the cosine similarity of every row with every row.

    Args:
        vectors: (n, D) floating point, one vector a row. n may be 0; the result is then (0, 0).

    Returns:
        (n, n), of the type of `vectors`. Entry (i, j) is the cosine of the angle between rows i and
        j. A row of zeros has no direction, so its similarity is 0 with every row, itself included.
        Any other row has one, as long as the squares of its entries are not all 0 in its type.

    Source:
        Equation (1.3) of the chapter; Salton, Wong and Yang (1975).
    """
    norms = vectors.norm(dim=1, keepdim=True)  # (n, 1)
    # A row of zeros stays a row of zeros whatever we divide it by, as long as that is not 0.
    unit = vectors / torch.where(norms == 0, torch.ones_like(norms), norms)  # (n, D)
    return unit @ unit.T  # (n, n)


def embed_by_matmul(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Gives the vector of each id as the product of its one-hot vector and the matrix Q.

    Gradients flow back to `embedding_matrix`.

    Args:
        ids: (...) int64, ids from 0 to V - 1, of any shape: a single id () and no ids (0,) too.
        embedding_matrix: (V, D) floating point, the matrix Q: row i is the vector of id i.

    Returns:
        (..., D), of the type of `embedding_matrix`.

    Raises:
        IndexError: an id is negative, or is V or more.

    Source:
        Equation (1.7) of the chapter.
    """
    vocab_size = embedding_matrix.shape[0]
    return one_hot(ids, vocab_size, embedding_matrix.dtype) @ embedding_matrix  # (..., V) (V, D)


def embed_by_lookup(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Gives the vector of each id by taking its row of the matrix Q; no one-hot vector is made.

    Gradients flow back to `embedding_matrix`: to the rows that were used, once for each use. Rows
    that no id asks for play no part: they may hold any number, infinity too.

    Args:
        ids: (...) int64, ids from 0 to V - 1, of any shape: a single id () and no ids (0,) too.
        embedding_matrix: (V, D) floating point, the matrix Q: row i is the vector of id i.

    Returns:
        (..., D), of the type of `embedding_matrix`.

    Raises:
        IndexError: an id is negative, or is V or more.

    Source:
        Equation (1.8) of the chapter.
    """
    vocab_size = embedding_matrix.shape[0]
    if ((ids < 0) | (ids >= vocab_size)).any():
        raise IndexError(
            f"Ids go from 0 to {vocab_size - 1}, but there are ids from {int(ids.min())} to "
            f"{int(ids.max())}."
        )
    return embedding_matrix[ids]


def bag_of_words(ids: Tensor, vocab_size: int) -> Tensor:
    """Gives how often each word of the vocabulary occurs in each text.

    Args:
        ids: (..., time) int64, ids from 0 to V - 1: one text along the last axis, any number of
            axes before it, or none. time may be 0.
        vocab_size: V.

    Returns:
        (..., V) float32: the time axis has become an axis over the vocabulary, and entry i counts
        how often id i occurs in the text. Id 0, the unknown word, is counted like any other.

    Raises:
        IndexError: an id is negative, or is V or more.

    Source:
        Equation (1.10) of the chapter.
    """
    if ((ids < 0) | (ids >= vocab_size)).any():
        raise IndexError(
            f"Ids go from 0 to {vocab_size - 1}, but there are ids from {int(ids.min())} to "
            f"{int(ids.max())}."
        )
    counts = torch.zeros(*ids.shape[:-1], vocab_size)  # (..., V)
    # Adds a 1 at each id's place, twice where an id occurs twice; the (..., time, V) one-hot
    # vectors, which a whole book could not afford, are never made.
    return counts.scatter_add(-1, ids, torch.ones(ids.shape))
