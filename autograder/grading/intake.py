"""Taking submissions in: whatever a student's folder holds, one notebook that can be graded.

What was handed in is read and never written. Its notebook is copied to `intake/`, alone, since no
other file of a student belongs beside the checks; where there is none that can be graded, the
empty assignment takes its place, with the reason at its top.
"""

from __future__ import annotations

import copy
import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from autograder.errors import CourseError
from autograder.grading.course import Course
from autograder.grading.preprocessors import note_cell
from autograder.submission.validate import official_cells, read_notebook, shares_checks

TIMESTAMP = "timestamp.txt"


@dataclass
class Submission:
    """What one student handed in for one assignment.

    Args:
        student: the student's id.
        digest: fingerprint of what was handed in; grading again is needed when it changes.
        notes: what was put right or is missing.
    """

    student: str
    digest: str
    notes: list[str] = field(default_factory=list)


def students_of(course: Course, assignment: str) -> list[str]:
    """The students who have a folder for the assignment."""
    folders = course.folder("submitted").glob(f"*/{assignment}")
    return sorted(folder.parent.name for folder in folders if folder.is_dir())


def take_in(course: Course, assignment: str, student: str) -> Submission:
    """Copy a student's notebook to `intake/`, or the empty assignment where there is none.

    Args:
        course: the course folder.
        assignment: the assignment.
        student: the student.
    """
    handed_in = course.folder("submitted", student, assignment)
    released = read_notebook(
        course.folder("release", assignment=assignment) / f"{assignment}.ipynb"
    )
    submission = Submission(student, _digest(handed_in, released))
    notebook = _choose(handed_in, assignment, released, submission)
    target = course.folder("intake", student, assignment)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (target / f"{assignment}.ipynb").write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    if (handed_in / TIMESTAMP).is_file():
        shutil.copyfile(handed_in / TIMESTAMP, target / TIMESTAMP)
    return submission


def _choose(
    folder: Path, assignment: str, released: nbformat.NotebookNode, submission: Submission
) -> nbformat.NotebookNode:
    """The notebook to grade, with what there is to say about it entered in `submission.notes`."""
    official = official_cells(released)
    expected = folder / f"{assignment}.ipynb"
    reasons = []
    candidates = [expected] if expected.exists() else []
    # A browser that downloads a file twice renames it, as does a file manager that copies one.
    others = sorted(set(folder.glob("*.ipynb")) - {expected}, key=lambda f: f.stat().st_mtime)
    for file in [*candidates, *reversed(others)]:
        try:
            notebook = read_notebook(file)
        except CourseError as error:
            reasons.append(str(error))
            continue
        if not shares_checks(notebook, official):
            reasons.append(f"{file.name} is not the notebook of this assignment.")
            continue
        if file != expected:
            submission.notes.append(f"{file.name} was graded, as it is this assignment's notebook.")
        return _clean(notebook)
    if not candidates and not others:
        reasons.append(f"No notebook was handed in: {expected.name} is missing.")
    submission.notes += reasons
    empty = copy.deepcopy(released)
    empty.cells.insert(0, note_cell("Nothing could be graded:", reasons))
    return empty


def _clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook in the present format, its cells' ids in order."""
    notebook = nbformat.v4.upgrade(notebook)
    _, notebook = nbformat.validator.normalize(notebook, strip_invalid_metadata=True)
    return notebook


def _digest(folder: Path, released: nbformat.NotebookNode) -> str:
    total = hashlib.sha256(nbformat.writes(released).encode())
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            total.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return total.hexdigest()
