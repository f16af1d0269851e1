"""The course's own steps among nbgrader's: restoring the graded cells, and running the notebook."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor, OverwriteCells
from traitlets import Bool, Float
from traitlets.config import Config

from autograder.box.session import TimeLimits
from autograder.chapters import find_chapter
from autograder.grading.execution import Assignment, Execution
from autograder.grading.harmless import make_harmless, note_cell
from autograder.submission.restore import restore
from autograder.submission.validate import read_notebook

Resources = dict[str, Any]
Preprocessed = tuple[nbformat.NotebookNode, Resources]


class RestoreCells(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Puts graded cells back as they were released, wherever they went; see `restore`.

    nbgrader's own `OverwriteCells` leaves a deleted cell away, and stops at a submission whose
    answer cells were deleted, too.
    """

    def preprocess(self, nb: nbformat.NotebookNode, resources: Resources) -> Preprocessed:
        """Restore the cells, and say at the top of the notebook what had to be restored."""
        about = resources["nbgrader"]
        make_harmless(nb, _assignment(self.config, about).texts)
        with Gradebook(about["db_url"]) as gradebook:
            released = gradebook.find_notebook(about["notebook"], about["assignment"])
            points = {cell.name: cell.max_score for cell in released.grade_cells}
            answers = {cell.name for cell in released.solution_cells}
            official = [
                _released_cell(cell, points, answers)
                for cell in released.source_cells
                if cell.name in points or cell.name in answers
            ]
        notes = restore(nb, official).sentences()
        if notes:
            nb.cells.insert(0, note_cell("Before grading:", notes))
        return nb, resources


class RunNotebook(NbGraderPreprocessor):  # type: ignore[misc]
    """Runs the submission in a box, and leaves in each graded cell its verdict."""

    cell_seconds = Float(30.0, help="How long one cell may run, in seconds.").tag(config=True)
    run_all = Bool(False, help="Also run the cells that no graded cell needs.").tag(config=True)

    def preprocess(self, nb: nbformat.NotebookNode, resources: Resources) -> Preprocessed:
        """Hand the notebook to the execution."""
        about = resources["nbgrader"]
        assignment = _assignment(self.config, about)
        _execution(assignment, self.cell_seconds, self.run_all).execute(nb)
        return nb, resources


@lru_cache(maxsize=2)
def _execution(assignment: Assignment, seconds: float, run_all: bool) -> Execution:
    """An execution with its warm process, kept for the next submission."""
    return Execution(assignment, TimeLimits(cell=seconds), run_all)


def _assignment(config: Config, about: dict[str, str]) -> Assignment:
    """The assignment: a chapter of this course, or any other as its source has it."""
    try:
        return Assignment.of_chapter(find_chapter(about["notebook"]))
    except LookupError:
        course = CourseDirectory(config=config)
        folder = Path(course.format_path(course.source_directory, ".", about["assignment"]))
        return Assignment.of_source(read_notebook(folder / f"{about['notebook']}.ipynb"))


def _released_cell(cell: Any, points: dict[str, float], answers: set[str]) -> nbformat.NotebookNode:
    """A cell as the gradebook keeps it, hidden checks included."""
    official = OverwriteCells().missing_cell_transform(
        cell, points.get(cell.name, 0.0), is_solution=cell.name in answers
    )
    official.source = cell.source
    official.metadata["nbgrader"]["grade"] = cell.name in points
    if cell.name in answers:
        official.metadata["nbgrader"].pop("points", None)
    official.metadata.pop("editable", None)
    return nbformat.v4.new_code_cell(official.source, metadata=official.metadata)
