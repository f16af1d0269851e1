"""Wrong answers to the exercise `feed_forward`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import transformer

Activation = Callable[[Tensor], Tensor]


@misconception("feed_forward")
def no_activation(
    x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu
) -> Tensor:
    """You use no activation. Two linear maps, one after the other, are only another linear map:
    what stands between them makes the difference."""
    return transformer.feed_forward(x, weights, torch.positive)


@misconception("feed_forward")
def activation_at_the_end(
    x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu
) -> Tensor:
    """Your activation comes after the second map. It stands between the two."""
    return activation(transformer.feed_forward(x, weights, torch.positive))


@misconception("feed_forward")
def activation_after_both(
    x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu
) -> Tensor:
    """You apply the activation twice. What leaves the second map stays as it is."""
    return activation(transformer.feed_forward(x, weights, activation))


@misconception("feed_forward")
def always_relu(
    x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu
) -> Tensor:
    """You always use ReLU. The function gets its activation as an argument; ReLU is only what it is
    if nothing else is said."""
    return transformer.feed_forward(x, weights)


@misconception("feed_forward")
def always_gelu(
    x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu
) -> Tensor:
    """You use GELU, as later models do. Use the activation that is given; without one it is
    ReLU."""
    return transformer.feed_forward(x, weights, F.gelu)


@misconception("feed_forward")
def no_biases(x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu) -> Tensor:
    """You leave the biases out even where they are there. Each of the two maps has one."""
    return F.linear(activation(F.linear(x, weights["inner_weight"])), weights["outer_weight"])


@misconception("feed_forward")
def no_outer_bias(
    x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu
) -> Tensor:
    """Your second map has no bias. Both maps have one, if the weights hold it."""
    inner = activation(F.linear(x, weights["inner_weight"], weights.get("inner_bias")))
    return F.linear(inner, weights["outer_weight"])


@misconception("feed_forward")
def biases_required(
    x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu
) -> Tensor:
    """You look up a bias that may be missing. Ask for it in a way that gives None where there is
    none: a dictionary has a method for that."""
    inner = activation(F.linear(x, weights["inner_weight"], weights["inner_bias"]))
    return F.linear(inner, weights["outer_weight"], weights["outer_bias"])


@misconception("feed_forward")
def inner_bias_after_activation(
    x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu
) -> Tensor:
    """Your first bias is added after the activation. It belongs to the first map: it shifts what
    goes into the activation."""
    inner = activation(F.linear(x, weights["inner_weight"]))
    if "inner_bias" in weights:
        inner = inner + weights["inner_bias"]
    return F.linear(inner, weights["outer_weight"], weights.get("outer_bias"))


@misconception("feed_forward")
def residual_inside(
    x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu
) -> Tensor:
    """You add the input to the result. That step belongs to the layer, which is a later exercise,
    and not to the feed-forward network itself."""
    return x + transformer.feed_forward(x, weights, activation)


@misconception("feed_forward")
def both_biases_or_none(
    x: Tensor, weights: Mapping[str, Tensor], activation: Activation = F.relu
) -> Tensor:
    """You use the biases only if both are there. Each may be missing by itself."""
    if "inner_bias" not in weights or "outer_bias" not in weights:
        weights = {name: weight for name, weight in weights.items() if "bias" not in name}
    return transformer.feed_forward(x, weights, activation)
