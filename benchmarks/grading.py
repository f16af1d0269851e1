"""How long grading takes: a class of one chapter, by the course and by stock nbgrader."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import nbformat
import typer
from nbformat import NotebookNode

from autograder.box.isolation import Level
from autograder.chapters import ROOT, Chapter, find_chapter
from autograder.grading.course import CONFIG_FILE, Course
from autograder.grading.execution import Assignment
from autograder.grading.intake import Intake, students_of
from autograder.grading.preprocessors import VERDICTS
from autograder.grading.record import entered_grades
from autograder.grading.release import release
from autograder.grading.released import read_own_notebook
from autograder.grading.verdict import Verdicts
from autograder.grading.verify import Plan, Verifier
from autograder.notebook.check import Check
from autograder.reference import ReferenceAnswers, RememberedAnswers
from autograder.sample_class import sample_answers
from autograder.submission.needed import needed_cells
from autograder.submission.restore import grade_id, is_check
from autograder.trial import compile_cell, run_compiled
from autograder.weave.notebook import instructor_notebook, student_notebook
from autograder.weave.stubs import stub_cell

# Of the sample class. One who writes loops instead of tensor operations is left out: nbgrader runs
# the chapter's experiments with them, for minutes.
KINDS = ("ada-all-right", "dan-half-done", "eve-misconceptions")
SUBREAPER = 36  # linux/prctl.h: orphans become our children, so that no processor time is lost

STOCK_CONFIG = "c = get_config()\nc.ExecutePreprocessor.timeout = 600\n"


@dataclass(frozen=True)
class Cost:
    """What a command took, all of its processes together.

    Args:
        wall: seconds by the clock.
        cpu: seconds of processor time.
    """

    wall: float
    cpu: float

    def per_submission(self, one: Cost, count: int) -> Cost:
        """The cost of each of `count` more submissions than `one` had."""
        return Cost((self.wall - one.wall) / count, (self.cpu - one.cpu) / count)


def grading(
    number: Annotated[int, typer.Option("--chapter", help="The chapter.")] = 4,
    submissions: Annotated[int, typer.Option(help="How many the course grades.")] = 42,
    stock: Annotated[int, typer.Option(help="How many stock nbgrader grades; 0: none.")] = 3,
    memory: Annotated[int, typer.Option(help="Run so many and watch the memory; 0: none.")] = 0,
) -> None:
    """Grade a class of differing submissions, and print what each one took.

    What is told for each submission is what a class takes longer than a class of one, so that it
    holds no start.
    """
    chapter = find_chapter(str(number))
    print(f"{chapter.slug}: {os.cpu_count()} cores, one worker, seconds for each submission")
    own_code = _own_code(chapter)
    print(f"  its own graded code, in a plain process   CPU {own_code:.3f}")
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder) / "course")
        release(course, [chapter])
        if memory:
            _watch_memory(course, chapter, memory)
            return
        ours = _ours(course, chapter, submissions)
        bound = 0.05 + 1.3 * own_code
        print(f"  the course         wall {ours.wall:.3f}   CPU {ours.cpu:.3f} (bound {bound:.3f})")
        if not stock:
            return
        whole = _ours(course, chapter, stock, "--run-all")
        print(f"    all cells run     wall {whole.wall:.3f}   CPU {whole.cpu:.3f}")
        theirs = _theirs(Course(Path(folder) / "stock"), course, chapter, stock)
        print(f"  nbgrader autograde wall {theirs.wall:.3f}   CPU {theirs.cpu:.3f}")
        faster = f"wall {theirs.wall / ours.wall:.1f}   CPU {theirs.cpu / ours.cpu:.1f}"
        print(f"  times faster       {faster}")


def hand_in(course: Course, chapter: Chapter, count: int) -> None:
    """Hand in for so many students; no two notebooks are equal."""
    answers = sample_answers(chapter)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        notebook = student_notebook(chapter)
        fill_in(notebook, answers[kind], f"\n# written by student {number}")
        file = course.folder("submitted", f"student-{number:03}", chapter.slug)
        file.mkdir(parents=True)
        text = nbformat.writes(notebook)
        (file / f"{chapter.slug}.ipynb").write_text(text, encoding="utf-8")


def fill_in(notebook: NotebookNode, answers: Mapping[str, str], note: str = "") -> None:
    """Write answers into a notebook's answer cells, by exercise."""
    for cell in notebook.cells:
        name = (grade_id(cell) or "").removeprefix("answer-")
        if name in answers and not is_check(cell):
            cell.source = answers[name] + note


def _own_code(chapter: Chapter) -> float:
    """Processor time of the needed and the graded cells of a submission, outside of any box.

    The mean over the kinds of submissions. What the reference gives is remembered, as for a class.
    """
    assignment, given = Assignment.of_chapter(chapter), sample_answers(chapter)
    answers, compiled = RememberedAnswers(ReferenceAnswers()), lru_cache(compile_cell)
    stubs = {one.name: stub_cell(chapter.module, one.name) for one in chapter.exercises}
    medians = []
    for kind in KINDS:
        notebook = instructor_notebook(chapter)
        fill_in(notebook, stubs | given[kind])
        needed = {id(cell) for cell in needed_cells(notebook, assignment.handed_out)}
        times = []
        for _ in range(6):
            begun, names = time.process_time(), {"__name__": "__main__", "check": None}
            for cell in notebook.cells:
                if is_check(cell):
                    names["check"] = Check(answers, hidden=True)
                if is_check(cell) or id(cell) in needed:
                    with contextlib.suppress(Exception):  # a wrong answer fails, a stub too
                        run_compiled(compiled(cell.source), names)
            times.append(time.process_time() - begun)
        medians.append(statistics.median(times[1:]))
    return statistics.fmean(medians)


def _ours(course: Course, chapter: Chapter, count: int, *options: str) -> Cost:
    """What the course takes for each submission."""
    shutil.rmtree(course.folder("submitted"), ignore_errors=True)
    hand_in(course, chapter, count + 1)
    command = [sys.executable, "-m", "autograder", "grade", chapter.slug, "--course", "."]
    command += ["--require-isolation", "process", "--workers", "1", *options]
    one = run([*command, "--student", "student-000"], course.root)
    whole = run([*command, "--again"], course.root)
    return whole.per_submission(one, count)


def _theirs(stock: Course, ours: Course, chapter: Chapter, count: int) -> Cost:
    """What stock nbgrader takes for each submission; the marks have to be the same."""
    for folder in ("source", "release"):
        shutil.copytree(ours.folder(folder), stock.folder(folder))
    (stock.root / CONFIG_FILE).write_text(STOCK_CONFIG)
    nbgrader = [sys.executable, "-m", "nbgrader"]
    run([*nbgrader, "generate_assignment", chapter.slug, "--force"], stock.root)
    hand_in(stock, chapter, count + 1)
    one = run([*nbgrader, "autograde", chapter.slug, "--student", "student-000"], stock.root)
    whole = run([*nbgrader, "autograde", chapter.slug, "--force"], stock.root)
    marks = []
    for course in (stock, ours):
        with course.gradebook() as gradebook:
            marks.append(entered_grades(gradebook, chapter.slug))
    same = all(
        sorted(marks[1][student].grades) == sorted(it.grades) for student, it in marks[0].items()
    )
    print(f"  the same marks for the {len(marks[0])} that both graded: {'yes' if same else 'NO'}")
    return whole.per_submission(one, count)


def _watch_memory(course: Course, chapter: Chapter, count: int) -> None:
    """Run submissions in this process, and print what it and the warm process keep in memory."""
    hand_in(course, chapter, count)
    intake = Intake(course, chapter.slug)
    plan = Plan(Assignment.of_chapter(chapter), isolation=Level.PROCESS)
    verifier = Verifier(plan, Verdicts(course.root / VERDICTS))
    for number, student in enumerate(students_of(course, chapter.slug), start=1):
        intake.take(student)
        verifier.verify(read_own_notebook(intake.file(student)))
        if number in (count // 10, count // 2, count):
            warm = sum(map(_megabytes, _warm_processes()))
            print(f"  after {number:4} submissions: {_megabytes('self'):.0f} + {warm:.0f} MB")


def _megabytes(process: int | str) -> float:
    """What a process has in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _warm_processes() -> list[int]:
    """The processes of ours that boxes are forked from."""
    from tests.test_box import descendants

    found = []
    for process in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            if b"autograder.box.fork_server" in line and line[0] != b"bwrap":
                found.append(process)
    return found


def run(command: Sequence[str], folder: Path) -> Cost:
    """Run a command, and measure it with all that it starts.

    Raises:
        RuntimeError: it fails.
    """
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    wall = time.monotonic() - begun
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    try:
        while True:
            os.wait()
    except ChildProcessError:
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
