"""Putting a notebook's graded cells back as they were handed out.

Students move, copy, edit and delete cells. What they wrote in their answers stays; what belongs
to the checks is restored, each cell once and below its answer.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import nbformat

ANSWER_PREFIX, CHECK_PREFIX = "answer-", "check-"
CARRIED_PREFIX = ANSWER_PREFIX + "carried-"  # answers of an earlier chapter, without points


@dataclass
class Restored:
    """What had to be put right.

    Args:
        missing: graded cells that were not there.
        edited: graded cells that were not as handed out.
        copied: graded cells that were there more than once.
        moved: graded cells that stood above their answers.
    """

    missing: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """What to tell whoever reads the result."""
        said = {
            "missing": "was missing and was put back",
            "edited": "had been changed and was put back as handed out",
            "copied": "was there more than once; one of them counts",
            "moved": "stood above its answer and was moved below it",
        }
        return [
            f"The check {name.removeprefix(CHECK_PREFIX)} {what}."
            for kind, what in said.items()
            for name in getattr(self, kind)
        ]


def grade_id(cell: nbformat.NotebookNode) -> str | None:
    """The nbgrader id of a cell; None where it has none, or its metadata make no sense."""
    marks = cell.metadata.get("nbgrader")
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    return name if isinstance(name, str) else None


def is_check(cell: nbformat.NotebookNode) -> bool:
    """True for a graded cell, one that is not an answer."""
    if grade_id(cell) is None:
        return False
    marks = cell.metadata["nbgrader"]
    return bool(marks.get("grade")) and not marks.get("solution")


def restore(notebook: nbformat.NotebookNode, official: Sequence[nbformat.NotebookNode]) -> Restored:
    """Put a submission's cells back to what nbgrader needs, in place.

    Args:
        notebook: the submission. Afterwards each official graded cell stands in it exactly once,
            with its official source and metadata; answers keep their source; no other cell has
            nbgrader metadata.
        official: the answer and graded cells as they were handed out, in their order.

    Returns:
        What had to be put right.
    """
    known = {str(grade_id(cell)): cell for cell in official}
    notes = Restored()
    answers = _settle_answers(notebook, known)
    cells: list[nbformat.NotebookNode] = []
    claimed: dict[str, nbformat.NotebookNode] = {}
    for cell in notebook.cells:
        name = grade_id(cell)
        if name is None or name in answers:
            cells.append(cell)
        elif name in claimed:
            if name not in notes.copied:
                notes.copied.append(name)
            cells.append(_unmarked(cell))
        elif name in known and is_check(known[name]):
            claimed[name] = cell
            cells.append(cell)
        else:
            cells.append(_unmarked(cell))
    notebook.cells = cells
    for cell in official:
        if is_check(cell):
            _settle_check(notebook, cell, claimed, notes)
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata and grade_id(cell) is None:
            _unmarked(cell)
    return notes


def _settle_answers(
    notebook: nbformat.NotebookNode, known: dict[str, nbformat.NotebookNode]
) -> set[str]:
    """Give the last cell that claims an answer its official metadata; the others are plain code."""
    answers: set[str] = set()
    for cell in reversed(notebook.cells):
        name = grade_id(cell)
        if name in known and not is_check(known[name]) and cell.cell_type == "code":
            if name in answers:
                _unmarked(cell)
            else:
                answers.add(name)
                cell.metadata["nbgrader"] = copy.deepcopy(known[name].metadata["nbgrader"])
    return answers


def _settle_check(
    notebook: nbformat.NotebookNode,
    official: nbformat.NotebookNode,
    claimed: dict[str, nbformat.NotebookNode],
    notes: Restored,
) -> None:
    name = str(grade_id(official))
    fresh = copy.deepcopy(official)
    fresh.outputs, fresh.execution_count = [], None
    answer = _position(notebook, ANSWER_PREFIX + exercise_of(name))
    if name in claimed:
        place = next(i for i, cell in enumerate(notebook.cells) if cell is claimed[name])
        if _without_hidden(claimed[name].source) != _without_hidden(official.source):
            notes.edited.append(name)
        if answer is not None and answer > place:
            notes.moved.append(name)
            del notebook.cells[place]
            place = answer  # one less since the deleted cell stood before it, one more to be below
            notebook.cells.insert(place, fresh)
        else:
            notebook.cells[place] = fresh
    else:
        notes.missing.append(name)
        place = len(notebook.cells) if answer is None else answer + 1
        notebook.cells.insert(place, fresh)


def exercise_of(name: str) -> str:
    """The exercise that a graded cell's id belongs to: "check-one_hot-edges" gives "one_hot"."""
    return name.removeprefix(CHECK_PREFIX).partition("-")[0]


def _position(notebook: nbformat.NotebookNode, name: str) -> int | None:
    for index, cell in enumerate(notebook.cells):
        if grade_id(cell) == name:
            return index
    return None


def _unmarked(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    cell.metadata.pop("nbgrader", None)
    return cell


def _without_hidden(source: str) -> str:
    """A check as students have it, blank lines and trailing blanks aside."""
    lines, inside = [], False
    for line in source.splitlines():
        if "BEGIN HIDDEN TESTS" in line or "END HIDDEN TESTS" in line:
            inside = "BEGIN" in line
        elif not inside and line.strip():
            lines.append(line.rstrip())
    return "\n".join(lines)
