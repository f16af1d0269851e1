"""The first half of grading: from submissions to verdicts, on all cores, without a database."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
import torch

from autograder.box.isolation import Level, probe
from autograder.box.session import TimeLimits
from autograder.errors import CourseError
from autograder.grading.execution import Assignment, Execution
from autograder.grading.released import read_own_notebook
from autograder.grading.verdict import Verdict, Verdicts, key_of


@dataclass(frozen=True)
class Plan:
    """How submissions of one assignment are run.

    Args:
        assignment: the assignment.
        limits: how long a submission's code may run.
        run_all: also run the cells that no graded cell needs.
        isolation: the least level at which anything is run.
    """

    assignment: Assignment
    limits: TimeLimits = field(default_factory=TimeLimits)
    run_all: bool = False
    isolation: Level = Level.CONTAINER

    def key(self, notebook: nbformat.NotebookNode) -> str:
        """The key of what comes of a submission."""
        about = asdict(self.assignment)
        for name in ("handed_out", "texts"):
            about[name] = sorted(about[name])
        level = probe().level.name.lower()
        return key_of(notebook, [about, asdict(self.limits), self.run_all, level])


class Verifier:
    """Runs submissions, one after the other, in one warm process.

    Args:
        plan: how.
        verdicts: where verdicts are looked up and written.

    Raises:
        CourseError: boxes can't be closed as well as the plan asks for.
    """

    def __init__(self, plan: Plan, verdicts: Verdicts) -> None:
        probe().require(plan.isolation)
        self.plan, self.verdicts = plan, verdicts
        self._execution: Execution | None = None

    def verify(self, notebook: nbformat.NotebookNode) -> Verdict:
        """The verdict on a submission, its graded cells as they were handed out.

        The notebook's outputs are written, too.
        """
        key = self.plan.key(notebook)
        verdict = self.verdicts.find(key)
        if verdict is None:
            if self._execution is None:
                plan = self.plan
                self._execution = Execution(plan.assignment, plan.limits, plan.run_all)
            begun = time.monotonic()
            self._execution.execute(notebook)
            seconds = round(time.monotonic() - begun, 3)
            verdict = Verdict.of(notebook, key, probe().level.name.lower(), seconds)
            self.verdicts.write(verdict)
        verdict.enter(notebook)
        return verdict


def verify_all(
    submissions: Mapping[str, Path],
    plan: Plan,
    verdicts: Verdicts,
    workers: int | None = None,
    progress: Callable[[str], None] = lambda student: None,
) -> dict[str, str]:
    """Run submissions side by side, and write their verdicts.

    A worker that dies takes no other submission with it: they are given to others.

    Args:
        submissions: by student, the notebook's file as it was taken in.
        plan: how.
        verdicts: where verdicts are written.
        workers: how many processes; one for each core where it is None.
        progress: called with each student whose submission is done.

    Returns:
        For each student whose submission could not be run, why.

    Raises:
        CourseError: boxes can't be closed as well as the plan asks for.
    """
    probe().require(plan.isolation)
    failures: dict[str, str] = {}
    pool = _Pool(plan, verdicts, failures, progress)
    left = pool.run(submissions, workers or os.cpu_count() or 1)
    for student in left:  # a worker died: nobody knows in whose time, so each gets one of its own
        if pool.run({student: submissions[student]}, 1):
            failures[student] = "The process that graded it died, twice."
    return failures


@dataclass(frozen=True)
class _Pool:
    """Runs submissions in processes of their own."""

    plan: Plan
    verdicts: Verdicts
    failures: dict[str, str]
    progress: Callable[[str], None]

    def run(self, waiting: Mapping[str, Path], workers: int) -> list[str]:
        """Run submissions; gives the students whose turn was lost with a worker that died."""
        left = list(waiting)
        if not left:
            return []
        with ProcessPoolExecutor(
            min(workers, len(waiting)),
            multiprocessing.get_context("spawn"),
            _start,
            (self.plan, self.verdicts),
        ) as pool:
            futures = {pool.submit(_verify, file): student for student, file in waiting.items()}
            for future in as_completed(futures):
                student = futures[future]
                try:
                    future.result()
                except BrokenProcessPool:
                    continue
                except Exception as error:  # a defect of the course's own; it stops nobody else
                    said = str(error) if isinstance(error, CourseError) else repr(error)
                    self.failures[student] = said[:300]
                left.remove(student)
                self.progress(student)
        return left


_verifier: Verifier | None = None


def _start(plan: Plan, verdicts: Verdicts) -> None:
    global _verifier
    torch.set_num_threads(1)
    _verifier = Verifier(plan, verdicts)


def _verify(file: Path) -> None:
    assert _verifier is not None
    _verifier.verify(read_own_notebook(file))
