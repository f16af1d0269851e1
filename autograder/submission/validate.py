"""Does a notebook pass its checks? The table by exercise that a student sees before handing in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from autograder.errors import CourseError
from autograder.submission.needed import needed_cells, plain_sources, told_left_out
from autograder.submission.restore import (
    ANSWER_PREFIX,
    CARRIED_PREFIX,
    CHECK_PREFIX,
    exercise_of,
    grade_id,
    is_check,
    restore,
)
from autograder.submission.run import DEATH, FLOOD, TIMEOUT, NotebookRunner
from autograder.text import plural

HANDED_OUT = Path(__file__).with_name("handed_out.ipynb")  # only a student's bundle has it

PASSED = ": all checks passed"  # how the last line ends that a graded cell prints
MOST_NOTES = 3  # on cells that are not graded
LONGEST_MESSAGE = 300  # characters of an exception that is not a check's own


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
        invalid: dict[str, Exception] = {}
        notebook = nbformat.read(file, as_version=4, capture_validation_error=invalid)
        if invalid:
            raise invalid["ValidationError"]
    except OSError as error:
        raise CourseError(f"{file} can't be read: {error.strerror}.") from error
    except Exception as error:  # nbformat takes much for granted, and raises whatever comes of it
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
    """True where a notebook has at least one of the official cells: it is of this chapter.

    Cells for what is carried don't tell: two chapters may take along functions of the same one.
    """
    names = {str(grade_id(cell)) for cell in official}
    own = {name for name in names if not name.startswith(CARRIED_PREFIX)}
    return any(grade_id(cell) in own for cell in notebook.cells)


def validate(
    file: Path,
    handed_out: nbformat.NotebookNode,
    runner: NotebookRunner,
    progress: Callable[[int, int], None] = lambda number, total: None,
    run_all: bool = False,
) -> tuple[list[ExerciseResult], list[str]]:
    """Run what a notebook's checks need, as it is graded, and tell what came of each exercise.

    Args:
        file: the notebook; it is not changed.
        handed_out: the notebook as it was handed out.
        runner: runs it.
        progress: called before each cell with its number and how many there are.
        run_all: also run the cells that no check needs.

    Returns:
        A result for each exercise, and notes: on graded cells that had to be restored, on other
        cells that failed, and on how many were not run.

    Raises:
        CourseError: the file is no notebook, or one of another course.
    """
    notebook = read_notebook(file)
    official = official_cells(handed_out)
    if not shares_checks(notebook, official):
        raise CourseError(
            f"{file.name} has none of this chapter's checks: it is another notebook, or its cells "
            "lost their marks. Then copy your answers into a fresh one."
        )
    notes = restore(notebook, official).sentences()
    plain = frozenset() if run_all else plain_sources(handed_out)
    needed = {id(cell) for cell in needed_cells(notebook, plain)}

    def is_left_out(cell: nbformat.NotebookNode) -> bool:
        return not is_check(cell) and id(cell) not in needed

    runner.run(
        notebook,
        skip=is_left_out,
        repeatable=lambda cell: not is_check(cell),
        progress=progress,
    )
    results: dict[str, ExerciseResult] = {}
    for cell in notebook.cells:
        if is_check(cell):
            exercise = exercise_of(str(grade_id(cell)))
            message = failure_message(cell, notebook)
            points = float(cell.metadata["nbgrader"]["points"])
            before = results.get(exercise, ExerciseResult(exercise, 0.0, 0.0, ""))
            results[exercise] = ExerciseResult(
                exercise,
                before.earned + (0.0 if message else points),
                before.points + points,
                before.message or message,
            )
    notes += _other_failures(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if left_out := told_left_out(sum(map(is_left_out, code))):
        notes.append(f"{left_out} --run-all runs all.")
    return list(results.values()), notes


def failure_message(cell: nbformat.NotebookNode, notebook: nbformat.NotebookNode) -> str:
    """Why a graded cell failed, without its source; empty where it passed.

    It passed where it ran to its last line, which says so; no other sign is taken for that.

    Args:
        cell: the graded cell, after the notebook was run.
        notebook: the notebook, in which the answer's own cell may tell more.
    """
    error = _error(cell)
    if error is None:
        printed = "".join(
            out.get("text", "") for out in cell.outputs if out.get("name") == "stdout"
        )
        if cell.execution_count is not None and passed_line(cell) in printed:
            return ""
        return "This check did not run to its end."
    name, text = error
    answer = _answer_error(cell, notebook)
    if answer and name == "NameError":
        return answer
    said = text if name in ("CheckFailed", "AssertionError") and text else f"{name}: {text}"
    if name not in ("CheckFailed", "UnknownInputs"):
        said = shorten(said, LONGEST_MESSAGE)
    return f"{answer}\n{said}" if answer else said


def passed_line(cell: nbformat.NotebookNode) -> str:
    """What a graded cell prints in its last line."""
    return str(grade_id(cell)).removeprefix(CHECK_PREFIX) + PASSED


def shorten(text: str, length: int) -> str:
    """The beginning of a text that is longer than `length` characters."""
    return text if len(text) <= length else text[:length] + " ..."


def _error(cell: nbformat.NotebookNode) -> tuple[str, str] | None:
    """Name and text of a cell's last error; None where there is none."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return (str(errors[-1].ename), str(errors[-1].evalue)) if errors else None


def _answer_error(check: nbformat.NotebookNode, notebook: nbformat.NotebookNode) -> str:
    """A sentence about the answer's own cell, where that is missing or failed itself."""
    exercise = exercise_of(str(grade_id(check)))
    for cell in notebook.cells:
        if grade_id(cell) == ANSWER_PREFIX + exercise:
            error = _error(cell)
            if error is None:
                return ""
            name, text = error
            said = text if name in (TIMEOUT, DEATH, FLOOD) else f"{name}: {text}"
            said = shorten(said, LONGEST_MESSAGE)
            return f"The cell with your answer to {exercise} did not run to its end. {said}"
    return f"The cell for your answer to {exercise} is missing from the notebook."


def _other_failures(notebook: nbformat.NotebookNode) -> list[str]:
    """Sentences about the cells that failed and are neither answers nor checks."""
    notes = []
    for cell in notebook.cells:
        marked = grade_id(cell)
        plain = marked is None or marked.startswith(CARRIED_PREFIX)
        if cell.cell_type == "code" and plain and _error(cell) is not None:
            name, text = _error(cell) or ("", "")
            begins = shorten(cell.source.strip().partition("\n")[0], 50)
            notes.append(
                f"A cell that is not graded failed. It begins with: {begins}\n"
                f"    {name}: {shorten(text.strip(), 120)}"
            )
    more = len(notes) - MOST_NOTES
    return notes if more <= 0 else [*notes[:MOST_NOTES], f"So did {plural(more, 'other cell')}."]


def handed_out_in_bundle() -> nbformat.NotebookNode | None:
    """The notebook that this bundle handed out; None where this is no bundle."""
    if not HANDED_OUT.exists():
        return None
    return nbformat.reads(HANDED_OUT.read_text(encoding="utf-8"), as_version=4)
