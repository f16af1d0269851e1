"""The commands that students have, too: `validate` and `carry`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.errors import CourseError

if TYPE_CHECKING:
    import nbformat

    from autograder.submission.validate import ExerciseResult

NOT_ALL_PASSED = 1  # exit code

console = Console(highlight=False)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("validate")(validate_notebook)
    app.command("carry")(carry_answers)


def validate_notebook(
    notebook: Annotated[Path, typer.Argument(help="The notebook to check.")],
    seconds: Annotated[float, typer.Option(help="How long one cell may take.", min=1)] = 180.0,
    run_all: Annotated[bool, typer.Option(help="Also cells that no check needs.")] = False,
) -> None:
    """Run a notebook as it is graded and show which exercises pass; it is not changed.

    Exit code 0: all pass. 1: not all do. 2: the notebook can't be checked.
    """
    from autograder.submission.run import Limits, NotebookRunner
    from autograder.submission.validate import handed_out_in_bundle, validate

    handed_out = handed_out_in_bundle() or _handed_out_by_course(notebook)
    runner = NotebookRunner(Limits(seconds=seconds), environment=_paths(notebook))
    with console.status("Starting...") as status:
        results, notes = validate(
            notebook,
            handed_out,
            runner,
            lambda number, total: status.update(f"Running cell {number} of {total}..."),
            run_all,
        )
    console.print(_table(results))
    for note in notes:
        console.print(note, markup=False)
    failed = [result for result in results if result.message]
    for result in failed:
        console.print(Text(f"\n{result.exercise}", style="bold"))
        console.print(result.message, markup=False)
    raise typer.Exit(NOT_ALL_PASSED if failed else 0)


def carry_answers(
    earlier: Annotated[Path, typer.Argument(help="Your notebook of the earlier chapter.")],
    notebook: Annotated[Path, typer.Argument(help="The notebook that needs functions of it.")],
) -> None:
    """Copy the functions that a notebook builds on from your notebook of an earlier chapter.

    The earlier notebook is not changed. Save and close the other one first.
    """
    from autograder.submission.carry import carry
    from autograder.submission.validate import handed_out_in_bundle

    handed_out = handed_out_in_bundle() or _handed_out_by_course(notebook)
    names = carry(earlier, notebook, handed_out)
    console.print(f"{notebook.name} now has your {', '.join(names)}.", markup=False)


def _table(results: list[ExerciseResult]) -> Table:
    table = Table("Exercise", "Result", show_footer=True)
    earned, points = sum(r.earned for r in results), sum(r.points for r in results)
    table.add_column("Points", justify="right", footer=f"{earned:g}/{points:g}")
    table.columns[0].footer = "Total"
    for result in results:
        outcome = (
            Text("not yet", style="yellow") if result.message else Text("passes", style="green")
        )
        table.add_row(result.exercise, outcome, f"{result.earned:g}/{result.points:g}")
    return table


def _paths(notebook: Path) -> dict[str, str]:
    """What the kernel needs to find this package and the data from an empty folder.

    It runs in an empty one so that a notebook which needs other files fails here, as it would when
    it is graded.
    """
    root = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    near = notebook.resolve().parent / "data"
    return {"PYTHONPATH": paths, "COURSE_DATA": str(near if near.exists() else root / "data")}


def _handed_out_by_course(file: Path) -> nbformat.NotebookNode:
    """The handed-out notebook of the chapter that a file belongs to, by its checks."""
    from autograder.chapters import load_chapters
    from autograder.submission.validate import official_cells, read_notebook, shares_checks
    from autograder.weave.notebook import student_notebook

    submitted = read_notebook(file)
    for chapter in load_chapters():
        handed_out = student_notebook(chapter)
        if shares_checks(submitted, official_cells(handed_out)):
            return handed_out
    raise CourseError(f"{file.name} is not a notebook of this course: it has none of its checks.")
