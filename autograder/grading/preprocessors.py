"""The course's own steps among nbgrader's: restoring the graded cells, and running the notebook."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Unicode

from autograder.box.isolation import Level
from autograder.box.session import TimeLimits
from autograder.chapters import find_chapter
from autograder.grading.execution import Assignment
from autograder.grading.harmless import make_harmless
from autograder.grading.released import released_cells, restore_cells
from autograder.grading.verdict import Verdicts
from autograder.grading.verify import Plan, verifier
from autograder.submission.validate import read_notebook

VERDICTS = "verdicts"  # the folder of the course that holds them

Resources = dict[str, Any]
Preprocessed = tuple[nbformat.NotebookNode, Resources]


class CourseStep(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """A step that has to know what the course handed out."""

    course = Unicode("", help="The course folder.").tag(config=True)

    def source(self, resources: Resources) -> Path:
        """The source of the assignment that the notebook belongs to."""
        about = resources["nbgrader"]
        return Path(self.course) / "source" / about["assignment"] / f"{about['notebook']}.ipynb"


class RestoreCells(CourseStep):
    """Puts graded cells back as they were released, wherever they went; see `restore`.

    nbgrader's own `OverwriteCells` leaves a deleted cell away, and stops at a submission whose
    answer cells were deleted, too.
    """

    def preprocess(self, nb: nbformat.NotebookNode, resources: Resources) -> Preprocessed:
        """Restore the cells, and say at the top of the notebook what had to be restored."""
        about = resources["nbgrader"]
        assignment = assignment_of(self.source(resources))
        make_harmless(nb, assignment.texts)
        with Gradebook(about["db_url"]) as gradebook:
            official = released_cells(gradebook, about["assignment"], about["notebook"])
        restore_cells(nb, official, dict(assignment.forbidden))
        return nb, resources


class RunNotebook(CourseStep):
    """Runs the submission in a box, unless that was done, and enters the verdict on each check."""

    cell_seconds = Float(30.0, help="How long one cell may run, in seconds.").tag(config=True)
    notebook_seconds = Float(600.0, help="How long all of them may run.").tag(config=True)
    run_all = Bool(False, help="Also run the cells that no graded cell needs.").tag(config=True)
    isolation = Unicode("container", help="Nothing is run below this level.").tag(config=True)

    def preprocess(self, nb: nbformat.NotebookNode, resources: Resources) -> Preprocessed:
        """Look the verdict up, or have it made."""
        plan = self.plan(self.source(resources))
        verifier(plan, Verdicts(Path(self.course) / VERDICTS)).verify(nb)
        return nb, resources

    def plan(self, source: Path) -> Plan:
        """How submissions of an assignment are run, by its source notebook."""
        limits = TimeLimits(self.cell_seconds, self.notebook_seconds)
        return Plan(assignment_of(source), limits, self.run_all, Level.named(self.isolation))


def assignment_of(source: Path) -> Assignment:
    """The assignment of a source notebook: a chapter of this course, or another one."""
    return _assignment(source, source.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _assignment(source: Path, changed: int) -> Assignment:
    try:
        return Assignment.of_chapter(find_chapter(source.stem))
    except LookupError:
        return Assignment.of_source(read_notebook(source))
