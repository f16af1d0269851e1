"""Wrong answers to the exercise `embed_by_lookup`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import one_hot as reference


@misconception("embed_by_lookup")
def columns_taken(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You take columns of Q. The vector of word i is row i: the first axis of Q is the
    vocabulary."""
    return embedding_matrix[:, ids]


@misconception("embed_by_lookup")
def lookup_counts_from_one(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your vectors are those of the word before: you count rows from 1. Id 0 takes the first row,
    row 0."""
    return reference.embed_by_lookup((ids - 1) % embedding_matrix.shape[0], embedding_matrix)


@misconception("embed_by_lookup")
def negative_ids_take_last_rows(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your function accepts negative ids: indexing reads -1 as the last row, so a wrong id becomes
    a wrong vector in silence. Check the ids first, and raise an IndexError."""
    return embedding_matrix[ids]


@misconception("embed_by_lookup")
def rows_averaged(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You average the vectors of the sentence. Each word keeps a vector of its own: the result has
    all the axes of `ids`, and then D."""
    vectors = reference.embed_by_lookup(ids, embedding_matrix)
    return vectors.mean(dim=-2) if ids.dim() else vectors


@misconception("embed_by_lookup")
def rows_rounded_to_float32(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your result is float64 by name, but on the way it was float32, and half of the digits of Q
    are gone. Take the rows of Q as they are."""
    return reference.embed_by_lookup(ids, embedding_matrix.float()).to(embedding_matrix.dtype)


@misconception("embed_by_lookup")
def rows_squeezed(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your result has lost an axis of length 1: `squeeze()` drops them all. A sentence of one word
    keeps its axis; the result has all the axes of `ids`, and then D."""
    return reference.embed_by_lookup(ids, embedding_matrix).squeeze()


@misconception("embed_by_lookup")
def rows_stacked_one_by_one(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You go through the ids one by one. A single id, shape (), can't be gone through, and an empty
    tensor leaves `torch.stack` with nothing. Index with the whole tensor of ids at once."""
    if ((ids < 0) | (ids >= len(embedding_matrix))).any():
        raise IndexError("An id is wrong.")
    return torch.stack([embedding_matrix[word_id] for word_id in ids])


@misconception("embed_by_lookup")
def condition_on_all_ids(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your `if` gets a whole tensor of answers, one for each id, and can't decide. Join conditions
    on tensors with `|`, and say with `.any()` that a single wrong id is enough."""
    if ids < 0 or ids >= len(embedding_matrix):
        raise IndexError("An id is wrong.")
    return embedding_matrix[ids]


@misconception("embed_by_lookup")
def rows_cut_off_from_q(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your values are right, but no gradient reaches Q: somewhere on the way you detach it, or copy
    it into a new tensor or into numpy. Then Q could never learn."""
    return reference.embed_by_lookup(ids, embedding_matrix.detach())


@misconception("embed_by_lookup")
def repeats_learn_once(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your values are right, but a word that occurs twice sends back only one of its two gradients.
    Each use of a row adds its gradient to that row."""
    flat = ids.reshape(-1)
    seen: set[int] = set()
    rows = []
    for word_id in flat.tolist():
        row = reference.embed_by_lookup(torch.tensor(word_id), embedding_matrix)
        rows.append(row.detach() if word_id in seen else row)
        seen.add(word_id)
    width = embedding_matrix.shape[1]
    stacked = torch.stack(rows) if rows else embedding_matrix[:0]
    return stacked.reshape(*ids.shape, width)


@misconception("embed_by_lookup")
def lookup_still_multiplies(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You still multiply by one-hot vectors. Then every row of Q takes part, and an infinite number
    in an unused row, times 0, gives NaN. Take the rows out by indexing instead."""
    return reference.embed_by_matmul(ids, embedding_matrix)
