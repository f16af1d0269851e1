"""Which cells of a submission have to run, so that its graded cells can."""

from __future__ import annotations

from collections.abc import Collection

import nbformat

from autograder.submission.names import given_names, used_names
from autograder.submission.restore import is_check


def needed_cells(
    notebook: nbformat.NotebookNode, handed_out: Collection[str]
) -> list[nbformat.NotebookNode]:
    """The code cells that are run: all that the student wrote or changed, and what those use.

    A cell that stands as it was handed out, and gives no name a meaning that a run cell uses,
    can't change what comes of a graded cell.

    Args:
        notebook: the submission.
        handed_out: the sources of the cells that are neither answers nor checks, as they were
            handed out.

    Returns:
        Cells of the notebook, in its order, without the graded ones.
    """
    code = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.source.strip() and not is_check(cell)
    ]
    run = [place for place, cell in enumerate(code) if place == 0 or cell.source not in handed_out]
    wanted = {name for place in run for name in _names(code[place].source)[1]}
    waiting = [place for place in range(len(code)) if place not in run]
    while found := [place for place in waiting if _names(code[place].source)[0] & wanted]:
        for place in found:
            wanted |= _names(code[place].source)[1]
        run += found
        waiting = [place for place in waiting if place not in found]
    return [code[place] for place in sorted(run)]


def _names(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a cell gives, and those that it uses; none where it is no Python."""
    try:
        return given_names(source), used_names(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(), frozenset()
