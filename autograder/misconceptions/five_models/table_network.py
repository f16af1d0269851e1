"""Wrong answers to the exercise `table_network`."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from autograder.misconceptions import misconception
from solutions.chatglm import geglu
from solutions.five_models import table_network
from solutions.llama import swiglu
from solutions.transformer import feed_forward

Weights = Mapping[str, Tensor]


@misconception("table_network")
def one_gelu_for_both(x: Tensor, weights: Weights, activation: str) -> Tensor:
    """You give the exact GELU for "GELU (tanh)". `F.gelu` has an argument for the other form."""
    return table_network(x, weights, "GELU" if activation == "GELU (tanh)" else activation)


@misconception("table_network")
def tanh_form_for_both(x: Tensor, weights: Weights, activation: str) -> Tensor:
    """You give the tanh form of GELU for the exact one, too. They are close, and not the same."""
    return table_network(x, weights, "GELU (tanh)" if activation == "GELU" else activation)


@misconception("table_network")
def relu_for_gelu(x: Tensor, weights: Weights, activation: str) -> Tensor:
    """You don't pass an activation to `feed_forward`, so that it takes ReLU."""
    return table_network(x, weights, "ReLU" if activation.startswith("GELU") else activation)


@misconception("table_network")
def tanh_itself(x: Tensor, weights: Weights, activation: str) -> Tensor:
    """For "GELU (tanh)" you take tanh. It is the GELU that is worked out with tanh:
    `approximate="tanh"`."""
    if activation == "GELU (tanh)":
        return feed_forward(x, weights, lambda inner: inner.tanh())
    return table_network(x, weights, activation)


@misconception("table_network")
def silu_for_gelu(x: Tensor, weights: Weights, activation: str) -> Tensor:
    """You take SiLU for GELU. SiLU is in the gate of SwiGLU."""
    if activation == "GELU":
        return feed_forward(x, weights, F.silu)
    return table_network(x, weights, activation)


@misconception("table_network")
def activation_called_at_once(x: Tensor, weights: Weights, activation: str) -> Tensor:
    """You call the activation on x and pass its result. `feed_forward` wants the function itself:
    it calls it on the inner vectors."""
    if activation == "ReLU":
        return feed_forward(x, weights, F.relu(x))  # type: ignore[arg-type]
    return table_network(x, weights, activation)


@misconception("table_network")
def swiglu_and_geglu_swapped(x: Tensor, weights: Weights, activation: str) -> Tensor:
    """You have swapped the two gated networks. SwiGLU has the names `gate_weight`, `up_weight` and
    `down_weight`."""
    if activation == "SwiGLU":
        return geglu(x, weights)
    if activation == "GeGLU":
        return swiglu(x, weights)
    return table_network(x, weights, activation)


@misconception("table_network")
def geglu_without_a_gate(x: Tensor, weights: Weights, activation: str) -> Tensor:
    """For GeGLU you use a network without a gate. Its inner map gives twice as many numbers, and
    one half opens and shuts the other."""
    if activation == "GeGLU":
        return feed_forward(x, weights, F.gelu)
    return table_network(x, weights, activation)


@misconception("table_network")
def anything_else_is_gelu(x: Tensor, weights: Weights, activation: str) -> Tensor:
    """A word that is not in the table gets some network. It should be an error: a typing mistake
    would train the wrong model."""
    if activation not in ("ReLU", "SwiGLU", "GeGLU", "GELU (tanh)"):
        activation = "GELU"
    return table_network(x, weights, activation)


@misconception("table_network")
def unknown_word_gives_none(x: Tensor, weights: Weights, activation: str) -> Tensor | None:
    """A word that is not in the table falls through, and your function gives None. Raise an
    error."""
    if activation not in ("ReLU", "GELU", "SwiGLU", "GeGLU", "GELU (tanh)"):
        return None
    return table_network(x, weights, activation)
