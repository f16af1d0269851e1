"""Wrong answers that students give in chapter 4, one module an exercise."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from solutions import attention


def scores_of(query: Tensor, key: Tensor) -> Tensor:
    """The scaled products of queries and keys, (..., T, S), without a mask."""
    return query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5


def masked(scores: Tensor, mask: Tensor | None, fill: float = -torch.inf) -> Tensor:
    """The scores with `fill` where the mask is False."""
    return scores if mask is None else scores.masked_fill(~mask, fill)


def weights_of(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """The weights that come of some scores, right in everything else."""
    return attention.softmax(masked(scores, mask))


def project(name: str, x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """One of the four linear maps of multi-head attention."""
    return functional.linear(x, weights[f"{name}_weight"], weights.get(f"{name}_bias"))
