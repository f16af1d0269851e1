"""Wrong answers to the exercise `layer_norm`."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception


@misconception("layer_norm")
def divided_by_one_less(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Your variance divides by D - 1, as `x.var(-1)` does unless you tell it not to. Here it is the
    mean of the squares, divided by D."""
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + eps).sqrt() * weight + bias


@misconception("layer_norm")
def eps_outside_the_root(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Your eps is added to the standard deviation, after the root. Add it to the variance, under
    the root."""
    centered = x - x.mean(-1, keepdim=True)
    return centered / ((centered**2).mean(-1, keepdim=True).sqrt() + eps) * weight + bias


@misconception("layer_norm")
def eps_fixed(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """You always use the same eps, whatever the argument `eps` says."""
    return functional.layer_norm(x, x.shape[-1:], weight, bias)


@misconception("layer_norm")
def statistics_over_the_batch(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Your mean and variance are taken over the first axis, across the sequences, as batch norm
    does. Each vector has its own mean and variance, over its D entries."""
    centered = x - x.mean(0, keepdim=True)
    return centered / ((centered**2).mean(0, keepdim=True) + eps).sqrt() * weight + bias


@misconception("layer_norm")
def statistics_over_everything(
    x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5
) -> Tensor:
    """You take one mean and one variance for the whole tensor. Each vector has its own: give `mean`
    the axis, and let it keep it."""
    centered = x - x.mean()
    return centered / ((centered**2).mean() + eps).sqrt() * weight + bias


@misconception("layer_norm")
def no_gain_and_bias(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Your vectors have mean 0 and variance 1, and that is all. The learned gain and bias come
    after it."""
    return functional.layer_norm(x, x.shape[-1:], eps=eps)


@misconception("layer_norm")
def bias_before_gain(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """You add the bias first, so that the gain multiplies it, too. First the gain, then the
    bias."""
    return (functional.layer_norm(x, x.shape[-1:], eps=eps) + bias) * weight


@misconception("layer_norm")
def not_centered(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """You divide by the root of the mean square and take no mean away. (That is RMSNorm, from a
    later chapter.) Subtract the mean first, and take the squares of what is left."""
    return x / ((x**2).mean(-1, keepdim=True) + eps).sqrt() * weight + bias


@misconception("layer_norm")
def mean_left_in(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Your variance is right, but what you divide still has its mean. It is the deviation from the
    mean that is divided."""
    variance = ((x - x.mean(-1, keepdim=True)) ** 2).mean(-1, keepdim=True)
    return x / (variance + eps).sqrt() * weight + bias


@misconception("layer_norm")
def divided_by_the_variance(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """You divide by the variance. The result has variance 1 only if you divide by its square root,
    the standard deviation."""
    centered = x - x.mean(-1, keepdim=True)
    return centered / ((centered**2).mean(-1, keepdim=True) + eps) * weight + bias
