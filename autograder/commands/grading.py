"""Commands for instructors: `release`, `grade`, `feedback`, `export` and `sample`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from autograder.commands.house import chosen
from autograder.text import plain_text

if TYPE_CHECKING:
    from autograder.grading.course import Course
    from autograder.grading.grade import Mark

NOT_ALL_GRADED = 1  # exit code

CourseFolder = Annotated[Path, typer.Option("--course", help="The course folder.")]
Chosen = Annotated[str | None, typer.Argument(help="Only this chapter.")]
Students = Annotated[list[str] | None, typer.Option("--student", help="Only this student.")]

console = Console(highlight=False)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (release, grade, feedback, export, sample):
        app.command()(command)


def release(assignment: Chosen = None, course: CourseFolder = Path("course")) -> None:
    """Write the course folder: sources, students' notebooks and bundles, gradebook."""
    from autograder.grading.release import release as release_chapters

    chapters = chosen(assignment)
    with console.status("Releasing..."):
        release_chapters(_course(course), chapters)
    for chapter in chapters:
        console.print(f"{chapter.slug}: {chapter.points:g} points, released.")
    console.print(f"The course folder is {course}; bundles for students are in {course}/bundles.")


def grade(
    assignment: Chosen = None,
    course: CourseFolder = Path("course"),
    student: Students = None,
    again: Annotated[bool, typer.Option(help="Also what has not changed.")] = False,
    seconds: Annotated[float | None, typer.Option(help="Limit for one cell.", min=1)] = None,
    require_isolation: Annotated[
        str | None, typer.Option(help="Least isolation: sandbox, container or process.")
    ] = None,
    run_all: Annotated[bool, typer.Option(help="Also cells that no graded cell needs.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes; one a core.", min=1)] = None,
) -> None:
    """Grade what was handed in.

    Exit code 0: all graded. 1: some could not be. 2: there is nothing to grade.
    """
    from autograder.grading.course import Running
    from autograder.grading.grade import grade as grade_class
    from autograder.grading.intake import students_of

    where = _course(course)
    where.require()
    how = Running(seconds, require_isolation, run_all, workers)
    failures = 0
    for name in _assignments(where, assignment, students_of):
        with _progress(f"Grading {name}", len(student or students_of(where, name))) as step:
            marks = grade_class(where, name, student or (), again, how, step)
        console.print(_table(name, marks))
        for mark in marks:
            for note in [*mark.notes, *([f"Not graded: {mark.failure}"] if mark.failure else [])]:
                said = plain_text(f"{mark.student}: {note}", 1000)
                console.print(said, markup=False, soft_wrap=True)
        failures += sum(bool(mark.failure) for mark in marks)
    raise typer.Exit(NOT_ALL_GRADED if failures else 0)


def feedback(
    assignment: Chosen = None,
    course: CourseFolder = Path("course"),
    student: Students = None,
) -> None:
    """Write a page for each graded submission, to give back to its student."""
    from autograder.grading.report import graded_students, write_feedback

    where = _course(course)
    where.require()
    for name in _assignments(where, assignment, graded_students):
        with _progress(f"Feedback {name}", len(student or graded_students(where, name))) as step:
            pages = write_feedback(where, name, student or (), step)
        console.print(f"{len(pages)} pages of feedback on {name} are in {course}/feedback.")


def export(
    course: CourseFolder = Path("course"),
    to: Annotated[Path | None, typer.Option(help="The file; COURSE/grades.csv.")] = None,
    exporter: Annotated[str, typer.Option(help="csv, or a plug-in's dotted path.")] = "csv",
) -> None:
    """Write all grades into one file."""
    from autograder.grading.report import export_grades

    target = to or course / "grades.csv"
    export_grades(_course(course), target, exporter)
    console.print(f"The grades are in {target}.", soft_wrap=True)


def sample(course: CourseFolder = Path("course")) -> None:
    """Hand in for a small made-up class, so that there is something to grade."""
    from autograder.sample_class import write_sample_class

    where = _course(course)
    where.require()
    students = write_sample_class(where)
    console.print(f"{len(students)} sample students handed in: {', '.join(students)}.")


def _course(folder: Path) -> Course:
    from autograder.grading.course import Course

    return Course(folder)


def _assignments(
    course: Course, name: str | None, present: Callable[[Course, str], list[str]]
) -> list[str]:
    """The assignment that was named, or all that somebody is in; the first where nobody is."""
    if name is not None:
        return [chosen(name)[0].slug]
    released = course.released()
    return [one for one in released if present(course, one)] or released[:1]


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[str], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda student: progress.update(
            task, advance=1, description=f"{title}: {escape(plain_text(student, 100))} done"
        )


def _table(assignment: str, marks: list[Mark]) -> Table:
    table = Table("Student", title=f"{assignment}: {len(marks)} submissions")
    table.add_column("Points", justify="right")
    table.add_column("Lost points in")
    for mark in marks:
        if mark.failure:
            points = Text("not graded", style="red")
        else:
            points = Text(f"{mark.earned:g}/{mark.points:g}")
        kept = "" if mark.again else " (unchanged)"
        table.add_row(Text(plain_text(mark.student, 100) + kept), points, ", ".join(mark.lost))
    return table
