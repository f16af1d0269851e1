"""Entering verdicts into the gradebook: as nbgrader does it, at once, and never twice."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import BasePlugin
from traitlets.config import Config

from autograder.box.isolation import probe
from autograder.chapters import Chapter
from autograder.grading.course import CONFIG_FILE, Course, Running
from autograder.grading.execution import Assignment
from autograder.grading.grade import grade
from autograder.grading.preprocessors import VERDICTS
from autograder.grading.record import TABLE, entered_grades
from autograder.grading.release import release
from autograder.sample_class import write_sample_class
from autograder.submission.needed import needed_cells
from autograder.submission.restore import is_check

pytestmark = pytest.mark.slow

# What a gradebook says, without the ids that are drawn at random.
ROWS = """
    SELECT student.id, cell.name, cell.type, grade.auto_score, grade.manual_score,
        grade.extra_credit, grade.needs_manual_grade, comment.auto_comment, comment.manual_comment,
        submitted_notebook.late_submission_penalty, submitted_notebook.flagged,
        submitted_assignment.timestamp, submitted_assignment.extension
    FROM submitted_assignment
    JOIN student ON student.id = submitted_assignment.student_id
    JOIN submitted_notebook ON submitted_notebook.assignment_id = submitted_assignment.id
    JOIN base_cell AS cell ON cell.notebook_id = submitted_notebook.notebook_id
    LEFT JOIN grade ON grade.cell_id = cell.id AND grade.notebook_id = submitted_notebook.id
    LEFT JOIN comment ON comment.cell_id = cell.id AND comment.notebook_id = submitted_notebook.id
    ORDER BY student.id, cell.name"""

HOW = Running(12, isolation="process")
HONEST = ("bo-written-differently", "dan-half-done")
STUDENTS = (*HONEST, "ada-all-right", "cleo-stubs-only", "ivo-moved-cells", "kim-no-file")


def rows(course: Course) -> list[tuple[Any, ...]]:
    """All that the gradebook says about submissions."""
    with sqlite3.connect(course.gradebook_file) as connection:
        return connection.execute(ROWS).fetchall()


def notebook_of(course: Course, student: str, chapter: Chapter) -> nbformat.NotebookNode:
    """A graded notebook."""
    file = course.folder("autograded", student, chapter.slug) / f"{chapter.slug}.ipynb"
    return nbformat.read(file, as_version=4)


class HalfOff(BasePlugin):  # type: ignore[misc]
    """An instructor's plug-in for late submissions."""

    def late_submission_penalty(self, student: str, score: float, seconds: float) -> float:
        """Half of what was earned."""
        return score / 2


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory, chapter: Chapter) -> Path:
    """A class that has handed in; its folder is not to be changed."""
    course = Course(tmp_path_factory.mktemp("class") / "course")
    release(course, [chapter])
    write_sample_class(course)
    for folder in course.folder("submitted").iterdir():
        if folder.name not in STUDENTS:
            shutil.rmtree(folder)
    late = course.folder("submitted", "dan-half-done", chapter.slug) / "timestamp.txt"
    late.write_text("2026-01-02 12:00:00 UTC")
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment(chapter.slug, duedate="2026-01-01 12:00:00 UTC")
    configure(course, "c.AssignLatePenalties.plugin_class = 'tests.test_record.HalfOff'")
    return course.root


def configure(course: Course, line: str) -> None:
    """Add a line to nbgrader's configuration."""
    file = course.root / CONFIG_FILE
    file.write_text(f"{file.read_text()}{line}\n")


@pytest.fixture(scope="module")
def ours(handed_in: Path, tmp_path_factory: pytest.TempPathFactory, chapter: Chapter) -> Course:
    """The class, graded by the course."""
    course = Course(shutil.copytree(handed_in, tmp_path_factory.mktemp("ours") / "course"))
    assert [mark.failure for mark in grade(course, chapter.slug, how=HOW)] == [""] * len(STUDENTS)
    return course


@pytest.fixture(scope="module")
def theirs(ours: Course, handed_in: Path, chapter: Chapter) -> Course:
    """The same class and verdicts, entered by nbgrader's own `autograde`.

    A setting of an instructor for `autograde` leaves the recording to it.
    """
    course = Course(shutil.copytree(handed_in, ours.root.parent / "theirs"))
    shutil.copytree(ours.root / VERDICTS, course.root / VERDICTS)
    configure(course, "c.Autograde.permissions = 440")
    assert [mark.failure for mark in grade(course, chapter.slug, how=HOW)] == [""] * len(STUDENTS)
    return course


def test_the_gradebook_is_as_nbgrader_s_own_autograde_makes_it(
    ours: Course, theirs: Course
) -> None:
    assert rows(ours) == rows(theirs)
    assert len(rows(ours)) > 50
    assert any(row[9] for row in rows(ours)), "nobody was late"


def test_graded_notebooks_are_as_nbgrader_s_own_autograde_writes_them(
    ours: Course, theirs: Course, chapter: Chapter
) -> None:
    for student in STUDENTS:
        first, second = (notebook_of(course, student, chapter) for course in (ours, theirs))
        for name in ("kernelspec", "grading"):
            assert first.metadata[name] == second.metadata[name]
        assert without_ids(first) == without_ids(second)
        folders = [course.folder("autograded", student, chapter.slug) for course in (ours, theirs)]
        files = [sorted(file.name for file in folder.iterdir()) for folder in folders]
        assert files[0] == files[1]
        modes = [(folder / files[0][0]).stat().st_mode & 0o777 for folder in folders]
        assert modes == [0o444, 0o440]


def without_ids(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The cells of a notebook without their random ids."""
    return [{name: cell[name] for name in cell if name != "id"} for cell in notebook.cells]


def test_marks_are_stock_nbgrader_s_on_honest_submissions(
    handed_in: Path, ours: Course, tmp_path: Path, chapter: Chapter
) -> None:
    stock = Course(tmp_path)
    for folder in ("source", "release"):
        shutil.copytree(handed_in / folder, tmp_path / folder)
    for student in HONEST:
        file = ours.folder("submitted", student, chapter.slug) / f"{chapter.slug}.ipynb"
        notebook = nbformat.read(file, as_version=4)
        needed = needed_cells(notebook, Assignment.of_chapter(chapter).handed_out)
        notebook.cells = [cell for cell in notebook.cells if cell in needed or is_check(cell)]
        target = stock.folder("submitted", student, chapter.slug) / file.name
        target.parent.mkdir(parents=True)
        target.write_text(nbformat.writes(notebook), encoding="utf-8")
    config = Config()
    config.CourseDirectory.root = str(tmp_path)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    assert api.generate_assignment(chapter.slug, force=True)["success"]
    for student in HONEST:
        assert api.autograde(chapter.slug, student)["success"]
    with ours.gradebook() as first, stock.gradebook() as second:
        known = entered_grades(first, chapter.slug)
        for student, entered in entered_grades(second, chapter.slug).items():
            assert sorted(entered.grades) == sorted(known[student].grades)


def test_a_manual_mark_survives_and_what_is_entered_twice_counts_once(
    ours: Course, tmp_path: Path, chapter: Chapter
) -> None:
    course = Course(shutil.copytree(ours.root, tmp_path / "course"))
    name = f"check-{chapter.graded[0].name}"
    with course.gradebook() as gradebook:
        one = gradebook.find_grade(name, chapter.slug, chapter.slug, "cleo-stubs-only")
        one.manual_score, one.extra_credit = 1.0, 0.5
        gradebook.db.commit()
    for _ in range(2):
        [mark] = grade(course, chapter.slug, ["cleo-stubs-only"], again=True, how=HOW)
        assert mark.earned == 1.5
    assert len(rows(course)) == len(rows(ours))


def test_the_level_of_isolation_is_recorded_with_each_grade(ours: Course, chapter: Chapter) -> None:
    level = probe().level.name.lower()
    with sqlite3.connect(ours.gradebook_file) as connection:
        found = connection.execute(f"SELECT isolation FROM {TABLE}").fetchall()
    assert found == [(level,)] * len(STUDENTS)
    for student in STUDENTS:
        assert notebook_of(ours, student, chapter).metadata["grading"]["isolation"] == level
