"""Taking submissions in: whatever a student's folder holds, one notebook that can be graded.

What was handed in is read and never written. Its notebook is copied to `intake/`, alone, since no
other file of a student belongs beside the checks; where there is none that can be graded, the
empty assignment takes its place, with the reason at its top.
"""

from __future__ import annotations

import copy
import os
import shutil
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import nbformat
from nbgrader.utils import parse_utc

from autograder.errors import CourseError
from autograder.grading.course import Course
from autograder.grading.harmless import MOST_BYTES, make_harmless, note_cell, reason_against
from autograder.grading.released import released_cells, restore_cells, write_notebook
from autograder.submission.validate import official_cells, read_notebook, shares_checks
from autograder.text import plain_text

TIMESTAMP = "timestamp.txt"
MOST_NOTEBOOKS = 20  # of one folder that are looked at


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


class Intake:
    """Takes in the submissions of an assignment.

    Args:
        course: the course folder.
        assignment: the assignment.
        forbidden: by exercise, what it is to be written without.
    """

    def __init__(
        self,
        course: Course,
        assignment: str,
        forbidden: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.course, self.assignment = course, assignment
        self._forbidden = forbidden or {}
        name = f"{assignment}.ipynb"
        self._released = read_notebook(course.folder("release", assignment=assignment) / name)
        with course.gradebook() as gradebook:
            self._official = released_cells(gradebook, assignment, assignment)
        known = [nbformat.writes(self._released), *(cell.source for cell in self._official)]
        self._fingerprint = sha256("\0".join(known).encode()).digest()

    def take(self, student: str) -> Submission:
        """Write a student's notebook to `intake/`, its graded cells as the gradebook has them.

        Where there is none that can be graded, the empty assignment takes its place.
        """
        handed_in = self.course.folder("submitted", student, self.assignment)
        submission = Submission(student, _digest(handed_in, self._fingerprint))
        notebook = _choose(handed_in, self.assignment, self._released, submission)
        submission.notes += restore_cells(notebook, self._official, self._forbidden)
        target = self.file(student)
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir(parents=True)
        write_notebook(notebook, target)
        if (handed_in_at := _timestamp(handed_in, submission)) is not None:
            when = f"{handed_in_at:%Y-%m-%d %H:%M:%S.%f} UTC"
            (target.parent / TIMESTAMP).write_text(when, encoding="utf-8")
        return submission

    def file(self, student: str) -> Path:
        """Where a student's notebook lies after it was taken in."""
        return self.course.folder("intake", student, self.assignment) / f"{self.assignment}.ipynb"


def _choose(
    folder: Path, assignment: str, released: nbformat.NotebookNode, submission: Submission
) -> nbformat.NotebookNode:
    """The notebook to grade, with what there is to say about it entered in `submission.notes`."""
    official = official_cells(released)
    expected = folder / f"{assignment}.ipynb"
    reasons = []
    files = _notebooks(folder)
    # A browser that downloads a file twice renames it, as does a file manager that copies one.
    files.sort(key=lambda file: (file != expected, -file.lstat().st_mtime))
    for file in files[:MOST_NOTEBOOKS]:
        name = plain_text(file.name, 100)
        try:
            notebook = _read(file)
        except CourseError as error:
            reasons.append(plain_text(str(error), 400))
            continue
        if not shares_checks(notebook, official):
            reasons.append(f"{name} is not the notebook of this assignment.")
            continue
        if file != expected:
            submission.notes.append(f"{name} was graded, as it is this assignment's notebook.")
        return _clean(notebook, released)
    if not files:
        reasons.append(f"No notebook was handed in: {expected.name} is missing.")
    submission.notes += reasons
    empty = _clean(copy.deepcopy(released), released)
    empty.cells.insert(0, note_cell("Nothing could be graded:", reasons))
    return empty


def _notebooks(folder: Path) -> list[Path]:
    """The folder's notebooks; links are none, since they may lead to anybody's file."""
    if folder.is_symlink() or folder.parent.is_symlink():
        return []
    return [file for file in folder.glob("*.ipynb") if not file.is_symlink()]


def _read(file: Path) -> nbformat.NotebookNode:
    """Read a notebook that a student handed in.

    Raises:
        CourseError: it can't be read, or is too large to be graded.
    """
    about = file.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise CourseError(f"{file.name} is not a notebook that can be read: it is no file.")
    if about.st_size > MOST_BYTES:
        raise CourseError(
            f"{file.name} is too large: it has more than {MOST_BYTES // 1_000_000} MB. Clear its "
            "outputs, and hand it in again."
        )
    notebook = read_notebook(file)
    if reason := reason_against(notebook):
        raise CourseError(f"{file.name} is too large: {reason}.")
    return notebook


def _clean(
    notebook: nbformat.NotebookNode, released: nbformat.NotebookNode
) -> nbformat.NotebookNode:
    """The notebook in the present format, its cells' ids in order, and nothing harmful in it."""
    make_harmless(notebook, {cell.source for cell in released.cells})
    notebook.metadata = copy.deepcopy(released.metadata)
    notebook = nbformat.v4.upgrade(notebook)
    _, notebook = nbformat.validator.normalize(notebook)
    return notebook


def _timestamp(folder: Path, submission: Submission) -> datetime | None:
    """When it was handed in, where nbgrader or a registry wrote that down."""
    file = folder / TIMESTAMP
    if file.is_symlink() or not file.is_file():
        return None
    try:
        with file.open(encoding="utf-8") as opened:
            when: datetime = parse_utc(opened.read(100).strip())
        return when
    except (ValueError, OverflowError, OSError):
        submission.notes.append(f"{TIMESTAMP} holds no time, and was left out.")
        return None


def _digest(folder: Path, assignment: bytes) -> str:
    """Fingerprint of everything that a mark depends on."""
    total = sha256(assignment)
    for file in [*sorted(_notebooks(folder))[:MOST_NOTEBOOKS], folder / TIMESTAMP]:
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= MOST_BYTES:
            total.update(os.fsencode(file.name) + b"\0" + file.read_bytes())
    return total.hexdigest()
