"""Where submitted code is run and scored: the one part that stands for itself.

An `Execution` fills in the outputs of a notebook's graded cells, and nothing else of the grading
knows how it does that. Today the code runs in a Jupyter kernel, together with the checks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import nbformat
from nbformat.v4 import new_output

from autograder.chapters import EXPERIMENT, Chapter, tags_of
from autograder.notebook import data
from autograder.submission.restore import is_check
from autograder.submission.run import Limits, NotebookRunner
from autograder.submission.validate import failure_message, passed_line
from autograder.weave.notebook import student_notebook


class Execution(ABC):
    """Runs a submission and scores its graded cells."""

    @abstractmethod
    def execute(self, notebook: nbformat.NotebookNode, chapter: Chapter | None) -> None:
        """Run a notebook in place.

        Afterwards each graded cell that passed has one line of output, and each that failed has
        one error whose text may be shown to the student. Whatever else its code wrote is gone: a
        warning costs nobody a point, and no value is read as a grade.

        Args:
            notebook: the submission, its graded cells as they were handed out.
            chapter: the chapter that it belongs to; None where it is of another course.
        """


class KernelExecution(Execution):
    """Runs the whole notebook in a Jupyter kernel.

    Args:
        limits: what one cell may use.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def execute(self, notebook: nbformat.NotebookNode, chapter: Chapter | None) -> None:
        """Run the notebook, but for the experiments that stand in it unchanged."""
        experiments = _experiments(chapter) if chapter else set()
        runner = NotebookRunner(self.limits, environment={"COURSE_DATA": str(data.folder())})
        runner.run(
            notebook,
            skip=lambda cell: cell.source in experiments,
            repeatable=lambda cell: not is_check(cell),
        )
        messages = [
            (cell, failure_message(cell, notebook)) for cell in notebook.cells if is_check(cell)
        ]
        for cell, message in messages:
            tidy(cell, message)


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


def _experiments(chapter: Chapter) -> set[str]:
    """The sources of the cells that no graded cell needs, as they were handed out."""
    return {cell.source for cell in student_notebook(chapter).cells if EXPERIMENT in tags_of(cell)}
