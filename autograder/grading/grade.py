"""Grading a class: each submission by nbgrader, one after the other, and none stops the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.errors import CourseError
from autograder.grading.course import Course, Running
from autograder.grading.intake import Submission, students_of, take_in
from autograder.grading.preprocessors import VERDICTS, RunNotebook, released_cells
from autograder.grading.release import reason
from autograder.grading.verdict import Verdicts
from autograder.grading.verify import verify_all
from autograder.submission.restore import exercise_of, restore
from autograder.submission.validate import read_notebook
from autograder.text import plain_text

DIGEST = ".graded"  # beside a taken-in notebook: the fingerprint of what was graded


@dataclass
class Mark:
    """What one student got for one assignment.

    Args:
        student: the student's id.
        earned: points, late penalties taken off.
        points: points that could be had.
        lost: exercises in which points were lost.
        notes: what there is to say about the submission.
        failure: why it could not be graded; empty where it was.
        again: False where the grade from before still stands.
    """

    student: str
    earned: float = 0.0
    points: float = 0.0
    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failure: str = ""
    again: bool = True


def grade(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    again: bool = False,
    how: Running | None = None,
    progress: Callable[[str], None] = lambda student: None,
) -> list[Mark]:
    """Grade the submissions of an assignment.

    First each submission is run, side by side, and its verdict written; then the verdicts are
    entered into the gradebook, one after the other. Whatever stops it, the next call goes on.

    Args:
        course: the course folder.
        assignment: the assignment.
        students: only these; all who handed in where empty.
        again: also those whose submission has not changed since it was graded; all are run anew.
        how: how the code is run; as the course folder's configuration says where it is None.
        progress: called with each student's id when that one is done.

    Returns:
        A mark for each student.

    Raises:
        CourseError: the assignment is not released, nobody handed in, or boxes can't be closed as
            well as it is asked for.
    """
    course.require()
    released = course.released()
    if assignment not in released:
        known = ", ".join(released) or "nothing"
        raise CourseError(f"{assignment} is not released in {course.root}; released: {known}.")
    present = students_of(course, assignment)
    unknown = sorted(set(students) - set(present))
    if unknown:
        raise CourseError(f"{unknown[0]} has handed in nothing for {assignment}.")
    if not present:
        where = course.folder("submitted", "STUDENT", assignment)
        raise CourseError(f"Nobody has handed in {assignment}: submissions belong in {where}.")
    how = how or Running()
    taken = [
        _Taken.of(course, assignment, student, again)
        for student in dict.fromkeys(students or present)
    ]
    api = course.api("intake", how)
    failures = _verify(course, api, assignment, [one for one in taken if one.fresh], how, again)
    marks = []
    for one in taken:
        student = one.submission.student
        try:
            if student in failures:
                raise CourseError(failures[student])
            marks.append(_record(course, api, assignment, one))
        except Exception as error:  # whatever it is, it must not keep the others waiting
            said = str(error) if isinstance(error, CourseError) else repr(error)
            failure = plain_text(said, 300)
            marks.append(Mark(student, failure=failure, notes=one.submission.notes))
        progress(student)
    return marks


@dataclass(frozen=True)
class _Taken:
    """A submission that was taken in.

    Args:
        submission: what was handed in.
        seal: the file with the fingerprint of what was graded last.
        fresh: whether it has to be graded.
    """

    submission: Submission
    seal: Path
    fresh: bool

    @classmethod
    def of(cls, course: Course, assignment: str, student: str, again: bool) -> _Taken:
        seal = course.folder("intake", student, assignment) / DIGEST
        before = seal.read_text(encoding="utf-8") if seal.exists() else ""
        submission = take_in(course, assignment, student)
        recorded = _is_recorded(course, assignment, student)
        return cls(submission, seal, again or before != submission.digest or not recorded)


def _verify(
    course: Course,
    api: Any,
    assignment: str,
    taken: Sequence[_Taken],
    how: Running,
    again: bool,
) -> dict[str, str]:
    """Run submissions and write their verdicts; gives those that could not be run, and why."""
    with course.gradebook() as gradebook:
        official = released_cells(gradebook, assignment, assignment)
    notebooks = {}
    for one in taken:
        folder = course.folder("intake", one.submission.student, assignment)
        notebook = read_notebook(folder / f"{assignment}.ipynb")
        restore(notebook, official)
        notebooks[one.submission.student] = notebook
    source = course.folder("source", assignment=assignment) / f"{assignment}.ipynb"
    plan = RunNotebook(config=api.config).plan(source)
    verdicts = Verdicts(course.root / VERDICTS)
    if again:
        for notebook in notebooks.values():
            verdicts.forget(plan.key(notebook))
    return verify_all(notebooks, plan, verdicts, how.workers)


def _record(course: Course, api: Any, assignment: str, taken: _Taken) -> Mark:
    """Enter a submission's verdict into the gradebook."""
    student = taken.submission.student
    if taken.fresh:
        result = api.autograde(assignment, student, force=True)
        if not result["success"]:
            return Mark(student, failure=reason(result), notes=taken.submission.notes)
    taken.seal.write_text(taken.submission.digest, encoding="utf-8")
    return _recorded(course, assignment, taken.submission, taken.fresh)


def _is_recorded(course: Course, assignment: str, student: str) -> bool:
    graded = course.folder("autograded", student, assignment) / f"{assignment}.ipynb"
    return graded.exists()


def _recorded(course: Course, assignment: str, submission: Submission, again: bool) -> Mark:
    """A student's mark as the gradebook has it."""
    with course.gradebook() as gradebook:
        entry = gradebook.find_submission(assignment, submission.student)
        lost: dict[str, None] = {}
        for notebook in entry.notebooks:
            for given in notebook.grades:
                if given.score < given.max_score:
                    lost[exercise_of(given.name)] = None
        penalty = entry.late_submission_penalty or 0.0
        notes = list(submission.notes)
        if penalty:
            notes.append(f"Late: {penalty:g} points were taken off.")
        return Mark(
            submission.student,
            max(0.0, entry.score - penalty),
            entry.max_score,
            list(lost),
            notes,
            again=again,
        )
