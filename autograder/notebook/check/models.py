"""What a graded cell may ask of a model that a student built: each question has a name.

A model can't travel out of the box that it lives in. So it is asked where it is, and what comes
back are plain values. The same functions answer where model and check share a process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from . import values
from .outcome import gradients, weighted_sum

OPTIMISERS: dict[str, type[torch.optim.Optimizer]] = {
    "SGD": torch.optim.SGD,
    "Adam": torch.optim.Adam,
    "AdamW": torch.optim.AdamW,
}

State = dict[str, Tensor]


def parameter_count(model: nn.Module) -> int:
    """How many numbers a model learns; a parameter that stands in two places counts once."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def state_dict(model: nn.Module) -> State:
    """A copy of a model's parameters and buffers, by name."""
    return {str(name): tensor.detach().clone() for name, tensor in model.state_dict().items()}


def parameter_gradients(model: nn.Module, *inputs: Any) -> State:
    """The gradient of the weighted sum of a model's output, by parameter; see `gradients`."""
    named = {name: one for name, one in model.named_parameters() if one.requires_grad}
    found = gradients(model(*inputs), list(named.values()))
    return dict(zip(named, found, strict=True))


def optimiser_step(
    model: nn.Module, *inputs: Any, optimiser: str = "SGD", lr: float = 0.1, steps: int = 1
) -> State:
    """Take steps that make the weighted sum of a model's output smaller.

    Args:
        model: the model; its parameters are changed.
        inputs: what it is called with.
        optimiser: one of `OPTIMISERS`, fresh and with torch's settings.
        lr: the learning rate.
        steps: how many steps.

    Returns:
        The model's parameters and buffers afterwards.
    """
    taken = OPTIMISERS[optimiser](model.parameters(), lr=lr)  # type: ignore[call-arg]
    for _ in range(steps):
        taken.zero_grad()
        weighted_sum(model(*inputs)).backward()
        taken.step()
    return state_dict(model)


QUESTIONS: dict[str, Callable[..., Any]] = {
    one.__name__: one for one in (parameter_count, state_dict, parameter_gradients, optimiser_step)
}


def ask(model: Any, question: str, *inputs: Any, **options: Any) -> Any:
    """Ask a model, wherever it lives.

    Args:
        model: a module, or what stands for one in a box.
        question: one of `QUESTIONS`.
        inputs: plain values, after the model.
        options: plain values.

    Raises:
        KeyError: there is no such question.
    """
    function = QUESTIONS[question]
    if isinstance(model, values.Foreign):
        return model.ask(question, *inputs, **options)
    return function(model, *values.copy(inputs), **options)
