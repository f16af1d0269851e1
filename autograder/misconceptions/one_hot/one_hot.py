"""Wrong answers to the exercise `one_hot`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import one_hot as reference


@misconception("one_hot")
def words_in_columns(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your words run along the columns. In this course vectors are rows: the axis over the
    vocabulary comes last."""
    vectors = reference.one_hot(ids, vocab_size, dtype)
    return vectors.transpose(-1, -2) if vectors.dim() > 1 else vectors


@misconception("one_hot")
def places_count_from_one(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your ones are one place too far left: you count places from 1. Id 0 has its 1 in the first
    column, column 0."""
    return torch.eye(vocab_size, dtype=dtype)[ids - 1]


@misconception("one_hot")
def no_column_for_id_zero(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """You compare the ids with places that count from 1, so id 0 finds none and gets zeros only.
    The places are 0 to V - 1."""
    return (ids.unsqueeze(-1) == torch.arange(1, vocab_size + 1)).to(dtype)


@misconception("one_hot")
def every_row_gets_all_ones(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """You write the ones of all words into every row, as `vectors[..., ids] = 1` does. Row t gets a
    single 1, at the place of the id at place t."""
    vectors = torch.zeros(*ids.shape, vocab_size, dtype=dtype)
    vectors[..., ids] = 1
    return vectors


@misconception("one_hot")
def id_instead_of_one(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """You write the id itself at the id's place. The entry there is 1 for every word; only its
    place tells which word it is."""
    vectors = reference.one_hot(ids, vocab_size, dtype)
    return vectors * ids.unsqueeze(-1).to(dtype)


@misconception("one_hot")
def leading_shape_flattened(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your result has lost the shape of `ids`: a batch of sentences has become one long list of
    words. Keep all axes of `ids`, and add one at the end."""
    return reference.one_hot(ids.reshape(-1), vocab_size, dtype)


@misconception("one_hot")
def axes_of_length_one_dropped(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your result has lost an axis of length 1: `squeeze()` drops them all. A sentence of one word
    and a batch of one sentence keep their axes."""
    return reference.one_hot(ids, vocab_size, dtype).squeeze()


@misconception("one_hot")
def one_sentence_only(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """You number the rows with one `torch.arange(len(ids))`, which fits a single sentence. For a
    batch each id needs a place on every axis: look for an operation that works along the last
    axis, whatever stands before it."""
    vectors = torch.zeros(*ids.shape, vocab_size, dtype=dtype)
    vectors[torch.arange(len(ids)), ids] = 1
    return vectors


@misconception("one_hot")
def at_most_two_axes(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your function knows an id, a sentence and a batch, and stops at ids with three axes. Any
    shape may come: add one axis at the end, without counting those before it."""
    vectors = reference.one_hot(ids, vocab_size, dtype)
    if ids.dim() > 1:
        batch, time = ids.shape
        return vectors.reshape(batch, time, vocab_size)
    return vectors


@misconception("one_hot")
def one_vector_for_the_sentence(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """You put all ones of a sentence into one vector. Each word has a vector of its own; one vector
    for a whole text is a later exercise."""
    vectors = reference.one_hot(ids, vocab_size, dtype)
    return vectors.amax(dim=-2) if vectors.dim() > 1 and ids.numel() else vectors


@misconception("one_hot")
def dtype_ignored(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your result is float32 whatever `dtype` says. Pass `dtype` on to where the tensor is made."""
    return reference.one_hot(ids, vocab_size)


@misconception("one_hot")
def integers_instead_of_floats(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your result has the type of the ids, int64. It should have the type that `dtype` asks for,
    float32 if nobody asks: vectors will be multiplied with matrices of floats."""
    return reference.one_hot(ids, vocab_size, torch.int64)


@misconception("one_hot")
def negative_ids_wrap_round(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your function accepts negative ids: indexing reads -1 as the last row, so a wrong id becomes
    a wrong word in silence. Check the ids first, and raise an IndexError."""
    return torch.eye(vocab_size, dtype=dtype)[ids]


@misconception("one_hot")
def id_v_let_through(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your function lets the id V through. Ids count from 0, so the largest one is V - 1: look at
    whether your comparison should be > or >=."""
    if ((ids < 0) | (ids > vocab_size)).any():
        raise IndexError("An id is wrong.")
    return (ids.unsqueeze(-1) == torch.arange(vocab_size)).to(dtype)


@misconception("one_hot")
def wrong_ids_become_zero_vectors(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your function gives a vector of zeros for an id outside the vocabulary. That hides the
    mistake: check the ids first, and raise an IndexError."""
    return (ids.unsqueeze(-1) == torch.arange(vocab_size)).to(dtype)


@misconception("one_hot")
def wrong_ids_left_to_scatter(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """You leave wrong ids to `scatter_`, which raises a RuntimeError. An IndexError is asked for:
    look at the ids yourself, before you write anything."""
    return torch.zeros(*ids.shape, vocab_size, dtype=dtype).scatter_(-1, ids.unsqueeze(-1), 1)


@misconception("one_hot")
def wrong_ids_left_to_the_library(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """You leave wrong ids to torch's own `one_hot`, which raises a RuntimeError. An IndexError is
    asked for: look at the ids yourself first."""
    return torch.nn.functional.one_hot(ids, vocab_size).to(dtype)


@misconception("one_hot")
def array_of_vectors(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> np.ndarray:  # the type is the mistake
    """Your result is a NumPy array. In this course numbers live in torch tensors; torch has its own
    `eye` and `zeros`, which take a `dtype`."""
    vectors: np.ndarray = np.eye(vocab_size)[ids.numpy()]
    return vectors


@misconception("one_hot")
def smallest_of_no_ids(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your function fails when there are no ids: an empty tensor has no `min()`. A condition on all
    ids followed by `.any()` works for none, too."""
    if ids.min() < 0 or ids.max() >= vocab_size:
        raise IndexError("An id is wrong.")
    return reference.one_hot(ids, vocab_size, dtype)


@misconception("one_hot")
def largest_of_no_ids(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your function fails when there are no ids: an empty tensor has no `max()`. A condition on all
    ids followed by `.any()` works for none, too."""
    if ids.max() >= vocab_size or ids.min() < 0:
        raise IndexError("An id is wrong.")
    return reference.one_hot(ids, vocab_size, dtype)


@misconception("one_hot")
def whole_tensor_in_a_condition(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your `if` gets a whole tensor of answers, one for each id, and can't decide. Join conditions
    on tensors with `|`, and say with `.any()` that a single wrong id is enough."""
    if ids < 0 or ids >= vocab_size:
        raise IndexError("An id is wrong.")
    return reference.one_hot(ids, vocab_size, dtype)
