"""Right answers worked out from `solutions/`, and wrong ones from the misconceptions."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from autograder.box.channel import write_call
from autograder.misconceptions import misconception
from autograder.notebook.check.answers import Answers, Expected, WrongAnswer, allowed_for
from autograder.notebook.check.outcome import Call, outcome_of
from autograder.text import one_line

MOST_REMEMBERED = 5_000  # of a class's questions; a chapter asks some hundred
SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"


class ReferenceAnswers(Answers):
    """Runs the reference, in single and double precision, and each misconception."""

    def expected(self, exercise: str, call: Call) -> Expected:
        """What the reference and the misconceptions give; see `Answers.expected`.

        Raises:
            LookupError: the course has no such exercise.
        """
        module = module_of(exercise)
        reference = reference_function(exercise)
        right = outcome_of(reference, call)
        return Expected(
            right,
            allowed_for(right, outcome_of(reference, call, widen=True)),
            [
                WrongAnswer(name, one_line(wrong.__doc__ or ""), outcome_of(wrong, call))
                for name, wrong in misconception.of(module, exercise).items()
            ],
        )


class RememberedAnswers(Answers):
    """Answers of another source, each worked out once: a class is asked the same questions.

    Args:
        source: where the answers come from.
    """

    def __init__(self, source: Answers) -> None:
        self._source = source
        self._known: dict[bytes, Expected] = {}

    def expected(self, exercise: str, call: Call) -> Expected:
        """What the source gives; the inputs are compared bit by bit, strides included."""
        written = write_call(call)
        question = sha256(f"{exercise} {call.wrt} {written.text}".encode())
        question.update(written.raw)
        key = question.digest()
        if key not in self._known:
            if len(self._known) >= MOST_REMEMBERED:  # inputs may be what students' functions gave
                self._known.clear()
            self._known[key] = self._source.expected(exercise, call)
        return self._known[key]


def reference_function(exercise: str) -> Callable[..., Any]:
    """The function in `solutions/` that is the right answer to `exercise`."""
    module = importlib.import_module(f"solutions.{module_of(exercise)}")
    function: Callable[..., Any] = getattr(module, exercise)
    return function


def module_of(exercise: str) -> str:
    """The module of `solutions/` that defines the exercise.

    Raises:
        LookupError: none does.
    """
    for file in sorted(SOLUTIONS.glob("*.py")):
        if find_definition(file, exercise) is not None:
            return file.stem
    raise LookupError(f"There is no exercise {exercise!r}: no module of solutions/ defines it.")


def find_definition(source: Path, name: str) -> ast.FunctionDef | None:
    """The definition of a function at the top level of a module, None where there is none."""
    return _definitions(source, source.stat().st_mtime_ns).get(name)


@cache
def _definitions(source: Path, changed: int) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
