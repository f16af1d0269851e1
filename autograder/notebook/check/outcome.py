"""What a function does on given inputs: it returns, or it raises; and it may change its inputs."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import values


@dataclass
class Call:
    """One call of an exercise's function: its inputs, and whether its gradient is asked for.

    Args:
        inputs: the positional arguments.
        options: the keyword arguments.
        wrt: for a gradient, the positions of the inputs that it is taken for; None for a value.
        written: inputs and options as they travel, where somebody wrote them down already.
    """

    inputs: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    wrt: tuple[int, ...] | None = None
    written: Any = field(default=None, compare=False, repr=False)

    def as_text(self, name: str) -> str:
        """The call as it would be written, arrays shortened."""
        written = [values.show_input(value) for value in self.inputs]
        written += [f"{key}={values.show_input(value)}" for key, value in self.options.items()]
        return f"{name}({', '.join(written)})"


@dataclass
class Outcome:
    """What came of a call.

    Args:
        value: what the function returned; for a gradient, the gradients in the order of `wrt`.
        error: name of the exception's class, None where it returned.
        error_bases: names of the classes that the exception's class descends from, itself first.
        text: the exception's text.
        line: the innermost line of a notebook that raised it, where that is known.
        inside: the name of the function that this line stands in, where it is another one.
        changed: positions of the inputs that the function changed in place.
    """

    value: Any = None
    error: str | None = None
    error_bases: tuple[str, ...] = ()
    text: str = ""
    line: str = ""
    inside: str = ""
    changed: tuple[int, ...] = ()


class Remote(ABC):
    """A function that is called somewhere else, such as in the box where a class is graded."""

    @abstractmethod
    def outcome(self, call: Call) -> Outcome:
        """What comes of a call there; see `outcome_of`."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[str, ...]:
        """What the function calls its parameters; empty where that can't be known."""


def outcome_of(function: Callable[..., Any] | Remote, call: Call, widen: bool = False) -> Outcome:
    """Call a function on copies of the inputs, and tell what came of it.

    Args:
        function: the function.
        call: the inputs; they are not changed.
        widen: run in double precision.
    """
    if isinstance(function, Remote):
        return function.outcome(call)
    ready = values.to_float64 if widen else values.copy
    inputs, options = list(ready(call.inputs)), ready(call.options)
    if call.wrt is not None:
        for position in call.wrt:
            inputs[position] = inputs[position].requires_grad_()
    try:
        value = function(*inputs, **options)
        if call.wrt is not None:
            value = gradients(value, [inputs[position] for position in call.wrt])
    except Exception as error:  # whatever a student's function raises is its outcome
        bases = tuple(base.__name__ for base in type(error).__mro__[:-2])
        text = values.shorten(str(error), 300)
        line, inside = _place(error, function)
        return Outcome(error=bases[0], error_bases=bases, text=text, line=line, inside=inside)
    before = ready(call.inputs) if widen else call.inputs
    changed = tuple(
        position
        for position, (now, then) in enumerate(zip(inputs, before, strict=True))
        if not values.same(now, then)
    )
    return Outcome(value=value, changed=changed)


class NotConnected(Exception):
    """A gradient was asked for, and the output does not depend on the input for autograd."""


CUT_OFF = (
    "the output is cut off from the input, so no gradient can flow back: use operations of torch "
    "on the tensors themselves, without .detach(), .item(), .data, NumPy, or a copy of the input"
)


def weighted_sum(output: Any) -> Any:
    """A fixed random weighting of the float tensors in an output, as one number."""
    generator = torch.Generator().manual_seed(0)
    total: Any = 0.0
    for _, leaf in values.leaves(output):
        if isinstance(leaf, Tensor) and leaf.is_floating_point():
            weights = torch.randn(leaf.shape, generator=generator, dtype=torch.float64)
            total = total + (leaf * weights.to(leaf.dtype)).sum()
    return total


def gradients(output: Any, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Gradients of the weighted sum of an output; zeros where it does not depend on an input.

    Args:
        output: what a function gave.
        inputs: tensors that require a gradient, of any shapes.

    Returns:
        For each input its gradient, of the same shape.

    Raises:
        NotConnected: the output depends on none of them.
    """
    total = weighted_sum(output)
    if not isinstance(total, Tensor) or not total.requires_grad:
        raise NotConnected(CUT_OFF)
    found = torch.autograd.grad(total, list(inputs), allow_unused=True)
    if all(gradient is None for gradient in found):
        raise NotConnected(CUT_OFF)
    return tuple(
        torch.zeros_like(source) if gradient is None else gradient
        for gradient, source in zip(found, inputs, strict=True)
    )


def _place(error: Exception, function: Callable[..., Any]) -> tuple[str, str]:
    """The innermost line of a student's own where an exception arose, and its function's name.

    A student's own are the function's source and other cells, whose names are no files; both are
    empty where nothing is known.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return "", ""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == code.co_filename or not Path(frame.filename).exists()
    ]
    if not own or not own[-1].line:
        return "", ""
    return own[-1].line, "" if own[-1].name == code.co_name else own[-1].name
