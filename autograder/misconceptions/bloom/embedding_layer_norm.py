"""Wrong answers to the exercise `embedding_layer_norm`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from autograder.misconceptions.bloom import layer_norm
from solutions.transformer import sinusoidal_positions

Weights = Mapping[str, Tensor]


@misconception("embedding_layer_norm")
def norm_forgotten(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """You give the rows as they are in the matrix. They still have to go through the norm."""
    return functional.embedding(input_ids, weights["token_embedding"])


@misconception("embedding_layer_norm")
def eps_not_handed_on(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """Your norm always has the same eps. Hand on the one that was given."""
    return layer_norm(functional.embedding(input_ids, weights["token_embedding"]), weights, 1e-5)


@misconception("embedding_layer_norm")
def scaled_as_in_the_transformer(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """You multiply the rows by the square root of D, as the Transformer does. BLOOM has the norm
    instead, and with small rows the factor changes what eps does."""
    rows = functional.embedding(input_ids, weights["token_embedding"])
    return layer_norm(rows * rows.shape[-1] ** 0.5, weights, eps)


@misconception("embedding_layer_norm")
def positions_added(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """You add positions. BLOOM adds none: its positions are in the bias of the attention."""
    rows = functional.embedding(input_ids, weights["token_embedding"])
    waves = sinusoidal_positions(*rows.shape[-2:]).to(rows.dtype)
    return layer_norm(rows + waves, weights, eps)


@misconception("embedding_layer_norm")
def gain_and_bias_forgotten(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """You normalise, and leave it at that. The gain and the bias are missing."""
    rows = functional.embedding(input_ids, weights["token_embedding"])
    return functional.layer_norm(rows, rows.shape[-1:], eps=eps)


@misconception("embedding_layer_norm")
def norm_bias_forgotten(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """The gain is there, the bias of the norm is not."""
    rows = functional.embedding(input_ids, weights["token_embedding"])
    return functional.layer_norm(rows, rows.shape[-1:], weights["weight"], eps=eps)


@misconception("embedding_layer_norm")
def root_without_mean(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """You divide by the root of the mean square, as LLaMA's norm does. BLOOM has layer norm: the
    mean is taken away first."""
    rows = functional.embedding(input_ids, weights["token_embedding"])
    size = (rows.square().mean(-1, keepdim=True) + eps).sqrt()
    return rows / size * weights["weight"] + weights["bias"]


@misconception("embedding_layer_norm")
def variance_with_one_less(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """Your variance is divided by D - 1. In layer norm it is divided by D: `torch.var` does so only
    when told."""
    rows = functional.embedding(input_ids, weights["token_embedding"])
    centred = rows - rows.mean(-1, keepdim=True)
    spread = (rows.var(-1, keepdim=True) + eps).sqrt()
    return centred / spread * weights["weight"] + weights["bias"]


@misconception("embedding_layer_norm")
def eps_outside_the_root(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """You add eps to the standard deviation. It is added to the variance, under the root."""
    rows = functional.embedding(input_ids, weights["token_embedding"])
    spread = rows.var(-1, keepdim=True, unbiased=False).sqrt() + eps
    return (rows - rows.mean(-1, keepdim=True)) / spread * weights["weight"] + weights["bias"]


@misconception("embedding_layer_norm")
def along_the_vocabulary(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """You normalise the columns of the matrix. Each token's vector, a row, is normalised by
    itself."""
    matrix = weights["token_embedding"]
    mean, variance = matrix.mean(0), matrix.var(0, unbiased=False)
    rows = functional.embedding(input_ids, (matrix - mean) / torch.sqrt(variance + eps))
    return rows * weights["weight"] + weights["bias"]


@misconception("embedding_layer_norm")
def along_the_text(input_ids: Tensor, weights: Weights, eps: float = 1e-5) -> Tensor:
    """You take mean and variance over the text. They belong to each vector by itself, along the
    last axis."""
    rows = functional.embedding(input_ids, weights["token_embedding"])
    mean, variance = rows.mean(1, keepdim=True), rows.var(1, keepdim=True, unbiased=False)
    return (rows - mean) / torch.sqrt(variance + eps) * weights["weight"] + weights["bias"]
