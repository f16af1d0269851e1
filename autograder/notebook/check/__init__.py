"""`check`: does a function give what it should, and if not, why not.

    out = check(one_hot, ids, 5)          # compares the value with the reference's
    check(softmax, x, remember="Each row sums to 1.")  # said where no misconception fits
    check.gradient(one_hot, x, wrt=0)     # compares the gradient with the reference's
    check.close(got, wanted, "message")   # a property: two values are equal within rounding

A mismatch raises `CheckFailed`, whose message says what was expected, what came, and what to look
at. A call that passes gives back the function's output, to be compared with that of other calls.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from executing import Source

from . import models, values
from .answers import BAKED, Answers, BakedAnswers, Expected, UnknownInputs
from .callsite import CellRun, call_as_written, cell_run, constants, exercise_name, is_hidden
from .compare import difference, tolerance
from .diagnose import diagnose, is_right, parameter_names
from .outcome import Call, outcome_of
from .table_model import TableModel

__all__ = ["Check", "CheckFailed", "TableModel", "UnknownInputs", "check"]


class CheckFailed(AssertionError):
    """An answer is not right yet; the message says why."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message alone, since the traceback holds no news."""
        return str(self).splitlines()


class Check:
    """Compares a student's functions with the right answers.

    Args:
        answers: where the right answers come from; by default the bundle's baked ones, or the
            reference itself where the course is installed.
        hidden: take every call for a hidden one, of which a message tells no more than it must.
    """

    def __init__(self, answers: Answers | None = None, hidden: bool = False) -> None:
        self.answers, self.hidden = answers, hidden
        self._run: CellRun | None = None
        self._passed: list[tuple[str, Expected]] = []

    def __call__(
        self, fn: Callable[..., Any], /, *inputs: Any, remember: str = "", **options: Any
    ) -> Any:
        """Call `fn` on copies of the inputs and compare what comes with the reference.

        Args:
            fn: the exercise's function, written as its name.
            inputs: positional arguments, plain values.
            remember: a sentence on what holds for the right result of this call; a wrong result
                that no misconception explains is shown it.
            options: keyword arguments, plain values.

        Returns:
            What `fn` returned; None where it rightly raised an exception.

        Raises:
            CheckFailed: the answer is not right; says why.
            UnknownInputs: the baked answers don't hold this call.
        """
        frame = sys._getframe(1)
        return self._compare(fn, Call(inputs, options), frame, remember)

    def gradient(
        self,
        fn: Callable[..., Any],
        /,
        *inputs: Any,
        wrt: int | tuple[int, ...] = 0,
        remember: str = "",
        **options: Any,
    ) -> Any:
        """Compare the gradient of a fixed random weighting of the output with the reference's.

        Args:
            fn: the exercise's function, written as its name.
            inputs: positional arguments.
            wrt: position, or positions, of the inputs that the gradient is taken for.
            remember: a sentence on what holds for the right gradient, as for a call.
            options: keyword arguments.

        Returns:
            The gradient, or a tuple of them where `wrt` is a tuple.

        Raises:
            CheckFailed: the gradient is not right; says why.
            UnknownInputs: the baked answers don't hold this call.
        """
        frame = sys._getframe(1)
        call = Call(inputs, options, wrt if isinstance(wrt, tuple) else (wrt,))
        gradients = self._compare(fn, call, frame, remember)
        return gradients if isinstance(wrt, tuple) or gradients is None else gradients[0]

    def close(self, got: Any, wanted: Any, message: str) -> None:
        """Assert that two values are equal but for rounding.

        Args:
            got: what came.
            wanted: what should have come; its dtype sets what counts as rounding.
            message: what the values are, and what to look at where they differ.

        Raises:
            CheckFailed: they differ.
        """
        narrow, wide = wanted, values.to_float64(wanted)
        found = difference(got, narrow, [16 * unit for unit in tolerance(narrow, wide)])
        if found is not None:
            frame = sys._getframe(1)
            hidden = self.hidden or is_hidden(frame)
            if hidden and message not in constants("".join(Source.for_frame(frame).lines)):
                message = "Two values differ."  # something was put into the message
            expected, came = found.words(hidden)
            raise CheckFailed(f"{message}\n  expected: {expected}\n  came:     {came}")

    def parameter_count(self, model: Any) -> Any:
        """How many numbers a model learns; it may live in a box, as for the next three."""
        return models.ask(model, "parameter_count")

    def state_dict(self, model: Any) -> Any:
        """Copies of a model's parameters and buffers, by name."""
        return models.ask(model, "state_dict")

    def parameter_gradients(self, model: Any, *inputs: Any) -> Any:
        """The gradient of a fixed random weighting of a model's output, by parameter."""
        return models.ask(model, "parameter_gradients", *inputs)

    def optimiser_step(self, model: Any, *inputs: Any, **options: Any) -> Any:
        """Take optimiser steps on that weighting; gives the state afterwards.

        Args:
            model: the model, which is changed.
            inputs: what it is called with.
            options: `optimiser` ("SGD", "Adam", "AdamW"), `lr`, and `steps`.
        """
        return models.ask(model, "optimiser_step", *inputs, **options)

    def _compare(self, fn: Callable[..., Any], call: Call, frame: FrameType, remember: str) -> Any:
        if self.answers is None:
            self.answers = default_answers()
        exercise, run = exercise_name(frame), cell_run(frame)
        if run != self._run:
            self._run, self._passed = run, []
        expected = self.answers.expected(exercise, call)
        came = outcome_of(fn, call)
        if is_right(call, came, expected):
            self._passed.append((exercise, expected))
            return came.value
        hidden = self.hidden or is_hidden(frame)
        message = diagnose(
            exercise,
            call,
            came,
            expected,
            hidden,
            () if hidden else parameter_names(fn),
            [known for name, known in self._passed if name == exercise],
            remember,
            call_as_written(frame),
        )
        self._passed = []
        raise CheckFailed(message) from None


def default_answers() -> Answers:
    """The baked answers of a bundle; where there are none, the reference itself."""
    if BAKED.exists():
        return BakedAnswers(BAKED)
    from autograder.reference import ReferenceAnswers  # a student's bundle does not hold it

    return ReferenceAnswers()


check = Check()
