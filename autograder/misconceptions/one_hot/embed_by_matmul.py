"""Wrong answers to the exercise `embed_by_matmul`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import one_hot as reference


@misconception("embed_by_matmul")
def product_with_the_transpose(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You multiply by the transpose of Q. The vector of word i is row i of Q, and a row vector
    stands to the left of its matrix: x Q."""
    vocab_size = embedding_matrix.shape[0]
    return reference.one_hot(ids, vocab_size, embedding_matrix.dtype) @ embedding_matrix.T


@misconception("embed_by_matmul")
def rows_count_from_one(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your vectors are those of the word before: you count rows from 1. Id 0 takes the first row,
    row 0."""
    return reference.embed_by_matmul((ids - 1) % embedding_matrix.shape[0], embedding_matrix)


@misconception("embed_by_matmul")
def sentence_added_up(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You add up the vectors of the sentence. Each word keeps a vector of its own: the result has
    all the axes of `ids`, and then D."""
    vectors = reference.embed_by_matmul(ids, embedding_matrix)
    return vectors.sum(dim=-2) if ids.dim() else vectors


@misconception("embed_by_matmul")
def one_hot_always_float32(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your one-hot vectors are float32 while Q is float64, and torch multiplies only tensors of one
    type. Make the one-hot vectors in the type of Q."""
    return reference.one_hot(ids, embedding_matrix.shape[0]) @ embedding_matrix


@misconception("embed_by_matmul")
def product_in_float32(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You turn Q into float32. The result should have the type of Q: make the one-hot vectors in
    the type of Q, and leave Q as it is."""
    return reference.embed_by_matmul(ids, embedding_matrix.to(torch.float32))


@misconception("embed_by_matmul")
def product_rounded_to_float32(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your result is float64 by name, but on the way you turned Q into float32, and half of its
    digits are gone. Make the one-hot vectors in the type of Q, and leave Q as it is."""
    vectors = reference.embed_by_matmul(ids, embedding_matrix.to(torch.float32))
    return vectors.to(embedding_matrix.dtype)


@misconception("embed_by_matmul")
def single_words_squeezed(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your result has lost an axis of length 1: `squeeze()` drops them all. A sentence of one word
    keeps its axis; the result has all the axes of `ids`, and then D."""
    return reference.embed_by_matmul(ids.squeeze(), embedding_matrix)


@misconception("embed_by_matmul")
def product_cut_off_from_q(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your values are right, but no gradient reaches Q: somewhere on the way you detach it, or copy
    it into a new tensor or into numpy. Then Q could never learn."""
    return reference.embed_by_matmul(ids, embedding_matrix.detach())
