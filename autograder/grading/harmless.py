"""Making a submission harmless to read: for the steps of nbgrader, for browsers, for terminals.

A graded notebook is shown in the formgrader, where a script would act as the instructor, and in the
feedback. So of a submission only the sources of its cells are kept, and what a student wrote in
Markdown is shown as the text that it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import nbformat

from autograder.submission.restore import grade_id

MOST_BYTES = 20_000_000  # of a notebook's file; pictures in outputs make large ones
MOST_CELLS = 2_000
MOST_LETTERS = 200_000  # of one cell

FENCED = re.compile(r"(~{4,})\n(.*)\n\1", re.DOTALL)
NOTES = ("Nothing could be graded:", "Before grading:")  # how notes of the grader begin
MARKS = ("grade", "solution", "task", "locked")


def reason_against(notebook: nbformat.NotebookNode) -> str:
    """Why a notebook is too large to be graded; empty where it isn't."""
    if len(notebook.cells) > MOST_CELLS:
        return f"it has more than {MOST_CELLS:,} cells"
    if any(len(cell.source) > MOST_LETTERS for cell in notebook.cells):
        return f"one of its cells has more than {MOST_LETTERS:,} letters"
    return ""


def make_harmless(notebook: nbformat.NotebookNode, handed_out: Collection[str]) -> None:
    """Drop everything of a notebook but the sources of its cells and their marks, in place.

    Args:
        notebook: the submission.
        handed_out: the sources of the Markdown cells of the assignment, which stay what they are.
    """
    notebook.metadata = nbformat.from_dict({})
    for cell in notebook.cells:
        name = grade_id(cell)
        marks = _plain_marks(cell.metadata["nbgrader"]) if name is not None else None
        cell.metadata = nbformat.from_dict({"nbgrader": marks} if marks else {})
        cell.source = _without_surrogates(cell.source)
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        elif cell.cell_type == "raw" or cell.source not in handed_out:
            cell.cell_type = "markdown"
            cell.source = fenced(cell.source)


def fenced(text: str) -> str:
    """A text as Markdown that shows it letter by letter."""
    known = FENCED.fullmatch(text)
    if known is not None and known.group(1) not in known.group(2):
        return text
    fence = "~" * max(4, 1 + max(map(len, re.findall("~+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def unfenced(text: str) -> str:
    """The text that `fenced` was given."""
    known = FENCED.fullmatch(text)
    return text if known is None else known.group(2)


def note_cell(heading: str, sentences: list[str]) -> nbformat.NotebookNode:
    """A markdown cell that tells whoever reads the graded notebook what happened to it."""
    lines = "\n".join(f"- {sentence}" for sentence in sentences)
    return nbformat.v4.new_markdown_cell(fenced(f"{heading}\n\n{lines}"))


def _plain_marks(marks: dict[str, Any]) -> dict[str, Any]:
    """What nbgrader reads of a cell's marks; all else of them may be of any kind and depth."""
    plain: dict[str, Any] = {name: marks.get(name) is True for name in MARKS}
    return plain | {"grade_id": _without_surrogates(marks["grade_id"])[:200], "schema_version": 3}


def _without_surrogates(text: str) -> str:
    """The text as it can be written to a file: JSON may hold halves of letters."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
