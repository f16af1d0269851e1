"""Wrong answers to the exercise `deepnorm_residual`."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from autograder.misconceptions import misconception


@misconception("deepnorm_residual")
def part_made_heavier(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """You multiply what came out of the sublayer by alpha. It is the residual, what went in, that
    is made heavier."""
    return F.layer_norm(x + alpha * transformed, x.shape[-1:], weight, bias, eps)


@misconception("deepnorm_residual")
def both_made_heavier(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """You multiply the whole sum by alpha, and the norm takes the factor away again. Only x is
    multiplied."""
    return F.layer_norm(alpha * (x + transformed), x.shape[-1:], weight, bias, eps)


@misconception("deepnorm_residual")
def no_alpha(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """Your step is the post norm of chapter 5: alpha has no effect in it."""
    return F.layer_norm(x + transformed, x.shape[-1:], weight, bias, eps)


@misconception("deepnorm_residual")
def alpha_outside_the_norm(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """You add alpha times x after the norm. The norm comes last: it is taken of the whole sum."""
    return alpha * x + F.layer_norm(transformed, x.shape[-1:], weight, bias, eps)


@misconception("deepnorm_residual")
def normed_sum_times_alpha(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """You multiply the result of the norm by alpha. alpha belongs to x, inside the norm."""
    return alpha * F.layer_norm(x + transformed, x.shape[-1:], weight, bias, eps)


@misconception("deepnorm_residual")
def norm_before_the_sum(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """You norm x before the sum. The norm comes last: it is taken of the whole sum."""
    return alpha * F.layer_norm(x, x.shape[-1:], weight, bias, eps) + transformed


@misconception("deepnorm_residual")
def no_gain_and_bias(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """Your norm has no gain and no bias. Hand `weight` and `bias` on to it."""
    return F.layer_norm(alpha * x + transformed, x.shape[-1:], eps=eps)


@misconception("deepnorm_residual")
def eps_of_its_own(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """Your norm uses an eps of its own. Hand the argument `eps` on to it."""
    return F.layer_norm(alpha * x + transformed, x.shape[-1:], weight, bias)


@misconception("deepnorm_residual")
def divided_by_alpha(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """You divide x by alpha. The residual becomes heavier, not lighter."""
    return F.layer_norm(x / alpha + transformed, x.shape[-1:], weight, bias, eps)


@misconception("deepnorm_residual")
def normed_over_all_axes(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """Your norm takes the mean and the variance over everything. Each vector is normed on its own:
    the last axis."""
    total = alpha * x + transformed
    centred = total - total.mean()
    return centred / (centred.square().mean() + eps).sqrt() * weight + bias


@misconception("deepnorm_residual")
def divided_by_one_less(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """Your variance divides by D - 1. In a layer norm it is the plain mean of the squares: divided
    by D."""
    total = alpha * x + transformed
    centred = total - total.mean(-1, keepdim=True)
    return centred / (total.var(-1, keepdim=True) + eps).sqrt() * weight + bias


@misconception("deepnorm_residual")
def eps_outside_the_root(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """You add eps to the root of the variance. It is added to the variance, inside the root."""
    total = alpha * x + transformed
    centred = total - total.mean(-1, keepdim=True)
    return centred / (total.var(-1, correction=0, keepdim=True).sqrt() + eps) * weight + bias
