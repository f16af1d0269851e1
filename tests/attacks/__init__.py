"""Submissions that try to get what is not due, each a file with its story.

`code/` has sources of a cell that stands before the unwritten answers of chapter 1. The
names of the exercises are in NAMES. What stands below the line "# --- in a later cell" is the last
cell of the notebook. `notebooks/` has functions that make the notebook's file itself.

A docstring tells what is tried, why it works elsewhere, and, after "Trace:", a text that the graded
notebook holds if the attack was really tried.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from autograder.chapters import Chapter
from autograder.submission.restore import grade_id, is_check

HERE = Path(__file__).parent
LATER = "# --- in a later cell\n"


@dataclass(frozen=True)
class Attack:
    """An attack, as its file has it."""

    name: str
    source: str

    @property
    def story(self) -> str:
        """What it tries, in its first sentence."""
        return " ".join(self._docstring.partition("\n\n")[0].split())

    @property
    def trace(self) -> str:
        """What the graded notebook says if the attack was tried."""
        return self._docstring.rpartition("Trace:")[2].strip()

    @property
    def _docstring(self) -> str:
        return ast.get_docstring(ast.parse(self.source)) or ""


def read_attacks(kind: str) -> list[Attack]:
    """The attacks of a folder: "code" or "notebooks"."""
    files = sorted((HERE / kind).glob("[!_]*.py"))
    return [Attack(file.stem, file.read_text(encoding="utf-8")) for file in files]


def unanswered(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of a notebook in which no answer is written."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if grade_id(cell) is not None and not is_check(cell):
            cell.source = "# Nothing is written here."
    return notebook


def with_attack(
    notebook: nbformat.NotebookNode, chapter: Chapter, attack: Attack
) -> nbformat.NotebookNode:
    """A notebook without answers, and with the cells of an attack."""
    notebook = unanswered(notebook)
    names = tuple(exercise.name for exercise in chapter.exercises)
    before, _, after = attack.source.partition(LATER)
    first = next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) is not None)
    notebook.cells[first:first] = [new_code_cell(f"NAMES = {names}"), new_code_cell(before)]
    if after:
        notebook.cells.append(new_code_cell(after))
    return notebook
