"""Wrong answers to the exercise `training_flops`."""

from __future__ import annotations

from autograder.misconceptions import misconception


@misconception("training_flops")
def forward_only(num_parameters: int, num_tokens: int) -> int:
    """You count the way forward. Training goes back as well, which takes twice as much again."""
    return 2 * num_parameters * num_tokens


@misconception("training_flops")
def backward_only(num_parameters: int, num_tokens: int) -> int:
    """You count the way back. Before it comes the way forward, which takes half as much."""
    return 4 * num_parameters * num_tokens


@misconception("training_flops")
def one_operation_each(num_parameters: int, num_tokens: int) -> int:
    """You count three products and no additions. Each multiplication is followed by an addition."""
    return 3 * num_parameters * num_tokens


@misconception("training_flops")
def rule_as_a_fraction(num_parameters: int, num_tokens: int) -> float:
    """You give back a float. The rule is asked for in whole numbers."""
    return 6.0 * num_parameters * num_tokens


@misconception("training_flops")
def parameters_and_tokens_added(num_parameters: int, num_tokens: int) -> int:
    """You add parameters and tokens. Each token goes through all parameters: what does that make of
    the two numbers?"""
    return 6 * (num_parameters + num_tokens)
