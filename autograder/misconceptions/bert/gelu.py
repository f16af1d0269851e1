"""Wrong answers to the exercise `gelu`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import bert


def _known(approximate: str) -> None:
    if approximate not in ("none", "tanh"):
        raise ValueError("no such form")


@misconception("gelu")
def relu(x: Tensor, approximate: str = "none") -> Tensor:
    """You give ReLU. GELU multiplies x with a probability, and is below 0 for negative x."""
    _known(approximate)
    return x.clamp(min=0)


@misconception("gelu")
def always_exact(x: Tensor, approximate: str = "none") -> Tensor:
    """You use erf whatever `approximate` says. With "tanh" the other formula is asked for, to the
    last digit."""
    _known(approximate)
    return bert.gelu(x)


@misconception("gelu")
def always_tanh(x: Tensor, approximate: str = "none") -> Tensor:
    """You use the approximation whatever `approximate` says. With "none" the exact form is asked
    for, by erf."""
    _known(approximate)
    return bert.gelu(x, "tanh")


@misconception("gelu")
def forms_exchanged(x: Tensor, approximate: str = "none") -> Tensor:
    """You have exchanged the two forms: "none" is the exact one."""
    _known(approximate)
    return bert.gelu(x, "tanh" if approximate == "none" else "none")


@misconception("gelu")
def root_of_two_forgotten(x: Tensor, approximate: str = "none") -> Tensor:
    """Your erf gets x itself. In the formula x is divided by the root of 2 first."""
    if approximate == "none":
        return x * (1 + torch.erf(x)) / 2
    return bert.gelu(x, approximate)


@misconception("gelu")
def half_forgotten(x: Tensor, approximate: str = "none") -> Tensor:
    """Your result is twice as large as it should be: 1 plus erf lies between 0 and 2, and a
    probability between 0 and 1."""
    return 2 * bert.gelu(x, approximate)


@misconception("gelu")
def the_probability_alone(x: Tensor, approximate: str = "none") -> Tensor:
    """You give the probability. GELU is x times that."""
    if approximate == "none":
        return (1 + torch.erf(x / math.sqrt(2))) / 2
    return bert.gelu(x, approximate)


@misconception("gelu")
def erf_alone(x: Tensor, approximate: str = "none") -> Tensor:
    """You take erf for the probability. Erf lies between -1 and 1: add 1 and halve it."""
    if approximate == "none":
        return x * torch.erf(x / math.sqrt(2))
    return bert.gelu(x, approximate)


@misconception("gelu")
def square_in_place_of_the_cube(x: Tensor, approximate: str = "none") -> Tensor:
    """In your approximation x is squared. It is the third power that stands in the formula."""
    if approximate == "tanh":
        return x / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**2)))
    return bert.gelu(x, approximate)


@misconception("gelu")
def root_around_the_two_only(x: Tensor, approximate: str = "none") -> Tensor:
    """In your approximation the root is taken of 2 only. It goes over the whole fraction, 2 over
    pi."""
    if approximate == "tanh":
        return x / 2 * (1 + torch.tanh(math.sqrt(2) / math.pi * (x + 0.044715 * x**3)))
    return bert.gelu(x, approximate)


@misconception("gelu")
def factor_on_the_cube_only(x: Tensor, approximate: str = "none") -> Tensor:
    """In your approximation the root of 2 over pi multiplies x only. It stands before the bracket:
    it multiplies the whole sum."""
    if approximate == "tanh":
        return x / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * x + 0.044715 * x**3))
    return bert.gelu(x, approximate)


@misconception("gelu")
def sigmoid_form(x: Tensor, approximate: str = "none") -> Tensor:
    """You use the sigmoid approximation, x times sigma(1.702 x). It is in the paper, too, but it is
    neither of the two forms that are asked for."""
    if approximate == "tanh":
        return x * torch.sigmoid(1.702 * x)
    return bert.gelu(x, approximate)


@misconception("gelu")
def any_form_accepted(x: Tensor, approximate: str = "none") -> Tensor:
    """You accept a form that does not exist. The docstring says which exception it asks for."""
    return bert.gelu(x, "tanh" if approximate == "tanh" else "none")


@misconception("gelu")
def zero_lost_in_the_factor(x: Tensor, approximate: str = "none") -> Tensor:
    """The factor of the cube is ten times too large: 0.044715, with a 0 behind the point."""
    if approximate == "tanh":
        return x / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.44715 * x**3)))
    return bert.gelu(x, approximate)
