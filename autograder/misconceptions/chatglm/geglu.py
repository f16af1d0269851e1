"""Wrong answers to the exercise `geglu`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import chatglm


def _halves(x: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """What the plain map and the gate's map give."""
    plain, gate = F.linear(x, weights["inner_weight"], weights.get("inner_bias")).chunk(2, dim=-1)
    return plain, gate


def _outer(inner: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    return F.linear(inner, weights["outer_weight"], weights.get("outer_bias"))


@misconception("geglu")
def first_half_is_the_gate(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """You send the first half through GELU. The rows of the plain map come first, those of the
    gate after them."""
    plain, gate = _halves(x, weights)
    return _outer(F.gelu(plain) * gate, weights)


@misconception("geglu")
def gelu_on_both(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Both halves go through GELU in your function. Only the gate does."""
    plain, gate = _halves(x, weights)
    return _outer(F.gelu(plain) * F.gelu(gate), weights)


@misconception("geglu")
def gelu_of_the_product(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """You multiply the halves first and take GELU of the product. GELU is taken of the gate,
    before it is multiplied."""
    plain, gate = _halves(x, weights)
    return _outer(F.gelu(plain * gate), weights)


@misconception("geglu")
def halves_added(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """You add the gate. A gate opens and shuts: it is multiplied, entry by entry."""
    plain, gate = _halves(x, weights)
    return _outer(plain + F.gelu(gate), weights)


@misconception("geglu")
def gate_without_gelu(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """You multiply the two halves as they are. The gate goes through GELU first."""
    plain, gate = _halves(x, weights)
    return _outer(plain * gate, weights)


@misconception("geglu")
def sigmoid_gate(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Your gate goes through the logistic function, as in chapter 3. In GeGLU it goes through
    GELU."""
    plain, gate = _halves(x, weights)
    return _outer(plain * gate.sigmoid(), weights)


@misconception("geglu")
def silu_gate(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Your gate goes through SiLU, as in LLaMA's SwiGLU. In GeGLU it goes through GELU."""
    plain, gate = _halves(x, weights)
    return _outer(plain * F.silu(gate), weights)


@misconception("geglu")
def tanh_form(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """You use the tanh form of GELU. Here it is the exact one, with erf."""
    plain, gate = _halves(x, weights)
    return _outer(plain * F.gelu(gate, approximate="tanh"), weights)


@misconception("geglu")
def every_other_number(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """You take every other number for the gate. The first inner_dim numbers are plain, the last
    inner_dim are the gate."""
    inner = F.linear(x, weights["inner_weight"], weights.get("inner_bias"))
    return _outer(inner[..., ::2] * F.gelu(inner[..., 1::2]), weights)


@misconception("geglu")
def cut_along_the_first_axis(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """You cut along the first axis, where the texts are. What is cut in the middle is the last
    axis: `chunk` takes the axis as `dim`."""
    inner = F.linear(x, weights["inner_weight"], weights.get("inner_bias"))
    plain, gate = inner.chunk(2)
    return _outer(plain * F.gelu(gate), weights)


@misconception("geglu")
def biases_left_out(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """You use no biases. Where `weights` has one, it is added."""
    matrices = {name: weight for name, weight in weights.items() if name.endswith("weight")}
    return chatglm.geglu(x, matrices)


@misconception("geglu")
def biases_wanted(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """You look up a bias that may be missing. What does a mapping offer for a name that may not be
    there?"""
    inner = F.linear(x, weights["inner_weight"], weights["inner_bias"])
    plain, gate = inner.chunk(2, dim=-1)
    return F.linear(plain * F.gelu(gate), weights["outer_weight"], weights["outer_bias"])


@misconception("geglu")
def outer_weight_as_stored(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Your outer matrix is not transposed. It is used as `F.linear` does: x @ weight.T."""
    plain, gate = _halves(x, weights)
    return torch.matmul(plain * F.gelu(gate), weights["outer_weight"])


@misconception("geglu")
def outer_bias_left_out(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Your outer map has no bias. Where `weights` has an "outer_bias", it is added."""
    plain, gate = _halves(x, weights)
    return F.linear(plain * F.gelu(gate), weights["outer_weight"])


@misconception("geglu")
def cut_along_time(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """You cut along the axis of time. What is cut in the middle is the last axis, whatever comes
    before it: -1."""
    plain, gate = F.linear(x, weights["inner_weight"], weights.get("inner_bias")).chunk(2, dim=1)
    return _outer(plain * F.gelu(gate), weights)
