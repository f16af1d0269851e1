"""Where submitted code is run and scored: the one part that stands for itself.

An `Execution` fills in the outputs of a notebook's graded cells, and nothing else of the grading
knows how it does that. The student's code runs in a box; the graded cells run here, outside, and
ask the box for answers. So a submission can give answers, right or wrong, and never a verdict.

A function sees the inputs that it is called with, and could tell them: in what it prints, in an
exception, in a value that a message quotes. So the box that is asked the hidden checks gives the
verdicts, and nothing that it says is shown. What is shown, outputs and reasons, is said by a second
box, which is never asked anything hidden.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import nbformat

from autograder.box.remote import RemoteFunction
from autograder.box.server import BoxLost, ForkServer
from autograder.box.session import CellResult, Session, TimeLimits
from autograder.chapters import Chapter
from autograder.notebook.check import Check, CheckFailed
from autograder.notebook.check.callsite import constants
from autograder.reference import ReferenceAnswers, RememberedAnswers
from autograder.submission.names import given_names, used_names
from autograder.submission.needed import needed_cells, plain_sources
from autograder.submission.restore import grade_id, is_check
from autograder.submission.run import DEATH, TIMEOUT
from autograder.submission.validate import failure_message, passed_line
from autograder.trial import compile_cell, run_cell, run_compiled
from autograder.weave.notebook import student_notebook
from autograder.weave.page import without_hidden

Told = CellResult | Exception | None  # of a graded cell: why it failed, None where it passed

NOT_SHOWN = "(its text is not shown, since this is a hidden check)"


@dataclass(frozen=True)
class Assignment:
    """What the grader has to know of an assignment to run it.

    Args:
        set_up: the source of the cell that its graded cells take their imports from.
        handed_out: the sources of the cells that are neither answers nor checks.
        data_wheels: the wheels whose data its notebook reads.
        texts: the sources of its Markdown cells.
        forbidden: for each exercise that forbids something, its name and what it forbids.
    """

    set_up: str
    handed_out: frozenset[str] = frozenset()
    data_wheels: tuple[str, ...] = ()
    texts: frozenset[str] = frozenset()
    forbidden: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of_chapter(cls, chapter: Chapter) -> Assignment:
        """A chapter of this course."""
        notebook = student_notebook(chapter)
        rules = [(one.name, one.forbids) for one in chapter.exercises if one.forbids]
        return cls(
            chapter.set_up,
            plain_sources(notebook),
            chapter.data_wheels,
            _texts(notebook.cells),
            tuple(rules),
        )

    @classmethod
    def of_source(cls, source: nbformat.NotebookNode) -> Assignment:
        """Any other assignment: its first code cell has the imports, if nothing is asked there."""
        first = next((cell for cell in source.cells if cell.cell_type == "code"), None)
        plain = first is not None and grade_id(first) is None
        set_up = first.source if first is not None and plain else ""
        return cls(set_up, texts=_texts(source.cells))


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
        needed = {id(cell) for cell in needed_cells(notebook, handed_out)}
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell in code:
            cell.outputs, cell.execution_count = [], None
        run = [cell for cell in code if is_check(cell) or id(cell) in needed]
        verdicts = self._go_through(run, hidden=True)
        told = dict(verdicts)
        news = [place for place, verdict in verdicts.items() if _has_news(verdict)]
        if news:
            # Of the checks, only those that failed; and nothing after the last piece of news.
            again = run[: news[-1] + 1]
            known = {
                place: verdict
                for place, verdict in verdicts.items()
                if _is_lost(verdict) or verdict is None
            }
            told |= self._go_through(again, hidden=False, known=known)
        for place, cell in enumerate(run):
            cell.execution_count = 1
            if is_check(cell):
                _enter_verdict(cell, verdicts[place], told[place])
            else:
                _enter_outputs(cell, told[place])
        for cell, message in [
            (cell, failure_message(cell, notebook)) for cell in run if is_check(cell)
        ]:
            tidy(cell, message)

    @property
    def warm_process(self) -> int:
        """The number of the process that boxes are forked from."""
        return self._server.process

    def close(self) -> None:
        """End all boxes."""
        self._server.close()

    def _go_through(
        self,
        cells: list[nbformat.NotebookNode],
        hidden: bool,
        known: Mapping[int, Told] | None = None,
    ) -> dict[int, Told]:
        """Run cells in their order in a fresh box, and tell what came of each, by its place.

        Args:
            cells: the cells; graded ones run here.
            hidden: run the hidden checks, too.
            known: what is known to come of some cells, which are left out.
        """
        told = dict(known or {})
        with Session(self._server, self.limits) as session:
            for place, cell in enumerate(cells):
                if place in told:
                    continue
                if is_check(cell):
                    source = cell.source if hidden else without_hidden(cell.source)
                    told[place] = self._judge(source, session, hidden)
                else:
                    told[place] = session.run(cell.source)
        return told

    def _judge(self, source: str, session: Session, hidden: bool) -> Exception | None:
        """Run a graded cell here, where the names of the notebook stand for those in the box."""
        names = dict(self._set_up)
        if "check" in names:
            names["check"] = Check(self._answers, hidden)
        for name in used_names(source) - given_names(source) - set(names) - set(dir(builtins)):
            names[name] = RemoteFunction(session, name)
        session.begin_check()
        try:
            run_compiled(_compiled(source), names)
        except Exception as error:
            return error
        return None


_compiled = lru_cache(maxsize=256)(compile_cell)  # each graded cell once for a whole class


def _texts(cells: list[nbformat.NotebookNode]) -> frozenset[str]:
    return frozenset(cell.source for cell in cells if cell.cell_type == "markdown")


def tidy(cell: nbformat.NotebookNode, message: str) -> None:
    """Leave of a graded cell's outputs the verdict and its reason, and no source or input.

    Args:
        cell: the graded cell.
        message: why it failed; empty where it passed.
    """
    if message:
        lines = message.splitlines()
        cell.outputs = [_output("error", ename="Check", evalue=message, traceback=lines)]
    else:
        cell.outputs = [_output("stream", name="stdout", text=passed_line(cell) + "\n")]


def _output(kind: str, **parts: Any) -> nbformat.NotebookNode:
    """An output as nbformat's `new_output` makes it, which asks each time whether it is one."""
    return nbformat.from_dict({"output_type": kind, **parts})


def _has_news(told: Told) -> bool:
    """True where there is something to show."""
    if isinstance(told, CellResult):
        return bool(told.output) or told.error is not None
    return told is not None


def _is_lost(told: Told) -> bool:
    """True where a cell ended its box, which need not happen twice: the reason is ours."""
    if isinstance(told, CellResult):
        return told.error in (TIMEOUT, DEATH)
    return isinstance(told, BoxLost)


def _enter_verdict(cell: nbformat.NotebookNode, verdict: Told, shown: Told) -> None:
    """Leave in a graded cell its verdict, and the reason that may be shown."""
    if not isinstance(verdict, Exception):
        cell.outputs = [_output("stream", name="stdout", text=passed_line(cell) + "\n")]
        return
    if isinstance(shown, BoxLost):
        name, text = CheckFailed.__name__, str(shown)  # the text is a sentence already
    elif isinstance(shown, Exception) and shown is not verdict:
        name, text = type(shown).__name__, str(shown)
    else:
        name, text = _without_hints(verdict, cell.source)
    cell.outputs = [_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])]


def _without_hints(error: Exception, source: str) -> tuple[str, str]:
    """Name and text of an exception of a hidden check, without what would give its inputs away."""
    text = str(error)
    if isinstance(error, BoxLost):
        return CheckFailed.__name__, text
    ours = isinstance(error, CheckFailed) or type(error) is NameError
    name = next(
        kin.__name__
        for kin in type(error).__mro__
        if kin is CheckFailed or kin.__module__ == "builtins"
    )
    return name, text if ours or text in constants(source) else NOT_SHOWN


def _enter_outputs(cell: nbformat.NotebookNode, told: Told) -> None:
    if not isinstance(told, CellResult):
        return
    if told.output:
        cell.outputs.append(_output("stream", name="stdout", text=told.output))
    if told.error is not None:
        said = f"{told.error}: {told.text}"
        cell.outputs.append(_output("error", ename=told.error, evalue=told.text, traceback=[said]))
