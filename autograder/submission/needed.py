"""Which cells of a submission have to run, so that its graded cells can."""

from __future__ import annotations

from collections.abc import Callable, Collection

import nbformat

from autograder.submission.names import changed_names, given_names, imported, used_names
from autograder.submission.restore import grade_id, is_check
from autograder.text import plural


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
    # `torch.manual_seed(0)` gives no new meaning to what the set-up cell imports.
    settled = _read(imported, code[0].source) if code else frozenset()
    wanted = {name for place in run for name in _read(used_names, code[place].source)}
    waiting = [place for place in range(len(code)) if place not in run]
    while found := [place for place in waiting if _gives(code[place].source, settled) & wanted]:
        for place in found:
            wanted |= _read(used_names, code[place].source)
        run += found
        waiting = [place for place in waiting if place not in found]
    return [code[place] for place in sorted(run)]


def plain_sources(handed_out: nbformat.NotebookNode) -> frozenset[str]:
    """The sources of a notebook's code cells that are neither answers nor checks."""
    return frozenset(
        cell.source
        for cell in handed_out.cells
        if cell.cell_type == "code" and grade_id(cell) is None
    )


def told_left_out(count: int) -> str:
    """What is said of cells that were not run; empty where all were."""
    return f"Not run: {plural(count, 'cell')} that no check needs." if count else ""


def _gives(source: str, settled: frozenset[str]) -> frozenset[str]:
    """The names that a cell gives a meaning, or another value.

    Args:
        source: the cell.
        settled: names of imports, which calls of their functions don't change, nor importing again.
    """
    bound = _read(given_names, source) - (_read(imported, source) & settled)
    return bound | (_read(changed_names, source) - settled)


def _read(names: Callable[[str], frozenset[str]], source: str) -> frozenset[str]:
    """Names in a cell; none where it is no Python."""
    try:
        return names(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
