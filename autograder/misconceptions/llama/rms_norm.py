"""Wrong answers to the exercise `rms_norm`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception


def _precise(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


@misconception("rms_norm")
def mean_taken_away(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You shift each vector before you scale it, as layer norm does. RMSNorm leaves the mean where
    it is."""
    precise = _precise(x)
    precise = precise - precise.mean(-1, keepdim=True)
    normed = precise * torch.rsqrt(precise.square().mean(-1, keepdim=True) + eps)
    return normed.to(x.dtype) * weight.to(x.dtype)


@misconception("rms_norm")
def divided_by_the_length(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You divide by the root of the sum of the squares, so that each vector has length 1. It is the
    mean of the squares that should be 1."""
    precise = _precise(x)
    normed = precise * torch.rsqrt(precise.square().sum(-1, keepdim=True) + eps)
    return normed.to(x.dtype) * weight.to(x.dtype)


@misconception("rms_norm")
def root_forgotten(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You divide by the mean of the squares itself. What is still missing there?"""
    precise = _precise(x)
    normed = precise / (precise.square().mean(-1, keepdim=True) + eps)
    return normed.to(x.dtype) * weight.to(x.dtype)


@misconception("rms_norm")
def eps_outside_the_root(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You add eps to the root. It belongs under the root, beside the mean of the squares."""
    precise = _precise(x)
    normed = precise / (precise.square().mean(-1, keepdim=True).sqrt() + eps)
    return normed.to(x.dtype) * weight.to(x.dtype)


@misconception("rms_norm")
def eps_of_its_own(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You use a fixed number where the argument `eps` belongs."""
    precise = _precise(x)
    normed = precise * torch.rsqrt(precise.square().mean(-1, keepdim=True) + 1e-6)
    return normed.to(x.dtype) * weight.to(x.dtype)


@misconception("rms_norm")
def eps_forgotten(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """Your eps is missing: a vector of zeros is divided by 0, and a small vector is scaled too
    much."""
    precise = _precise(x)
    normed = precise / precise.square().mean(-1, keepdim=True).sqrt()
    return normed.to(x.dtype) * weight.to(x.dtype)


@misconception("rms_norm")
def gain_forgotten(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You have not used the gain: each entry is multiplied by its number in `weight` at the end."""
    precise = _precise(x)
    normed = precise * torch.rsqrt(precise.square().mean(-1, keepdim=True) + eps)
    return normed.to(x.dtype)


@misconception("rms_norm")
def gain_plus_one(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You multiply by 1 + weight, as some later models do. Here the gain is `weight` itself."""
    precise = _precise(x)
    normed = precise * torch.rsqrt(precise.square().mean(-1, keepdim=True) + eps)
    return normed.to(x.dtype) * (1 + weight.to(x.dtype))


@misconception("rms_norm")
def one_mean_for_all(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You take one mean over the whole tensor. Each vector has its own: say along which axis."""
    precise = _precise(x)
    normed = precise * torch.rsqrt(precise.square().mean() + eps)
    return normed.to(x.dtype) * weight.to(x.dtype)


@misconception("rms_norm")
def axis_dropped(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """Your mean has lost the last axis, so it no longer stands under the vectors that it belongs
    to. `keepdim=True` keeps that axis, with length 1."""
    precise = _precise(x)
    normed = precise * torch.rsqrt(precise.square().mean(-1) + eps)
    return normed.to(x.dtype) * weight.to(x.dtype)


@misconception("rms_norm")
def computed_in_half_precision(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You square half-precision numbers as they are. In float16 the square of 300 is infinite:
    turn them into float32 first, and back at the end."""
    normed = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
    return normed * weight.to(x.dtype)


@misconception("rms_norm")
def stays_in_float32(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You compute in float32, but you don't turn back: the result has the dtype of `x`."""
    precise = _precise(x)
    normed = precise * torch.rsqrt(precise.square().mean(-1, keepdim=True) + eps)
    return normed * _precise(weight)


@misconception("rms_norm")
def always_float32(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You compute everything in float32, float64 numbers, too: they lose half of their digits.
    Only numbers of less precision are turned into float32."""
    precise = x.float()
    normed = precise * torch.rsqrt(precise.square().mean(-1, keepdim=True) + eps)
    return normed.to(x.dtype) * weight.to(x.dtype)


@misconception("rms_norm")
def variance_in_place_of_the_squares(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You divide by the root of the variance, for which the mean is taken away before the numbers
    are squared. Here they are squared as they are."""
    precise = _precise(x)
    normed = precise * torch.rsqrt(precise.var(-1, keepdim=True) + eps)
    return normed.to(x.dtype) * weight.to(x.dtype)


@misconception("rms_norm")
def mean_along_the_second_axis(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """You take the mean along axis 1. The vectors lie along the last axis, however many stand in
    front of it."""
    precise = _precise(x)
    normed = precise * torch.rsqrt(precise.square().mean(1, keepdim=True) + eps)
    return normed.to(x.dtype) * weight.to(x.dtype)
