"""Wrong answers to the exercise `highway`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from autograder.misconceptions.elmo import Weights
from solutions import elmo


def parts(x: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
    """The two linear maps of x, before ReLU and sigmoid: for t and for g."""
    return (
        functional.linear(x, weights["transform_weight"], weights["transform_bias"]),
        functional.linear(x, weights["gate_weight"], weights["gate_bias"]),
    )


@misconception("highway")
def gate_on_the_wrong_side(x: Tensor, weights: Weights) -> Tensor:
    """Your gate works the wrong way round: where it is near 1, the result should be what was
    transformed, and where it is near 0, what came in."""
    transformed, gate = parts(x, weights)
    return (1 - gate.sigmoid()) * transformed.relu() + gate.sigmoid() * x


@misconception("highway")
def no_relu(x: Tensor, weights: Weights) -> Tensor:
    """Your transformed vector has entries below 0. A linear map alone is not all that it goes
    through."""
    transformed, gate = parts(x, weights)
    return gate.sigmoid() * transformed + (1 - gate.sigmoid()) * x


@misconception("highway")
def relu_of_everything(x: Tensor, weights: Weights) -> Tensor:
    """Your result has no entry below 0, since the ReLU is applied to the sum. It belongs to one of
    the two ways only."""
    transformed, gate = parts(x, weights)
    return (gate.sigmoid() * transformed + (1 - gate.sigmoid()) * x).relu()


@misconception("highway")
def gate_not_squashed(x: Tensor, weights: Weights) -> Tensor:
    """Your gate is not between 0 and 1. Which function makes a share of any number?"""
    transformed, gate = parts(x, weights)
    return gate * transformed.relu() + (1 - gate) * x


@misconception("highway")
def one_map_for_both(x: Tensor, weights: Weights) -> Tensor:
    """Gate and transformed vector come from the same linear map. Each has weights of its own."""
    transformed, _ = parts(x, weights)
    gate = transformed.sigmoid()
    return gate * transformed.relu() + (1 - gate) * x


@misconception("highway")
def gate_sees_the_transformed(x: Tensor, weights: Weights) -> Tensor:
    """You compute the gate from the transformed vector. It looks at what came in, at x."""
    transformed = parts(x, weights)[0].relu()
    gate = parts(transformed, weights)[1].sigmoid()
    return gate * transformed + (1 - gate) * x


@misconception("highway")
def all_of_x_added(x: Tensor, weights: Weights) -> Tensor:
    """You add x as a whole. The two shares should sum to 1: what the gate gives to one side, it
    takes from the other."""
    transformed, gate = parts(x, weights)
    return gate.sigmoid() * transformed.relu() + x


@misconception("highway")
def x_does_not_pass(x: Tensor, weights: Weights) -> Tensor:
    """Your result is the gated new vector alone. Where the gate is closed, x should pass."""
    transformed, gate = parts(x, weights)
    return gate.sigmoid() * transformed.relu()


@misconception("highway")
def matrices_not_transposed(x: Tensor, weights: Weights) -> Tensor:
    """You multiply by the matrices as they are stored. `F.linear` uses them otherwise: look at the
    formula in the task."""
    turned = {name: w.mT if w.ndim == 2 else w for name, w in weights.items()}
    return elmo.highway(x, turned)


@misconception("highway")
def biases_forgotten(x: Tensor, weights: Weights) -> Tensor:
    """There are two biases among the weights, and your result doesn't depend on them."""
    bare = {name: w if w.ndim == 2 else torch.zeros_like(w) for name, w in weights.items()}
    return elmo.highway(x, bare)


@misconception("highway")
def biases_outside(x: Tensor, weights: Weights) -> Tensor:
    """You add the biases after ReLU and sigmoid, so that a gate may leave the range from 0 to 1.
    Look at the brackets of the formula."""
    transformed = functional.linear(x, weights["transform_weight"]).relu()
    gate = functional.linear(x, weights["gate_weight"]).sigmoid() + weights["gate_bias"]
    return gate * (transformed + weights["transform_bias"]) + (1 - gate) * x


@misconception("highway")
def transform_bias_outside(x: Tensor, weights: Weights) -> Tensor:
    """You add the bias of the transformed vector after its ReLU. What stands inside the brackets
    of the formula?"""
    transformed = functional.linear(x, weights["transform_weight"]).relu()
    gate = parts(x, weights)[1].sigmoid()
    return gate * (transformed + weights["transform_bias"]) + (1 - gate) * x


@misconception("highway")
def gate_bias_outside(x: Tensor, weights: Weights) -> Tensor:
    """You add the bias of the gate after its sigmoid, so that the gate may leave the range from 0
    to 1. What stands inside the brackets of the formula?"""
    transformed = parts(x, weights)[0].relu()
    gate = functional.linear(x, weights["gate_weight"]).sigmoid() + weights["gate_bias"]
    return gate * transformed + (1 - gate) * x
