"""Marks of the sample class, nbgrader's traps, and what students get back."""

from __future__ import annotations

import copy
import csv
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbgrader.utils import determine_grade

from autograder.box.session import TimeLimits
from autograder.chapters import Chapter, find_chapter, load_chapters
from autograder.errors import CourseError
from autograder.grading.course import CONFIG_FILE, Course
from autograder.grading.execution import Assignment, Execution, tidy
from autograder.grading.grade import grade
from autograder.grading.intake import Intake
from autograder.grading.release import release
from autograder.grading.report import export_grades, write_feedback
from autograder.sample_class import expected_points, sample_answers
from autograder.submission.restore import grade_id, is_check
from autograder.submission.validate import failure_message
from autograder.weave.stubs import solution_cell
from tests.conftest import CHAPTER_STUDENTS, GradedClass
from tests.test_weave import secrets_of

pytestmark = pytest.mark.slow


def answered(released: Path, chapter: Chapter, changes: dict[str, str]) -> nbformat.NotebookNode:
    """The released notebook with all answers right, but for some exercises."""
    file = released / "release" / chapter.slug / f"{chapter.slug}.ipynb"
    notebook = nbformat.reads(file.read_text(encoding="utf-8"), as_version=4)
    for cell in notebook.cells:
        name = (grade_id(cell) or "").removeprefix("answer-")
        if name in {exercise.name for exercise in chapter.exercises} and not is_check(cell):
            cell.source = changes.get(name, solution_cell(chapter.module, name))
    return notebook


def execute(notebook: nbformat.NotebookNode, chapter: Chapter) -> None:
    """Run a notebook as a submission."""
    execution = Execution(Assignment.of_chapter(chapter), TimeLimits(cell=20))
    try:
        execution.execute(notebook)
    finally:
        execution.close()


def earned(notebook: nbformat.NotebookNode) -> dict[str, bool]:
    """Which graded cells of a run notebook passed, as nbgrader will read it."""
    return {
        str(grade_id(cell)): not any(output.output_type == "error" for output in cell.outputs)
        for cell in notebook.cells
        if is_check(cell)
    }


def test_every_student_of_the_sample_class_gets_exactly_what_is_due(graded: GradedClass) -> None:
    for assignment, marks in graded.marks.items():
        chapter = find_chapter(assignment)
        due = expected_points(chapter)
        assert len(marks) >= len(CHAPTER_STUDENTS)
        assert {name: mark.earned for name, mark in marks.items()} == {n: due[n] for n in marks}
        assert {mark.points for mark in marks.values()} == {chapter.points}
        assert all(mark.failure == "" for mark in marks.values())


def test_the_sample_class_has_every_kind_of_submission(chapters: tuple[Chapter, ...]) -> None:
    for chapter in chapters:
        points = expected_points(chapter)
        assert points["ada-all-right"] == points["bo-written-differently"] == chapter.points
        assert points["cleo-stubs-only"] == points["jan-broken-file"] == points["kim-no-file"] == 0
        for student in ("dan-half-done", "finn-endless-loop", "gita-syntax-error"):
            assert 0 < points[student] < chapter.points
        assert points["eve-misconceptions"] < chapter.points
        written = sample_answers(chapter)
        assert len(written) >= 6
        assert written["bo-written-differently"] != written["ada-all-right"]


def test_a_lost_point_has_its_reason_in_the_feedback(
    graded: GradedClass, chapters: tuple[Chapter, ...], tmp_path: Path
) -> None:
    course = Course(shutil.copytree(graded.course.root, tmp_path / "class"))
    reasons = {
        "cleo-stubs-only": "is not written yet",
        "finn-endless-loop": "did not end within",
        "gita-syntax-error": "did not run to its end. SyntaxError",
        "hal-dead-kernel": "The process died",
        "jan-broken-file": "not a notebook that can be read",
        "kim-no-file": "No notebook was handed in",
        "ivo-moved-cells": "was missing and was put back",
    }
    for chapter in chapters:
        pages = {page.parts[-3]: page for page in write_feedback(course, chapter.slug)}
        for student in graded.marks[chapter.slug]:
            part, page = reasons.get(student, ""), pages[student].read_text(encoding="utf-8")
            assert part in page, student
            assert "Not run: " in page, "no experiment is needed by a check"
    assert set(reasons) <= set(graded.marks[chapters[0].slug])


def test_no_feedback_shows_a_hidden_check(
    graded: GradedClass, chapters: tuple[Chapter, ...], tmp_path: Path
) -> None:
    course = Course(shutil.copytree(graded.course.root, tmp_path / "class"))
    for chapter in chapters:
        hidden = []
        for cell in chapter.graded:
            part = chapter.source(cell).partition("### BEGIN HIDDEN TESTS")[2]
            hidden += [line.strip() for line in part.splitlines() if len(line.strip()) > 25]
        released = course.root / "release" / chapter.slug / f"{chapter.slug}.ipynb"
        shown = "\n".join(cell.source for cell in nbformat.read(released, as_version=4).cells)
        secrets = [line for line in hidden if line not in shown and "HIDDEN" not in line]
        assert secrets
        for page in write_feedback(course, chapter.slug):
            text = _text_of(page)
            assert "HIDDEN TESTS" not in text
            assert [secret for secret in secrets if secret in text] == [], page
        for page in write_feedback(course, chapter.slug, ["cleo-stubs-only"]):
            assert [secret for secret in secrets_of(chapter) if secret in _text_of(page)] == []


def _text_of(page: Path) -> str:
    """What a page says, without the colouring of its code."""
    import html
    import re

    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_grades_are_exported_with_each_student_s_points(
    graded: GradedClass, tmp_path: Path
) -> None:
    target = tmp_path / "grades.csv"
    export_grades(graded.course, target)
    with target.open(encoding="utf-8") as file:
        rows = {(row["assignment"], row["student_id"]): row for row in csv.DictReader(file)}
    for assignment, marks in graded.marks.items():
        for student, mark in marks.items():
            assert float(rows[assignment, student]["score"]) == mark.earned


def test_what_has_not_changed_is_not_graded_again(graded: GradedClass, tmp_path: Path) -> None:
    course = Course(shutil.copytree(graded.course.root, tmp_path / "class"))
    assignment, student = next(iter(graded.marks)), "dan-half-done"
    [same] = grade(course, assignment, [student])
    assert (same.again, same.earned) == (False, graded.marks[assignment][student].earned)
    handed_in = course.folder("submitted", student, assignment) / f"{assignment}.ipynb"
    other = course.folder("submitted", "ada-all-right", assignment) / f"{assignment}.ipynb"
    shutil.copyfile(other, handed_in)
    [better] = grade(course, assignment, [student])
    assert (better.again, better.earned) == (True, better.points)


def test_what_was_handed_in_is_never_written(graded: GradedClass) -> None:
    for assignment in graded.marks:  # all have handed in, whether they were graded or not
        broken = graded.course.folder("submitted", "jan-broken-file", assignment)
        assert (broken / f"{assignment}.ipynb").read_text(encoding="utf-8").startswith("{")
        assert list(graded.course.folder("submitted", "kim-no-file", assignment).iterdir()) == []


def test_a_warning_on_stderr_costs_nobody_a_point(released: Path, chapter: Chapter) -> None:
    first = chapter.exercises[0].name
    noisy = solution_cell(chapter.module, first).replace(
        "    ### BEGIN SOLUTION",
        "    import sys, warnings\n    warnings.warn('deprecated')\n"
        "    print('a bar', file=sys.stderr)\n    print('debugging')\n    ### BEGIN SOLUTION",
    )
    notebook = answered(released, chapter, {first: noisy})
    execute(notebook, chapter)
    assert all(earned(notebook).values())
    for cell in notebook.cells:
        if is_check(cell):
            assert [output.output_type for output in cell.outputs] == ["stream"]
            assert cell.outputs[0].name == "stdout"


def test_a_value_at_the_end_of_a_graded_cell_is_never_read_as_a_grade() -> None:
    marks = {"grade": True, "grade_id": "check-x", "points": 2}
    cell = nbformat.v4.new_code_cell("x", metadata={"nbgrader": marks})
    cell.execution_count = 1
    result = nbformat.v4.new_output("execute_result", data={"text/plain": "2.0"})
    printed = nbformat.v4.new_output("stream", name="stdout", text="x: all checks passed\n")
    for outputs, passes in (([result], False), ([printed, result], True), ([], False)):
        cell.outputs = outputs
        message = failure_message(cell, nbformat.v4.new_notebook(cells=[cell]))
        assert (message == "") is passes
        tidy(cell, message)
        assert determine_grade(cell) == (2 if passes else 0, 2)


def test_a_check_that_did_not_run_to_its_end_gives_nothing(
    released: Path, chapter: Chapter
) -> None:
    first = chapter.exercises[0].name
    for body in ("print('x' * 6_000_000)\n    return None", "exit()", "import os\n    os._exit(0)"):
        answer = f"def {first}(*inputs, **options):\n    {body}\n"
        notebook = answered(released, chapter, {first: answer})
        execute(notebook, chapter)
        for name, passes in earned(notebook).items():
            assert passes == (not name.startswith(f"check-{first}")), (body, name)


def test_whole_bundle_handed_in_is_graded_by_the_reference(
    released: Path, chapter: Chapter, tmp_path: Path
) -> None:
    course = Course(shutil.copytree(released, tmp_path / "course"))
    folder = course.folder("submitted", "lea", chapter.slug)
    folder.mkdir(parents=True)
    shutil.unpack_archive(course.root / "bundles" / f"{chapter.slug}.zip", tmp_path / "unpacked")
    shutil.copytree(tmp_path / "unpacked" / chapter.slug, folder, dirs_exist_ok=True)
    notebook = answered(released, chapter, {})
    (folder / f"{chapter.slug}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    [mark] = grade(course, chapter.slug, ["lea"])
    assert mark.earned == chapter.points


@pytest.mark.parametrize("name", ["{} (1).ipynb", "{}-Copy1.ipynb", "homework.ipynb"])
def test_a_renamed_notebook_is_found(
    name: str, released: Path, chapter: Chapter, tmp_path: Path
) -> None:
    course = Course(shutil.copytree(released, tmp_path / "course"))
    folder = course.folder("submitted", "max", chapter.slug)
    folder.mkdir(parents=True)
    notebook = answered(released, chapter, {})
    (folder / name.format(chapter.slug)).write_text(nbformat.writes(notebook), encoding="utf-8")
    submission = Intake(course, chapter.slug).take("max")
    taken = course.folder("intake", "max", chapter.slug) / f"{chapter.slug}.ipynb"
    assert nbformat.read(taken, 4).cells[5].source == notebook.cells[5].source
    assert submission.notes == [
        f"{name.format(chapter.slug)} was graded, as it is this assignment's notebook."
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"cells": 3}',
        '{"nbformat": 99, "cells": []}',
        "\x00\x01",
        "[" * 9000,
    ],
)
def test_a_file_that_is_no_notebook_is_taken_in_as_empty_with_the_reason(
    text: str, released: Path, chapter: Chapter, tmp_path: Path
) -> None:
    course = Course(shutil.copytree(released, tmp_path / "course"))
    folder = course.folder("submitted", "nia", chapter.slug)
    folder.mkdir(parents=True)
    (folder / f"{chapter.slug}.ipynb").write_text(text, encoding="utf-8")
    submission = Intake(course, chapter.slug).take("nia")
    assert len(submission.notes) == 1
    assert "not a notebook that can be read" in submission.notes[0]


def test_a_notebook_of_another_course_is_taken_in_as_empty(
    released: Path, chapter: Chapter, tmp_path: Path
) -> None:
    course = Course(shutil.copytree(released, tmp_path / "course"))
    folder = course.folder("submitted", "oda", chapter.slug)
    folder.mkdir(parents=True)
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('hello')")])
    (folder / f"{chapter.slug}.ipynb").write_text(nbformat.writes(other), encoding="utf-8")
    assert (
        "is not the notebook of this assignment"
        in Intake(course, chapter.slug).take("oda").notes[0]
    )


def test_a_half_made_gradebook_is_set_aside(
    released: Path, chapter: Chapter, tmp_path: Path
) -> None:
    course = Course(tmp_path / "course")
    course.root.mkdir()
    with sqlite3.connect(course.gradebook_file) as connection:
        connection.execute("CREATE TABLE assignment (id TEXT)")
    release(course, [chapter])
    assert course.gradebook_file.with_suffix(".half-made").exists()
    assert course.released() == [chapter.slug]


def test_a_damaged_gradebook_is_a_clear_error(tmp_path: Path, chapter: Chapter) -> None:
    course = Course(tmp_path)
    course.gradebook_file.write_text("this is no database, and it is long enough to be read as one")
    (tmp_path / CONFIG_FILE).write_text("")
    with pytest.raises(CourseError, match=r"gradebook .* can't be read"):
        grade(course, chapter.slug)


def test_alembic_is_found_without_the_environment_on_the_path(
    tmp_path: Path, chapter: Chapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    release(Course(tmp_path / "course"), [chapter])
    assert Course(tmp_path / "course").released() == [chapter.slug]


def test_late_penalties_and_other_settings_of_the_instructor_hold(
    released: Path, chapter: Chapter, tmp_path: Path
) -> None:
    course = Course(shutil.copytree(released, tmp_path / "course"))
    config = course.root / CONFIG_FILE
    config.write_text(config.read_text() + "\nc.AssignLatePenalties.plugin_class = 'late.Half'\n")
    (tmp_path / "late.py").write_text(
        "from nbgrader.plugins import BasePlugin\n"
        "class Half(BasePlugin):\n"
        "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n"
        "        return score / 2 if total_seconds_late > 0 else None\n"
    )
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment(chapter.slug, duedate="2026-01-01 12:00:00 UTC")
    for student, when in (("pia", "2026-01-01 11:00:00 UTC"), ("quin", "2026-01-02 12:00:00 UTC")):
        folder = course.folder("submitted", student, chapter.slug)
        folder.mkdir(parents=True)
        text = nbformat.writes(answered(released, chapter, {}))
        (folder / f"{chapter.slug}.ipynb").write_text(text, encoding="utf-8")
        (folder / "timestamp.txt").write_text(when)
    sys.path.insert(0, str(tmp_path))
    try:
        marks = {mark.student: mark for mark in grade(course, chapter.slug)}
    finally:
        sys.path.remove(str(tmp_path))
    assert marks["pia"].earned == chapter.points
    assert marks["quin"].earned == chapter.points / 2
    assert "Late" in marks["quin"].notes[0]


def test_nbgrader_s_own_commands_work_in_the_course_folder(
    released: Path, chapter: Chapter, tmp_path: Path
) -> None:
    course = Course(shutil.copytree(released, tmp_path / "course"))
    folder = course.folder("submitted", "rosa", chapter.slug)
    folder.mkdir(parents=True)
    notebook = answered(released, chapter, {chapter.exercises[0].name: "raise SystemExit"})
    gone = next(cell for cell in notebook.cells if is_check(cell))
    notebook.cells.remove(gone)
    (folder / f"{chapter.slug}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}  # without the environment's programs
    for command in ("generate_assignment", "autograde", "generate_feedback"):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", command, chapter.slug, "--force"],
            cwd=course.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
    with course.gradebook() as gradebook:
        submission = gradebook.find_submission(chapter.slug, "rosa")
        lost = sum(cell.points for cell in chapter.graded_for(chapter.exercises[0].name))
        assert submission.score == chapter.points - lost
        assert submission.needs_manual_grade is False
    page = course.folder("feedback", "rosa", chapter.slug) / f"{chapter.slug}.html"
    assert "HIDDEN TESTS" not in page.read_text(encoding="utf-8")


def test_releasing_again_keeps_grades_and_refuses_other_cells(
    graded: GradedClass, chapter: Chapter, tmp_path: Path
) -> None:
    course = Course(shutil.copytree(graded.course.root, tmp_path / "class"))
    release(course, [chapter])
    [mark] = grade(course, chapter.slug, ["ada-all-right"])
    assert mark.earned == chapter.points
    fewer = copy.copy(chapter)
    object.__setattr__(fewer, "graded", chapter.graded[:-1])
    removed = chapter.graded[-1].cell
    notebook = copy.deepcopy(chapter.notebook)
    notebook.cells[removed] = nbformat.v4.new_markdown_cell("Gone.")
    object.__setattr__(fewer, "notebook", notebook)
    with pytest.raises(CourseError, match=r"can't be released: .*submissions associated"):
        release(course, [fewer])


def test_the_formgrader_shows_the_course(released: Path, tmp_path: Path, chapter: Chapter) -> None:
    course = shutil.copytree(released, tmp_path / "course")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    extensions = "{'nbgrader.server_extensions.formgrader': True}"
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"),
            *(f"--ServerApp.port={port}", "--IdentityProvider.token=''"),
            f"--ServerApp.jpserver_extensions={extensions}",
        ],
        cwd=course,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}/formgrader"
        assignments = json.loads(_wait_for(f"{address}/api/assignments"))
        assert [one["name"] for one in assignments] == sorted(one.slug for one in load_chapters())
        assert {one["status"] for one in assignments} == {"draft"}
        assert assignments[0]["max_score"] == chapter.points
        assert b"nbgrader" in _wait_for(f"{address}/manage_assignments")
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(url: str, seconds: float = 60.0) -> bytes:
    """What a server gives that is just starting."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as reply:
                return bytes(reply.read())
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
