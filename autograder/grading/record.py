"""The second half of grading: what came of a submission is entered into nbgrader's gradebook.

nbgrader's own `autograde` opens the database anew in each of its steps, which takes longer than all
the rest. Here one session enters a whole class, and each submission in one transaction. What is
entered is worked out by nbgrader's own steps, and `tests/test_record.py` holds that gradebook and
notebooks are what `nbgrader autograde` makes of them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import nbformat
from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.preprocessors import AssignLatePenalties, LimitOutput, SaveAutoGrades
from sqlalchemy import text
from traitlets.config import Config

from autograder.grading.course import Course, configure
from autograder.grading.released import write_notebook

HALF_WRITTEN = ".half-written-"  # how the names of folders begin that are not there yet
READ_ONLY = 0o444  # as nbgrader leaves the files of graded submissions

# What was entered stands beside the marks, in the same transaction: so a gradebook that was
# restored from a backup, or lost, tells by itself what is missing in it.
TABLE = "graded_by_course"
CREATE = f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    submission_id VARCHAR(32) PRIMARY KEY, fingerprint VARCHAR(64), isolation VARCHAR(16))"""
RECORDED = f"""SELECT submitted_assignment.student_id, {TABLE}.fingerprint
    FROM {TABLE} JOIN submitted_assignment ON {TABLE}.submission_id = submitted_assignment.id
    JOIN assignment ON submitted_assignment.assignment_id = assignment.id
    WHERE assignment.name = :assignment"""


@dataclass
class Entered:
    """What the gradebook has of one submission.

    Args:
        penalty: points that are taken off since it was late.
        grades: for each graded cell its name, the points it got, and those it can get.
    """

    penalty: float = 0.0
    grades: list[tuple[str, float, float]] = field(default_factory=list)


def entered_grades(gradebook: Gradebook, assignment: str) -> dict[str, Entered]:
    """What the gradebook has of an assignment, by student."""
    rows = (
        gradebook.db.query(
            SubmittedAssignment.student_id,
            SubmittedNotebook.id,
            SubmittedNotebook.late_submission_penalty,
            BaseCell.name,
            Grade.score,
            Grade.max_score,
        )
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .filter(Assignment.name == assignment)
    )
    entered: dict[str, Entered] = {}
    seen = set()
    for student, notebook, penalty, name, score, most in rows:
        one = entered.setdefault(student, Entered())
        if notebook not in seen:
            seen.add(notebook)
            one.penalty += penalty or 0.0
        one.grades.append((name, float(score), float(most)))
    return entered


class Recorder:
    """Enters submissions of one assignment into the gradebook, and writes their notebooks.

    Args:
        course: the course folder.
        assignment: the assignment.
        gradebook: its gradebook, open.
        settings: nbgrader's configuration.
    """

    def __init__(self, course: Course, assignment: str, gradebook: Gradebook, settings: Config):
        self.course, self.assignment, self.gradebook = course, assignment, gradebook
        self._session = gradebook.db()
        self._session.expire_on_commit = False  # or all cells would be read anew for each student
        self._session.execute(text(CREATE))
        self._session.commit()
        self._cells = [
            (one.grade_cells, one.solution_cells, one.task_cells)
            for one in gradebook.find_assignment(assignment).notebooks
        ]
        self._limit, self._save = LimitOutput(config=settings), SaveAutoGrades(config=settings)
        self._late = AssignLatePenalties(config=settings)
        self._late.init_plugin()
        self._source = course.folder("source", assignment=assignment)
        for left in course.folder("autograded").glob(HALF_WRITTEN + "*"):
            shutil.rmtree(left)  # of a run that was killed

    def recorded(self) -> dict[str, str]:
        """By student, the fingerprint of what was entered."""
        rows = self._session.execute(text(RECORDED), {"assignment": self.assignment})
        return {str(student): str(fingerprint) for student, fingerprint in rows}

    def enter(self, student: str, notebook: nbformat.NotebookNode, fingerprint: str) -> None:
        """Enter what came of a submission: all of it, or nothing.

        Args:
            student: the student's id.
            notebook: the submission as it was run.
            fingerprint: of everything that the marks depend on.
        """
        for cell in notebook.cells:
            self._limit.preprocess_cell(cell, {}, 0)
        self._write_files(student, notebook)
        with self._transaction():
            submission = self._submission(student)
            for one in submission.notebooks:
                if one.name == self.assignment:
                    self._enter_grades(one, notebook)
                    self._enter_penalty(student, submission, one)
                else:
                    _enter_missing(one)
            self._note(submission, fingerprint, notebook.metadata["grading"]["isolation"])

    def note(self, student: str, fingerprint: str, isolation: str) -> None:
        """Note that a submission was entered by nbgrader itself."""
        with self._transaction():
            submission = self.gradebook.find_submission(self.assignment, student)
            self._note(submission, fingerprint, isolation)

    def _submission(self, student: str) -> SubmittedAssignment:
        """The student's entry, with a grade for each graded cell; made where there is none."""
        self.gradebook.update_or_create_student(student)
        file = self.course.folder("intake", student, self.assignment) / "timestamp.txt"
        times = {"timestamp": file.read_text(encoding="utf-8")} if file.exists() else {}
        entry = self.gradebook.update_or_create_submission(self.assignment, student, **times)
        self._session.flush()
        return entry

    def _enter_grades(self, entry: SubmittedNotebook, notebook: nbformat.NotebookNode) -> None:
        """Enter points and comments, as nbgrader's `SaveAutoGrades` reads them off the outputs."""
        grades = {grade.name: grade for grade in entry.grades}
        comments = {comment.name: comment for comment in entry.comments}
        self._save.notebook_id = self._save.assignment_id = self._save.student_id = ""
        self._save.gradebook = SimpleNamespace(
            find_grade=lambda name, *_: grades[name],
            find_comment=lambda name, *_: comments[name],
            db=SimpleNamespace(commit=lambda: None),
        )
        for cell in notebook.cells:
            self._save.preprocess_cell(cell, {}, 0)

    def _enter_penalty(
        self, student: str, submission: SubmittedAssignment, entry: SubmittedNotebook
    ) -> None:
        """Enter what a late submission costs, as nbgrader's `AssignLatePenalties` does."""
        entry.late_submission_penalty = None
        seconds = submission.total_seconds_late
        if seconds > 0:
            self._session.flush()
            self._session.refresh(entry)  # the database works its score out
            plugin = self._late.plugin_inst
            penalty = plugin.late_submission_penalty(student, entry.score, seconds)
            if penalty is not None:
                entry.late_submission_penalty = self._late._check_late_penalty(entry, penalty)

    def _note(self, submission: SubmittedAssignment, fingerprint: str, isolation: str) -> None:
        self._session.execute(
            text(f"DELETE FROM {TABLE} WHERE submission_id = :submission"),
            {"submission": submission.id},
        )
        self._session.execute(
            text(f"INSERT INTO {TABLE} VALUES (:submission, :fingerprint, :isolation)"),
            {
                "submission": submission.id,
                "fingerprint": fingerprint,
                "isolation": isolation,
            },
        )

    def _write_files(self, student: str, notebook: nbformat.NotebookNode) -> None:
        """Write the folder of a graded submission as nbgrader has it; it is whole whenever seen."""
        target = self.course.folder("autograded", student, self.assignment)
        target.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=HALF_WRITTEN, dir=self.course.folder("autograded")))
        new.chmod(0o755)
        intake = self.course.folder("intake", student, self.assignment)
        for folder in (self._source, intake):
            shutil.copytree(
                folder, new, ignore=shutil.ignore_patterns("*.ipynb", ".*"), dirs_exist_ok=True
            )
        write_notebook(notebook, new / f"{self.assignment}.ipynb")
        for file in new.rglob("*"):
            if file.is_file():
                file.chmod(READ_ONLY)
        if target.exists():
            shutil.rmtree(target)
        new.rename(target)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that nbgrader commits in here is one transaction."""
        session, commit = self._session, self._session.commit
        session.commit = session.flush
        try:
            yield
            commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.commit = commit


def _enter_missing(entry: SubmittedNotebook) -> None:
    """Give nothing for a notebook that was not handed in."""
    for grade in entry.grades:
        grade.auto_score, grade.needs_manual_grade = 0, False


def is_plain(settings: Config) -> bool:
    """True where an instructor's configuration leaves nbgrader's `autograde` as the course has it.

    Otherwise their own steps have to run, and nbgrader has to run them.
    """
    usual = Config()
    configure(usual, Path(settings.CourseStep.course))
    return bool(settings.Autograde == usual.Autograde) and "BaseConverter" not in settings
