"""A small made-up class, with the submissions that every class has.

It shows an instructor what grading looks like, and the tests know exactly what each of its
students gets: `expected_points` works that out without a kernel.
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from autograder.alternatives import alternative
from autograder.chapters import Chapter, find_chapter
from autograder.grading.course import Course
from autograder.misconceptions import misconception
from autograder.notebook.check import Check
from autograder.reference import ReferenceAnswers, RememberedAnswers
from autograder.submission.restore import ANSWER_PREFIX, is_check
from autograder.submission.restore import grade_id as id_of
from autograder.submission.validate import read_notebook
from autograder.trial import notebook_namespace, run_cell, try_answer
from autograder.weave.carried import carried_cell
from autograder.weave.stubs import solution_cell, stub_cell

Answers = dict[str, str]  # source of the answer cell, by exercise
Damage = Callable[[nbformat.NotebookNode], None]

ENDLESS = "    while True:\n        pass"
DEADLY = "    import os\n    os._exit(1)"
NO_PYTHON = "    return (1,"


def write_sample_class(course: Course) -> list[str]:
    """Hand in for every released assignment; what is there of these students is replaced.

    Args:
        course: the course folder.

    Returns:
        The students' ids.
    """
    for assignment in course.released():
        chapter = find_chapter(assignment)
        for student, answers in sample_answers(chapter).items():
            folder = course.folder("submitted", student, assignment)
            folder.mkdir(parents=True, exist_ok=True)
            released = read_notebook(
                course.folder("release", assignment=assignment) / f"{assignment}.ipynb"
            )
            _hand_in(folder / f"{assignment}.ipynb", student, released, answers)
    return sorted(sample_answers(find_chapter(course.released()[0])))


def sample_answers(chapter: Chapter) -> dict[str, Answers]:
    """What each student of the sample class writes into a chapter's answer cells.

    An exercise that is missing for a student keeps its stub.
    """
    exercises = [exercise.name for exercise in chapter.exercises]
    right = {name: solution_cell(chapter.module, name) for name in exercises}
    for carried in chapter.carried:
        source, grade_id, _ = carried_cell(chapter, carried)
        right[grade_id.removeprefix(ANSWER_PREFIX)] = source
    first, last, half = exercises[0], exercises[-1], len(exercises) // 2
    return {
        "ada-all-right": right,
        "bo-written-differently": right | _others(chapter, alternative),
        "cleo-stubs-only": {},
        "dan-half-done": {
            name: answer for name, answer in right.items() if name not in exercises[half:]
        },
        "eve-misconceptions": right | _others(chapter, misconception),
        "finn-endless-loop": right | {first: _with_body(right[first], ENDLESS)},
        "gita-syntax-error": right | {last: _with_body(right[last], NO_PYTHON)},
        "hal-dead-kernel": right | {last: _with_body(right[last], DEADLY)},
        "ivo-moved-cells": right,
        "jan-broken-file": right,
        "kim-no-file": {},
    }


@cache
def expected_points(chapter: Chapter) -> dict[str, float]:
    """The points that each student of the sample class must get, worked out without a kernel.

    An exercise that builds on another one fails with it, as it does in the student's notebook.
    """
    result = {}
    check = Check(RememberedAnswers(ReferenceAnswers()))  # all students are asked the same
    for student, answers in sample_answers(chapter).items():
        names = notebook_namespace(chapter)
        for exercise in chapter.exercises:
            stub = stub_cell(chapter.module, exercise.name)
            written = answers.get(exercise.name, stub)
            ruined = any(body in written for body in (ENDLESS, DEADLY, NO_PYTHON))
            run_cell(stub if ruined else written, names)
        if student == "jan-broken-file":
            result[student] = 0.0
            continue
        result[student] = sum(
            outcome.earned
            for exercise in chapter.exercises
            for outcome in try_answer(chapter, exercise.name, check=check, namespace=names)
        )
    return result


def _hand_in(file: Path, student: str, released: nbformat.NotebookNode, answers: Answers) -> None:
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        name = (id_of(cell) or "").removeprefix(ANSWER_PREFIX)
        if name in answers and not is_check(cell):
            cell.source = answers[name]
    if student == "ivo-moved-cells":
        _scramble_checks(notebook)
    text = nbformat.writes(notebook) + "\n"
    if student == "jan-broken-file":
        text = text[: len(text) // 2]
    if student == "kim-no-file":
        file.unlink(missing_ok=True)
    else:
        file.write_text(text, encoding="utf-8")


def _scramble_checks(notebook: nbformat.NotebookNode) -> None:
    """Delete the first check, edit the second, copy the third: all of it by accident."""
    checks = [cell for cell in notebook.cells if is_check(cell)]
    notebook.cells.remove(checks[0])
    checks[1].source = "# I changed this\n" + checks[1].source
    twin = copy.deepcopy(checks[2])
    twin.id = f"{checks[2].id}-copy"
    notebook.cells.insert(notebook.cells.index(checks[2]) + 1, twin)


def _others(chapter: Chapter, registry: Any) -> Answers:
    answers = {}
    for exercise in chapter.exercises:
        found = _first_that_can_be_written(chapter, exercise.name, registry)
        if found:
            answers[exercise.name] = found
    return answers


def _first_that_can_be_written(chapter: Chapter, exercise: str, registry: Any) -> str | None:
    """The source of a registry's first entry that can stand in a notebook by itself."""
    for function in registry.of(chapter.module, exercise).values():
        source = as_answer(function, exercise)
        if source is not None:
            return source
    return None


def as_answer(function: Callable[..., Any], exercise: str) -> str | None:
    """The source of a function as a student would write it into the exercise's answer cell.

    The imports and helpers that it uses come with it.

    Args:
        function: an entry of a registry.
        exercise: the name that it gets.

    Returns:
        The source; None where it uses the course's own modules, which a student does not have.
    """
    module = ast.parse(Path(inspect.getfile(function)).read_text(encoding="utf-8"))
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list, definition.name = [], exercise
    parts: list[ast.stmt] = []
    waiting, seen = [definition], set[str]()
    while waiting:
        used = {node.id for node in ast.walk(waiting.pop()) if isinstance(node, ast.Name)} - seen
        seen |= used
        for statement in module.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                names = {
                    (alias.asname or alias.name).partition(".")[0] for alias in statement.names
                }
                if names & used:
                    source = getattr(statement, "module", None) or ""
                    if source.partition(".")[0] in ("autograder", "solutions", "tests"):
                        return None
                    parts.insert(0, statement)
            elif isinstance(statement, ast.FunctionDef) and statement.name in used:
                if statement.decorator_list:
                    return None
                parts.append(statement)
                waiting.append(statement)
            elif isinstance(statement, ast.Assign) and used & {
                target.id for target in statement.targets if isinstance(target, ast.Name)
            }:
                parts.append(statement)
    unique = list(dict.fromkeys(ast.unparse(part) for part in [*parts, definition]))
    return "from __future__ import annotations\n\n" + "\n\n".join(unique)


def _with_body(source: str, body: str) -> str:
    """A function's source with its docstring kept and its body replaced."""
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    head = source.splitlines()[: tree.body[0].end_lineno]
    return "\n".join([*head, body])
