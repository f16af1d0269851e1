"""Wrong answers to the exercise `most_similar`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from autograder.misconceptions.word2vec import best


def _cosines(vectors: Tensor, word_id: int) -> Tensor:
    unit = functional.normalize(vectors, dim=1)
    return unit @ unit[word_id]


@misconception("most_similar")
def word_itself_not_left_out(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """The first neighbour you give is the word itself, with cosine 1. Every word is nearest to
    itself: leave it out."""
    cosines = _cosines(vectors, word_id)
    ids = best(cosines, [], k)
    return ids, cosines[ids]


@misconception("most_similar")
def plain_dot_product(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You rank by the dot product, in which long vectors win. For the cosine, divide by the
    lengths of both vectors."""
    scores = vectors @ vectors[word_id]
    ids = best(scores, [word_id], k)
    return ids, scores[ids]


@misconception("most_similar")
def only_the_word_normalised(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You divide by the length of the word's own vector only. The other vectors have lengths, too:
    the cosine divides by both."""
    scores = vectors @ functional.normalize(vectors[word_id], dim=0)
    ids = best(scores, [word_id], k)
    return ids, scores[ids]


@misconception("most_similar")
def smallest_distance(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You rank by distance between the vectors. Two vectors that point the same way but differ in
    length have cosine 1 and still lie apart: rank by the cosine."""
    ids = best(-(vectors - vectors[word_id]).norm(dim=1), [word_id], k)
    return ids, _cosines(vectors, word_id)[ids]


@misconception("most_similar")
def least_similar_first(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You give the words with the smallest cosines. Sort the other way round: the largest cosine
    comes first."""
    cosines = _cosines(vectors, word_id)
    ids = best(-cosines, [word_id], k)
    return ids, cosines[ids]


@misconception("most_similar")
def divided_by_length_zero(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """A vector of zeros has length 0, and dividing by it gives no number. The docstring says which
    cosine such a vector has: look after it before you divide."""
    lengths = vectors.norm(dim=1)
    cosines = vectors @ vectors[word_id] / (lengths * lengths[word_id])
    ids = best(cosines, [word_id], k)
    return ids, cosines[ids]


@misconception("most_similar")
def ties_as_topk_has_them(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """Your cosines are right, but words with the same cosine come in no certain order. `topk` makes
    no promise about them, and neither does sorting without `stable=True`: the smaller id
    comes first."""
    cosines = _cosines(vectors, word_id)
    cosines[word_id] = -torch.inf
    best = cosines.topk(k)
    return best.indices, best.values


@misconception("most_similar")
def ascending_order_flipped(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """Words with the same cosine come with the larger id first. You sort upwards and turn the
    result round, which turns equal ones round, too: sort downwards."""
    cosines = _cosines(vectors, word_id)
    order = torch.argsort(cosines, stable=True).flip(0)
    ids = order[order != word_id][:k]
    return ids, cosines[ids]


@misconception("most_similar")
def first_of_the_order_dropped(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You drop the first of the sorted words, and that need not be the word itself: another vector
    can have cosine 1 with it, and a vector of zeros has cosine 0 with itself. Leave the word
    out by its id."""
    cosines = _cosines(vectors, word_id)
    ids = torch.argsort(cosines, descending=True, stable=True)[1 : k + 1]
    return ids, cosines[ids]


@misconception("most_similar")
def own_cosine_set_to_minus_one(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You give the word itself the cosine -1, which other words may have, too. Then it can come
    before them: take a number that no cosine reaches, or leave it out by its id."""
    cosines = _cosines(vectors, word_id)
    cosines[word_id] = -1
    ids = best(cosines, [], k)
    return ids, cosines[ids]
