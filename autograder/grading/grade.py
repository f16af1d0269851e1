"""Grading a class: each submission by nbgrader, one after the other, and none stops the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.errors import CourseError
from autograder.grading.course import Course
from autograder.grading.intake import Submission, students_of, take_in
from autograder.grading.release import reason
from autograder.submission.restore import exercise_of
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
    seconds: float | None = None,
    progress: Callable[[str], None] = lambda student: None,
) -> list[Mark]:
    """Grade the submissions of an assignment.

    Args:
        course: the course folder.
        assignment: the assignment.
        students: only these; all who handed in where empty.
        again: also those whose submission has not changed since it was graded.
        seconds: how long one cell may run; the usual limit where it is None.
        progress: called with each student's id when that one is done.

    Returns:
        A mark for each student.

    Raises:
        CourseError: the assignment is not released, or nobody handed in.
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
    api = course.api("intake", seconds)
    marks = []
    for student in students or present:
        try:
            marks.append(_grade_one(course, api, assignment, student, again))
        except Exception as error:  # whatever it is, it must not keep the others waiting
            failure = plain_text(f"{type(error).__name__}: {error}", 300)
            marks.append(Mark(student, failure=failure))
        progress(student)
    return marks


def _grade_one(course: Course, api: Any, assignment: str, student: str, again: bool) -> Mark:
    seal = course.folder("intake", student, assignment) / DIGEST
    before = seal.read_text(encoding="utf-8") if seal.exists() else ""
    submission = take_in(course, assignment, student)
    fresh = again or before != submission.digest or not _is_recorded(course, assignment, student)
    if fresh:
        result = api.autograde(assignment, student, force=True)
        if not result["success"]:
            return Mark(student, failure=reason(result), notes=submission.notes)
    seal.write_text(submission.digest, encoding="utf-8")
    return _recorded(course, assignment, submission, fresh)


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
