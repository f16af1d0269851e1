"""Wrong answers to the exercise `swiglu`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception

Weights = Mapping[str, Tensor]


def _map(name: str, x: Tensor, weights: Weights) -> Tensor:
    return functional.linear(x, weights[f"{name}_weight"], weights.get(f"{name}_bias"))


@misconception("swiglu")
def gate_is_a_plain_sigmoid(x: Tensor, weights: Weights) -> Tensor:
    """Your gate is sigmoid(z). SiLU is z times that."""
    return _map("down", _map("gate", x, weights).sigmoid() * _map("up", x, weights), weights)


@misconception("swiglu")
def silu_on_the_other_map(x: Tensor, weights: Weights) -> Tensor:
    """You send the wrong one of the two maps through SiLU: which of them is the gate?"""
    inner = _map("gate", x, weights) * functional.silu(_map("up", x, weights))
    return _map("down", inner, weights)


@misconception("swiglu")
def silu_on_both(x: Tensor, weights: Weights) -> Tensor:
    """You send both maps through SiLU. Only the gate goes through it; what it opens and shuts is
    left as it is."""
    inner = functional.silu(_map("gate", x, weights)) * functional.silu(_map("up", x, weights))
    return _map("down", inner, weights)


@misconception("swiglu")
def silu_of_the_product(x: Tensor, weights: Weights) -> Tensor:
    """You multiply first and apply SiLU to the product. SiLU comes before, and to the gate only."""
    inner = functional.silu(_map("gate", x, weights) * _map("up", x, weights))
    return _map("down", inner, weights)


@misconception("swiglu")
def relu_as_gate(x: Tensor, weights: Weights) -> Tensor:
    """Your gate goes through ReLU, as in chapter 5. Here it is SiLU, which is also a little below 0
    for negative numbers."""
    inner = functional.relu(_map("gate", x, weights)) * _map("up", x, weights)
    return _map("down", inner, weights)


@misconception("swiglu")
def gelu_as_gate(x: Tensor, weights: Weights) -> Tensor:
    """Your gate goes through GELU. That is GeGLU, another member of the family: SiLU is
    z * sigmoid(z)."""
    inner = functional.gelu(_map("gate", x, weights)) * _map("up", x, weights)
    return _map("down", inner, weights)


@misconception("swiglu")
def no_activation(x: Tensor, weights: Weights) -> Tensor:
    """You multiply the two maps as they are. The gate goes through SiLU first."""
    return _map("down", _map("gate", x, weights) * _map("up", x, weights), weights)


@misconception("swiglu")
def added(x: Tensor, weights: Weights) -> Tensor:
    """You add the gate to the other map. A gate multiplies, entry by entry."""
    inner = functional.silu(_map("gate", x, weights)) + _map("up", x, weights)
    return _map("down", inner, weights)


@misconception("swiglu")
def no_gate_at_all(x: Tensor, weights: Weights) -> Tensor:
    """You have left the gate out: what you have written is a network like that of chapter 5."""
    return _map("down", functional.silu(_map("up", x, weights)), weights)


@misconception("swiglu")
def biases_ignored(x: Tensor, weights: Weights) -> Tensor:
    """You have not used the biases. Where there are some, they belong to their maps."""
    rest = {name: tensor for name, tensor in weights.items() if not name.endswith("bias")}
    return _map("down", functional.silu(_map("gate", x, rest)) * _map("up", x, rest), rest)


@misconception("swiglu")
def biases_demanded(x: Tensor, weights: Weights) -> Tensor:
    """You ask for a bias that need not be there. A mapping's `get` gives None where a name is
    missing, and `F.linear` takes None."""
    gate = functional.linear(x, weights["gate_weight"], weights["gate_bias"])
    up = functional.linear(x, weights["up_weight"], weights["up_bias"])
    inner = functional.silu(gate) * up
    return functional.linear(inner, weights["down_weight"], weights["down_bias"])


@misconception("swiglu")
def matrix_product_for_the_gate(x: Tensor, weights: Weights) -> Tensor:
    """You multiply gate and map as matrices. A gate is multiplied entry by entry: `*`, not `@`."""
    gate = functional.silu(_map("gate", x, weights))
    return _map("down", torch.matmul(gate, _map("up", x, weights)), weights)
