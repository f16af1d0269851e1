"""Grading a class: all submissions are run, then recorded one by one, and none stops the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import OperationalError

from autograder.box.isolation import probe
from autograder.errors import CourseError, as_sentence
from autograder.grading.course import Course, Running
from autograder.grading.intake import Intake, Submission, students_of
from autograder.grading.preprocessors import VERDICTS, RunNotebook
from autograder.grading.record import Entered, Recorder, entered_grades, is_plain
from autograder.grading.release import reason
from autograder.grading.released import read_own_notebook
from autograder.grading.verdict import Verdicts
from autograder.grading.verify import verify_all
from autograder.submission.restore import exercise_of
from autograder.text import plain_text


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
    grading = _Grading(course, assignment, how or Running(), again)
    try:
        return grading.grade(list(dict.fromkeys(students or present)), progress)
    except OperationalError as error:
        raise CourseError(_not_written(error)) from error


def _not_written(error: OperationalError) -> str:
    return (
        f"The gradebook can't be written ({error.orig}): close what else uses it, or make room, "
        "and run `grade` again. What was run is kept."
    )


class _Grading:
    """One call of `grade`.

    Args:
        course: the course folder.
        assignment: the assignment.
        how: how the code is run.
        again: whether all are run anew.
    """

    def __init__(self, course: Course, assignment: str, how: Running, again: bool) -> None:
        self.course, self.assignment, self.how, self.again = course, assignment, how, again
        self.settings = course.settings()
        how.configure(self.settings)
        source = course.folder("source", assignment=assignment) / f"{assignment}.ipynb"
        self.plan = RunNotebook(config=self.settings).plan(source)
        self.intake = Intake(course, assignment, dict(self.plan.assignment.forbidden))
        self.verdicts = Verdicts(course.root / VERDICTS)

    def grade(self, students: Sequence[str], progress: Callable[[str], None]) -> list[Mark]:
        """Take in, run and record; a mark for each student."""
        probe().require(self.plan.isolation)
        taken, failures = self._take_in(students)
        with self.course.gradebook() as gradebook:
            recorder = Recorder(self.course, self.assignment, gradebook, self.settings)
            before = {} if self.again else recorder.recorded()
            fresh = [
                student
                for student, submission in taken.items()
                if student not in failures
                and (before.get(student) != submission.digest or not self._graded(student).exists())
            ]
            failures |= self._run(fresh)
            for student in students:
                if student in fresh and student not in failures:
                    failure = self._record(taken[student], recorder)
                    failures |= {student: failure} if failure else {}
                progress(student)
            entered = entered_grades(gradebook, self.assignment)
        return [
            Mark(student, failure=failures[student], notes=taken[student].notes)
            if student in failures
            else _mark(taken[student], entered[student], student in fresh)
            for student in students
        ]

    def _take_in(self, students: Sequence[str]) -> tuple[dict[str, Submission], dict[str, str]]:
        """Take submissions in; gives them, and the reasons of those that could not be written."""
        taken, failures = {}, {}
        for student in students:
            try:
                taken[student] = self.intake.take(student)
            except OSError as error:  # such as a full disk
                taken[student] = Submission(student, "")
                failures[student] = f"It could not be taken in: {error.strerror}."
        return taken, failures

    def _graded(self, student: str) -> Path:
        folder = self.course.folder("autograded", student, self.assignment)
        return folder / f"{self.assignment}.ipynb"

    def _run(self, students: Sequence[str]) -> dict[str, str]:
        """Run submissions that have no verdict; gives those that could not be run, and why."""
        waiting = {}
        for student in students:
            file = self.intake.file(student)
            key = self.plan.key(read_own_notebook(file))
            if self.again:
                self.verdicts.forget(key)
            if self.verdicts.find(key) is None:
                waiting[student] = file
        return verify_all(waiting, self.plan, self.verdicts, self.how.workers)

    def _record(self, submission: Submission, recorder: Recorder) -> str:
        """Enter a submission's verdict into the gradebook; gives the reason why that failed."""
        student = submission.student
        try:
            notebook = read_own_notebook(self.intake.file(student))
            verdict = self.verdicts.find(self.plan.key(notebook))
            if verdict is None:
                return "Its verdict is gone: run `grade` again."
            verdict.enter(notebook)
            if is_plain(self.settings):
                recorder.enter(student, notebook, submission.digest)
                return ""
            api = self.course.api("intake", self.how)
            result = api.autograde(self.assignment, student, force=True)
            if not result["success"]:
                return reason(result)
            recorder.note(student, submission.digest, verdict.isolation)
        except OperationalError as error:
            return _not_written(error)
        except Exception as error:  # whatever it is, it must not keep the others waiting
            return plain_text(as_sentence(error), 300)
        return ""


def _mark(submission: Submission, entered: Entered, again: bool) -> Mark:
    """A student's mark as the gradebook has it."""
    lost = {exercise_of(name): None for name, score, most in entered.grades if score < most}
    notes = list(submission.notes)
    if entered.penalty:
        notes.append(f"Late: {entered.penalty:g} points were taken off.")
    return Mark(
        submission.student,
        max(0.0, sum(score for _, score, _ in entered.grades) - entered.penalty),
        sum(most for _, _, most in entered.grades),
        list(lost),
        notes,
        again=again,
    )
