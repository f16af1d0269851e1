"""Wrong answers to the exercise `table_norm`."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from autograder.misconceptions import misconception
from solutions.five_models import table_norm

Weights = Mapping[str, Tensor]


@misconception("table_norm")
def layer_norm_for_all(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    """You look for a bias that is not there. An RMSNorm has a gain only, and it is no layer
    norm."""
    return F.layer_norm(x, x.shape[-1:], weights["weight"], weights["bias"], eps)


@misconception("table_norm")
def layer_norm_without_bias_for_rmsnorm(
    x: Tensor, weights: Weights, norm: str, eps: float
) -> Tensor:
    """For RMSNorm you leave the bias out of a layer norm. An RMSNorm doesn't take the mean away
    either: use your `rms_norm`."""
    return F.layer_norm(x, x.shape[-1:], weights["weight"], weights.get("bias"), eps)


@misconception("table_norm")
def every_pre_is_rmsnorm(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    """You take every norm that stands before its part for an RMSNorm. BLOOM has a layer norm
    there."""
    return table_norm(x, weights, "pre RMSNorm" if norm.startswith("pre") else norm, eps)


@misconception("table_norm")
def rmsnorm_for_all(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    """You give an RMSNorm for every word. Only "pre RMSNorm" is one."""
    return table_norm(x, weights, "pre RMSNorm", eps)


@misconception("table_norm")
def bias_left_out(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    """You have not passed the bias of the layer norm."""
    if norm == "pre RMSNorm":
        return table_norm(x, weights, norm, eps)
    return F.layer_norm(x, x.shape[-1:], weights["weight"], None, eps)


@misconception("table_norm")
def weights_left_out(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    """You normalise, and apply neither gain nor bias."""
    if norm == "pre RMSNorm":
        return table_norm(x, weights, norm, eps)
    return F.layer_norm(x, x.shape[-1:], eps=eps)


@misconception("table_norm")
def eps_left_at_its_default(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    """You have not passed `eps` on, so that your norm takes one of its own."""
    return table_norm(x, weights, norm, 1e-6 if norm == "pre RMSNorm" else 1e-5)


@misconception("table_norm")
def deepnorm_doubles_the_input(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    """You treat DeepNorm as another norm. It is a layer norm; what is new about it is the residual,
    which comes in the next exercise."""
    if norm.startswith("post DeepNorm"):
        return table_norm(x, weights, norm, eps) + x
    return table_norm(x, weights, norm, eps)


def _written_out(
    x: Tensor, weights: Weights, norm: str, eps: float, *, less: int = 0, inside: bool = True
) -> Tensor:
    """Either norm, right but for what is told."""
    if norm != "pre RMSNorm":
        x = x - x.mean(-1, keepdim=True)
    else:
        less = 0
    square = x.square().sum(-1, keepdim=True) / (x.shape[-1] - less)
    root = (square + eps).sqrt() if inside else square.sqrt() + eps
    normed = x / root * weights["weight"]
    return normed if norm == "pre RMSNorm" else normed + weights["bias"]


@misconception("table_norm")
def variance_of_a_sample(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    """Your variance is divided by D - 1. A layer norm divides by D: `F.layer_norm` does it, or
    `var` with `correction=0`."""
    return _written_out(x, weights, norm, eps, less=1)


@misconception("table_norm")
def eps_outside_the_root(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    """You add eps to the root. It belongs inside, beside the mean of the squares."""
    return _written_out(x, weights, norm, eps, inside=False)
