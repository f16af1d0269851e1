"""Wrong answers to the exercise `cosine_similarity_matrix`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import one_hot as reference


@misconception("cosine_similarity_matrix")
def dot_products(vectors: Tensor) -> Tensor:
    """Your entries are dot products. They grow with the lengths of the vectors; for the cosine
    divide by both norms."""
    return vectors @ vectors.T


@misconception("cosine_similarity_matrix")
def divided_by_one_norm(vectors: Tensor) -> Tensor:
    """You divide by the norm of one of the two vectors only. Your matrix is not symmetric; the
    formula has both norms below the line."""
    norms = vectors.norm(dim=1, keepdim=True)
    return (vectors @ vectors.T) / torch.where(norms == 0, torch.ones_like(norms), norms)


@misconception("cosine_similarity_matrix")
def only_the_norm_of_the_column(vectors: Tensor) -> Tensor:
    """You divide each column by its vector's norm, and the row's norm is missing. Without
    `keepdim=True` the norms lie along the last axis; the formula has both below the line."""
    norms = vectors.norm(dim=1)
    return (vectors @ vectors.T) / torch.where(norms == 0, torch.ones_like(norms), norms)


@misconception("cosine_similarity_matrix")
def norms_without_keepdim(vectors: Tensor) -> Tensor:
    """You divide n rows by a tensor of shape (n,), and torch lays its n numbers along the columns.
    The norms need the shape (n, 1): see `keepdim`."""
    norms = vectors.norm(dim=1)
    unit: Tensor = vectors / torch.where(norms == 0, torch.ones_like(norms), norms)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def norm_of_the_whole_matrix(vectors: Tensor) -> Tensor:
    """You divide by one number, the norm of the whole matrix. Each row has a norm of its own: tell
    `norm` along which axis to go."""
    norm = vectors.norm()
    unit = vectors / torch.where(norm == 0, torch.ones_like(norm), norm)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def norm_without_the_root(vectors: Tensor) -> Tensor:
    """You divide by the squared norms. The norm is the square root of the sum of squares; your
    diagonal should come out as 1."""
    squares = (vectors**2).sum(dim=1, keepdim=True)
    unit = vectors / torch.where(squares == 0, torch.ones_like(squares), squares)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def columns_normalised(vectors: Tensor) -> Tensor:
    """You give the columns norm 1. A vector is a row here, so the norm runs along the row: look at
    the `dim` of your norm."""
    norms = vectors.norm(dim=0, keepdim=True)
    unit = vectors / torch.where(norms == 0, torch.ones_like(norms), norms)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def columns_compared(vectors: Tensor) -> Tensor:
    """You compare the columns with each other. A vector is a row here: the result is (n, n) for n
    rows."""
    return reference.cosine_similarity_matrix(vectors.T)


@misconception("cosine_similarity_matrix")
def zero_rows_divided_by_zero(vectors: Tensor) -> Tensor:
    """Your result has NaN where a row is all zeros: there you divide 0 by 0. The docstring says
    what the similarity is then."""
    unit: Tensor = vectors / vectors.norm(dim=1, keepdim=True)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def zero_rows_like_themselves(vectors: Tensor) -> Tensor:
    """Your diagonal is 1 for a row of zeros too. Such a row has no direction: here its similarity
    is 0 even with itself."""
    return reference.cosine_similarity_matrix(vectors).fill_diagonal_(1.0)


@misconception("cosine_similarity_matrix")
def short_rows_not_divided(vectors: Tensor) -> Tensor:
    """You divide every row with a norm below 1 by 1, so short rows seem to be unlike everything.
    Divide by 1 only where the norm is exactly 0."""
    unit: Tensor = vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def something_added_to_the_norm(vectors: Tensor) -> Tensor:
    """You add a small number to the norm; then every cosine is slightly too small, and for a very
    short row much too small. Change only the rows of zeros."""
    unit: Tensor = vectors / (vectors.norm(dim=1, keepdim=True) + 1e-8)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def no_rows_to_stack(vectors: Tensor) -> Tensor:
    """Your function fails when there are no rows: `torch.stack` needs at least one. For n = 0 the
    result is an empty tensor of shape (0, 0); one product of matrices gives it by itself."""
    similarity = reference.cosine_similarity_matrix(vectors)
    return torch.stack([similarity[i] for i in range(len(vectors))])


@misconception("cosine_similarity_matrix")
def distances(vectors: Tensor) -> Tensor:
    """You return 1 minus the cosine, which is a distance. A similarity is large for vectors that
    are alike: 1 for the same direction."""
    return 1 - reference.cosine_similarity_matrix(vectors)
