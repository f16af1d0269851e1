"""What leaves the course folder: feedback for students, and grades for the registry."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

from nbgrader.plugins import CsvExportPlugin, ExportPlugin

from autograder.errors import CourseError
from autograder.grading.course import Course
from autograder.grading.release import reason

EXPORTERS = {"csv": CsvExportPlugin}


def write_feedback(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    progress: Callable[[str], None] = lambda student: None,
) -> list[Path]:
    """Write a page of feedback for each graded submission.

    Args:
        course: the course folder.
        assignment: the assignment.
        students: only these; all who were graded where empty.
        progress: called with each student's id when that one is done.

    Returns:
        The pages.

    Raises:
        CourseError: nothing was graded yet, or nbgrader refuses.
    """
    course.require()
    graded = graded_students(course, assignment)
    if not graded:
        raise CourseError(f"Nothing of {assignment} is graded in {course.root}: run `grade` first.")
    unknown = sorted(set(students) - set(graded))
    if unknown:
        raise CourseError(f"{unknown[0]} has no graded {assignment}: run `grade` first.")
    api = course.api()
    pages = []
    for student in students or graded:
        result = api.generate_feedback(assignment, student, force=True)
        if not result["success"]:
            raise CourseError(f"No feedback could be made for {student}: {reason(result)}")
        pages.append(course.folder("feedback", student, assignment) / f"{assignment}.html")
        progress(student)
    return pages


def graded_students(course: Course, assignment: str) -> list[str]:
    """The students whose submission of the assignment is graded."""
    folders = course.folder("autograded").glob(f"*/{assignment}")
    return sorted(folder.parent.name for folder in folders if folder.is_dir())


def export_grades(course: Course, target: Path, exporter: str = "csv") -> None:
    """Write all grades into a file.

    Args:
        course: the course folder.
        target: the file.
        exporter: "csv", or the dotted path of an nbgrader export plug-in.

    Raises:
        CourseError: there is no such exporter.
    """
    course.require()
    plugin = find_exporter(exporter)()
    target.parent.mkdir(parents=True, exist_ok=True)
    plugin.to = str(target)
    with course.gradebook() as gradebook:
        plugin.export(gradebook)


def find_exporter(name: str) -> type[ExportPlugin]:
    """The export plug-in of that name.

    Raises:
        CourseError: there is none.
    """
    if name in EXPORTERS:
        return EXPORTERS[name]
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        known = ", ".join(EXPORTERS)
        raise CourseError(
            f"There is no exporter {name!r}: name {known}, or the dotted path of a plug-in."
        ) from error
    if not (isinstance(found, type) and issubclass(found, ExportPlugin)):
        raise CourseError(f"{name} is no export plug-in of nbgrader.")
    return found
