"""The first half of grading: from submissions to verdicts, on all cores, without a database."""

from __future__ import annotations

import ctypes
import math
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import nbformat
import torch

from autograder.box.isolation import Level, probe
from autograder.box.session import TimeLimits
from autograder.errors import as_sentence
from autograder.grading.execution import Assignment, Execution
from autograder.grading.released import read_own_notebook
from autograder.grading.verdict import Verdict, Verdicts, key_of

PARENT_DEATH_SIGNAL = 1  # linux/prctl.h
FEW = 4  # submissions for which one worker will do


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


@lru_cache(maxsize=2)
def _execution(assignment: Assignment) -> Execution:
    """The boxes of an assignment, and the right answers that were worked out."""
    return Execution(assignment)


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

    def verify(self, notebook: nbformat.NotebookNode) -> Verdict:
        """The verdict on a submission, its graded cells as they were handed out.

        The notebook's outputs are written, too.
        """
        key = self.plan.key(notebook)
        verdict = self.verdicts.find(key)
        if verdict is None:
            execution = _execution(self.plan.assignment)
            execution.limits, execution.run_all = self.plan.limits, self.plan.run_all
            begun = time.monotonic()
            execution.execute(notebook)
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
    run = _Run(plan, verdicts, failures, progress)
    left = run.side_by_side(submissions, workers or os.cpu_count() or 1)
    for student in left:  # a worker died: nobody knows in whose time, so each gets one of its own
        if run.side_by_side({student: submissions[student]}, 1):
            failures[student] = "The process that graded it died, twice."
    return failures


@dataclass(frozen=True)
class _Run:
    """Runs submissions in processes of their own."""

    plan: Plan
    verdicts: Verdicts
    failures: dict[str, str]
    progress: Callable[[str], None]

    def side_by_side(self, waiting: Mapping[str, Path], workers: int) -> list[str]:
        """Run submissions; gives the students whose turn was lost with a worker that died."""
        left = list(waiting)
        if not left:
            return []
        # It does not pay to start another process for a few submissions.
        executor = _workers.executor(min(workers, math.ceil(len(left) / FEW)))
        try:
            futures = {
                executor.submit(_verify, self.plan, self.verdicts, file): student
                for student, file in waiting.items()
            }
        except BrokenProcessPool:  # it died while nothing was run
            _workers.close()
            return self.side_by_side(waiting, workers)
        for future in as_completed(futures):
            student = futures[future]
            try:
                future.result()
            except BrokenProcessPool:
                continue
            except Exception as error:  # a defect of the course's own; it stops nobody else
                self.failures[student] = as_sentence(error)[:300]
            left.remove(student)
            self.progress(student)
        if left:
            _workers.close()
        return left


class _Workers:
    """The processes, which take long to start, and are kept for the next class."""

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None
        self._count = 0

    def executor(self, count: int) -> ProcessPoolExecutor:
        """At least so many processes."""
        if self._executor is None or self._count < count:
            self.close()
            spawn = multiprocessing.get_context("spawn")
            cores = spawn.SimpleQueue()
            for worker in range(count):
                cores.put(_core_of(worker, count))
            self._executor = ProcessPoolExecutor(count, spawn, _begin, (os.getpid(), cores))
            self._count = count
        return self._executor

    def close(self) -> None:
        """End them."""
        if self._executor is not None:
            self._executor.shutdown()
        self._executor = None


_workers = _Workers()


@lru_cache(maxsize=1)
def verifier(plan: Plan, verdicts: Verdicts) -> Verifier:
    """A verifier with its warm process, kept for the next submission."""
    return Verifier(plan, verdicts)


def _core_of(worker: int, count: int) -> set[int]:
    """The processor cores of one worker: one where each can have its own, otherwise all.

    A worker and its box wait for each other all the time, so they need one core, and asking costs
    less where both find their data in its cache.
    """
    cores = sorted(os.sched_getaffinity(0))
    return {cores[worker]} if count <= len(cores) else set(cores)


def _begin(grader: int, cores: SimpleQueue[set[int]]) -> None:
    """What a worker does first: take a core, and see to it that it ends with the grader."""
    os.sched_setaffinity(0, cores.get())
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != grader:  # it was gone before this process could ask to be told
        os._exit(1)
    torch.set_num_threads(1)


def _verify(plan: Plan, verdicts: Verdicts, file: Path) -> None:
    """What a worker does."""
    verifier(plan, verdicts).verify(read_own_notebook(file))
