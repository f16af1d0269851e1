"""Trying an answer on a chapter's graded cells, in this process and without a kernel.

For the course's own answers only: the reference, the misconceptions, and the alternatives. What
students wrote runs elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import CodeType
from typing import Any

from autograder.chapters import Chapter
from autograder.notebook.check import Check
from autograder.notebook.check.answers import Recorder
from autograder.reference import ReferenceAnswers
from autograder.weave.page import without_hidden

_numbers = itertools.count()


@dataclass(frozen=True)
class Result:
    """What came of one graded cell.

    Args:
        name: the cell's id.
        points: what it is worth.
        message: why it failed; None where it passed.
    """

    name: str
    points: float
    message: str | None

    @property
    def earned(self) -> float:
        """The points that it gave."""
        return self.points if self.message is None else 0.0


def try_answer(
    chapter: Chapter,
    exercise: str,
    answer: Callable[..., Any] | None = None,
    hidden: bool = True,
    check: Check | None = None,
    namespace: dict[str, Any] | None = None,
) -> list[Result]:
    """Run the graded cells of one exercise with a given answer.

    Args:
        chapter: the chapter.
        exercise: the exercise.
        answer: what stands in for the student's function; the reference where it is None.
        hidden: whether the hidden checks run, too.
        check: the `check` that the cells use, the course's own where it is None.
        namespace: the names that the cells find; the references where it is None.

    Returns:
        A result for each graded cell of the exercise, in their order.
    """
    results = []
    for cell in chapter.graded_for(exercise):
        names = dict(namespace) if namespace is not None else notebook_namespace(chapter)
        if answer is not None:
            names[exercise] = answer
        if check is not None:
            names["check"] = check
        source = chapter.source(cell)
        message = None
        try:
            run_cell(source if hidden else without_hidden(source), names)
        except Exception as error:  # a failing check, or whatever else the answer provokes
            message = f"{type(error).__name__}: {error}"
        results.append(Result(cell.name, cell.points, message))
    return results


def notebook_namespace(chapter: Chapter) -> dict[str, Any]:
    """The names that graded cells may use: the set-up cell's, what is carried, the exercises'."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    run_cell(chapter.set_up, namespace)
    for carried in chapter.carried:
        run_cell(chapter.source(carried), namespace)
    for exercise in chapter.exercises:
        run_cell(chapter.source(exercise), namespace)
    return namespace


def run_cell(source: str, namespace: dict[str, Any]) -> None:
    """Execute a cell in a namespace, its source known to tracebacks and to `check`."""
    run_compiled(compile_cell(source), namespace)


def compile_cell(source: str) -> CodeType:
    """The code of a cell, under a name of its own by which its source is known."""
    name = f"<cell {next(_numbers)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return compile(source, name, "exec")


def run_compiled(code: CodeType, namespace: dict[str, Any]) -> None:
    """Execute a cell in a namespace; what it prints is dropped."""
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, namespace)


@cache
def baked_answers(chapter: Chapter) -> str:
    """The answers to a chapter's public checks, as the file that a student's bundle brings."""
    recorder = Recorder(ReferenceAnswers())
    for source in chapter.carried_checks:
        run_cell(source, notebook_namespace(chapter) | {"check": Check(recorder)})
    for exercise in chapter.exercises:
        for result in try_answer(chapter, exercise.name, hidden=False, check=Check(recorder)):
            if result.message is not None:
                raise ValueError(f"The reference fails the check {result.name}: {result.message}")
    return recorder.as_json()
