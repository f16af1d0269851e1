"""Where submitted code is run and scored: the one part that stands for itself.

An `Execution` fills in the outputs of a notebook's graded cells, and nothing else of the grading
knows how it does that. The student's code runs in a box; the graded cells run here, outside, and
ask the box for answers. So a submission can give answers, right or wrong, and never a verdict.
"""

from __future__ import annotations

import builtins
import traceback
from dataclasses import dataclass
from typing import Any

import nbformat
from nbformat.v4 import new_output

from autograder.box.remote import RemoteFunction
from autograder.box.server import BoxLost, ForkServer
from autograder.box.session import Session, TimeLimits
from autograder.chapters import Chapter
from autograder.grading.needed import needed_cells
from autograder.notebook.check import Check, CheckFailed
from autograder.notebook.check.callsite import BEGIN_HIDDEN, END_HIDDEN
from autograder.reference import ReferenceAnswers, RememberedAnswers
from autograder.submission.names import given_names, used_names
from autograder.submission.restore import grade_id, is_check
from autograder.submission.validate import failure_message, passed_line
from autograder.trial import run_cell
from autograder.weave.notebook import student_notebook


@dataclass(frozen=True)
class Assignment:
    """What the grader has to know of an assignment to run it.

    Args:
        set_up: the source of the cell that its graded cells take their imports from.
        handed_out: the sources of the cells that are neither answers nor checks.
        data_wheels: the wheels whose data its notebook reads.
    """

    set_up: str
    handed_out: frozenset[str] = frozenset()
    data_wheels: tuple[str, ...] = ()

    @classmethod
    def of_chapter(cls, chapter: Chapter) -> Assignment:
        """A chapter of this course."""
        plain = [
            cell.source
            for cell in student_notebook(chapter).cells
            if cell.cell_type == "code" and grade_id(cell) is None
        ]
        return cls(chapter.set_up, frozenset(plain), chapter.data_wheels)

    @classmethod
    def of_source(cls, source: nbformat.NotebookNode) -> Assignment:
        """Any other assignment: its first code cell has the imports, if nothing is asked there."""
        first = next((cell for cell in source.cells if cell.cell_type == "code"), None)
        plain = first is not None and grade_id(first) is None
        return cls(first.source if first is not None and plain else "")


class Execution:
    """Runs submissions of one assignment and scores their graded cells.

    Args:
        assignment: the assignment.
        limits: how long a submission's code may run.
        run_all: also run the cells that no graded cell needs.
    """

    def __init__(
        self, assignment: Assignment, limits: TimeLimits | None = None, run_all: bool = False
    ) -> None:
        self.assignment, self.limits, self.run_all = assignment, limits or TimeLimits(), run_all
        self._server = ForkServer(assignment.set_up, assignment.data_wheels)
        self._answers = RememberedAnswers(ReferenceAnswers())
        self._set_up: dict[str, Any] = {"__name__": "__main__"}
        run_cell(assignment.set_up, self._set_up)

    def execute(self, notebook: nbformat.NotebookNode) -> None:
        """Run a notebook in place.

        Afterwards each graded cell that passed has one line of output, and each that failed has
        one error whose text may be shown to the student. Other cells have what they printed, as
        plain text, and their errors. A warning costs nobody a point, and no value is read as a
        grade.

        Args:
            notebook: the submission, its graded cells as they were handed out.
        """
        handed_out = frozenset() if self.run_all else self.assignment.handed_out
        needed = [id(cell) for cell in needed_cells(notebook, handed_out)]
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        with Session(self._server, self.limits) as session:
            for cell in notebook.cells:
                if is_check(cell):
                    self._judge(cell, session)
                elif id(cell) in needed:
                    _run(cell, session)
        for cell, message in [
            (cell, failure_message(cell, notebook)) for cell in notebook.cells if is_check(cell)
        ]:
            tidy(cell, message)

    def close(self) -> None:
        """End all boxes."""
        self._server.close()

    def _judge(self, cell: nbformat.NotebookNode, session: Session) -> None:
        """Run a graded cell here, where the names of the notebook stand for those in the box."""
        source = cell.source
        names = dict(self._set_up)
        if "check" in names:
            names["check"] = Check(self._answers)
        for name in used_names(source) - given_names(source) - set(names) - set(dir(builtins)):
            names[name] = RemoteFunction(session, name)
        session.begin_check()
        try:
            run_cell(source, names)
        except Exception as error:
            cell.outputs = [_error_output(error, source)]
        else:
            cell.execution_count = 1
            cell.outputs = [new_output("stream", name="stdout", text=passed_line(cell) + "\n")]


def tidy(cell: nbformat.NotebookNode, message: str) -> None:
    """Leave of a graded cell's outputs the verdict and its reason, and no source or input.

    Args:
        cell: the graded cell.
        message: why it failed; empty where it passed.
    """
    if message:
        lines = message.splitlines()
        cell.outputs = [new_output("error", ename="Check", evalue=message, traceback=lines)]
    else:
        cell.outputs = [new_output("stream", name="stdout", text=passed_line(cell) + "\n")]


def _run(cell: nbformat.NotebookNode, session: Session) -> None:
    result = session.run(cell.source)
    cell.execution_count = 1
    if result.output:
        cell.outputs.append(new_output("stream", name="stdout", text=result.output))
    if result.error is not None:
        said = f"{result.error}: {result.text}"
        cell.outputs.append(
            new_output("error", ename=result.error, evalue=result.text, traceback=[said])
        )


def _error_output(error: Exception, source: str) -> nbformat.NotebookNode:
    """What a failing graded cell leaves, without what would give hidden inputs away."""
    name = type(error).__name__
    text = str(error)
    if isinstance(error, BoxLost):
        name = CheckFailed.__name__  # the text is a sentence already
    elif getattr(error, "raised_in_the_box", False) and _in_hidden_part(error, source):
        text = "(its text is not shown, since this is a hidden check)"
    return new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])


def _in_hidden_part(error: Exception, source: str) -> bool:
    """True where the line of the graded cell that led to an exception is a hidden one."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename.startswith("<cell ")]
    hidden, inside = set[int](), False
    for number, line in enumerate(source.splitlines(), start=1):
        inside = (inside or BEGIN_HIDDEN in line) and END_HIDDEN not in line
        if inside:
            hidden.add(number)
    return any(number in hidden for number in lines)
