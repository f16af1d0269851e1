"""The cells of an assignment as they were released, and notebooks that have them again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook
from nbgrader.preprocessors import OverwriteCells

from autograder.grading.harmless import note_cell
from autograder.submission.restore import restore
from autograder.submission.shortcuts import shortcut_notes


def restore_cells(
    notebook: nbformat.NotebookNode,
    official: Sequence[nbformat.NotebookNode],
    forbidden: Mapping[str, Collection[str]],
) -> list[str]:
    """Put graded cells back as they were released, and say at the top what is to be said.

    Args:
        notebook: the submission.
        official: the answer and graded cells as they were released.
        forbidden: by exercise, what it is to be written without.

    Returns:
        What instructors are told, too: a sentence for each shortcut.
    """
    restored = restore(notebook, official).sentences()
    shortcuts = shortcut_notes(notebook, forbidden)
    known = notebook.cells[0].source if notebook.cells else ""
    notes = [note for note in [*restored, *shortcuts] if note not in known]
    if notes:
        notebook.cells.insert(0, note_cell("Before grading:", notes))
    return shortcuts


def released_cells(
    gradebook: Gradebook, assignment: str, notebook: str
) -> list[nbformat.NotebookNode]:
    """The answer and graded cells of a notebook as the gradebook keeps them, hidden checks too."""
    released = gradebook.find_notebook(notebook, assignment)
    points = {cell.name: cell.max_score for cell in released.grade_cells}
    answers = {cell.name for cell in released.solution_cells}
    return [
        _released_cell(cell, points, answers)
        for cell in released.source_cells
        if cell.name in points or cell.name in answers
    ]


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


def write_notebook(notebook: nbformat.NotebookNode, file: Path) -> None:
    """Write a notebook of ours; nbformat's own writing takes ten times as long."""
    file.write_text(json.dumps(notebook, ensure_ascii=False) + "\n", encoding="utf-8")


def read_own_notebook(file: Path) -> nbformat.NotebookNode:
    """Read a notebook that `write_notebook` wrote, without asking again whether it is one."""
    return nbformat.from_dict(json.loads(file.read_text(encoding="utf-8")))
