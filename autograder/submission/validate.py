"""Does a notebook pass its checks? The table by exercise that a student sees before handing in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from autograder.errors import CourseError
from autograder.submission.restore import exercise_of, grade_id, is_check, restore
from autograder.submission.run import NotebookRunner

HANDED_OUT = Path(__file__).with_name("handed_out.ipynb")  # only a student's bundle has it


@dataclass(frozen=True)
class ExerciseResult:
    """What came of one exercise.

    Args:
        exercise: its name.
        earned: points that its checks gave.
        points: points that they can give.
        message: the first failing check's message; empty where all passed.
    """

    exercise: str
    earned: float
    points: float
    message: str


def read_notebook(file: Path) -> nbformat.NotebookNode:
    """Read a notebook.

    Raises:
        CourseError: there is no such file, or it is no notebook.
    """
    if not file.exists():
        raise CourseError(f"There is no file {file}.")
    if file.is_dir():
        raise CourseError(f"{file} is a folder; name the notebook in it.")
    try:
        notebook = nbformat.read(file, as_version=4)
        nbformat.validate(notebook)
    except OSError as error:
        raise CourseError(f"{file} can't be read: {error.strerror}.") from error
    except (
        ValueError,
        AttributeError,
        KeyError,
        TypeError,
        nbformat.ValidationError,
        RecursionError,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CourseError(
            f"{file.name} is not a notebook that can be read: {reason[:200]}"
        ) from error
    return notebook


def official_cells(handed_out: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The answer and graded cells of a notebook as it was handed out."""
    return [cell for cell in handed_out.cells if grade_id(cell) is not None]


def shares_checks(
    notebook: nbformat.NotebookNode, official: Sequence[nbformat.NotebookNode]
) -> bool:
    """True where a notebook has at least one of the official cells: it is of this chapter."""
    names = {grade_id(cell) for cell in official}
    return any(grade_id(cell) in names for cell in notebook.cells)


def validate(
    file: Path, handed_out: nbformat.NotebookNode, runner: NotebookRunner
) -> tuple[list[ExerciseResult], list[str]]:
    """Run a notebook and tell what came of each exercise.

    Args:
        file: the notebook; it is not changed.
        handed_out: the notebook as it was handed out.
        runner: runs it.

    Returns:
        A result for each exercise, and notes on graded cells that had to be restored.

    Raises:
        CourseError: the file is no notebook, or one of another course.
    """
    notebook = read_notebook(file)
    official = official_cells(handed_out)
    if not shares_checks(notebook, official):
        raise CourseError(f"{file.name} has none of this chapter's checks: it is another notebook.")
    notes = restore(notebook, official).sentences()
    runner.run(notebook, repeatable=lambda cell: not is_check(cell))
    results: dict[str, ExerciseResult] = {}
    for cell in notebook.cells:
        name = grade_id(cell)
        if name is None or not is_check(cell):
            continue
        exercise = exercise_of(name)
        message = failure_message(cell)
        points = float(cell.metadata["nbgrader"]["points"])
        before = results.get(exercise, ExerciseResult(exercise, 0.0, 0.0, ""))
        results[exercise] = ExerciseResult(
            exercise,
            before.earned + (0.0 if message else points),
            before.points + points,
            before.message or message,
        )
    return list(results.values()), notes


def failure_message(cell: nbformat.NotebookNode) -> str:
    """Why a graded cell failed, without its source; empty where it passed."""
    for output in cell.outputs:
        if output.output_type == "error":
            name, text = str(output.ename), str(output.evalue)
            return text if name in ("CheckFailed", "AssertionError") and text else f"{name}: {text}"
    return ""


def handed_out_in_bundle() -> nbformat.NotebookNode | None:
    """The notebook that this bundle handed out; None where this is no bundle."""
    if not HANDED_OUT.exists():
        return None
    return nbformat.reads(HANDED_OUT.read_text(encoding="utf-8"), as_version=4)
