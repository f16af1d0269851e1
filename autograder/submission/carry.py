"""Taking answers along: a student's functions of one chapter, for the exercises of a later one."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat

from autograder.errors import CourseError
from autograder.submission.names import used_names
from autograder.submission.restore import ANSWER_PREFIX, grade_id, is_check
from autograder.submission.validate import read_notebook

METADATA = "carried"  # in a carried cell: which chapter it takes from, and what


def definitions(sources: Iterable[str], names: Iterable[str]) -> list[str]:
    """The parts of some sources that define names, and all that those parts use.

    Args:
        sources: Python sources, in their order; one that is no Python is passed over. Of two
            definitions of one name the last counts.
        names: functions, classes or other names at the top level.

    Returns:
        Imports, assignments, functions and classes, each as it is written, in the order of the
        sources.

    Raises:
        LookupError: one of `names` is defined nowhere; it is the error's argument.
    """
    parts: list[str] = []
    places: dict[str, list[int]] = {}
    for source in sources:
        try:
            body = ast.parse(source).body
        except SyntaxError:
            continue
        for statement in body:
            for name in _bound(statement):
                places.setdefault(name, []).append(len(parts))
            parts.append(_written(statement, source))
    for name in names:
        if name not in places:
            raise LookupError(name)
    needed: set[int] = set()
    waiting = [places[name][-1] for name in names]
    while waiting:
        place = waiting.pop()
        if place not in needed:
            needed.add(place)
            # As it was when the function was written, or else what came later.
            for name in used_names(parts[place]) & places.keys():
                before = [one for one in places[name] if one < place]
                waiting.append((before or places[name])[-1])
    return [parts[place] for place in sorted(needed)]


def carry(earlier: Path, notebook: Path, handed_out: nbformat.NotebookNode) -> list[str]:
    """Copy a student's functions from an earlier notebook into the cell of a later one.

    Args:
        earlier: the notebook that has the answers; it is not changed.
        notebook: the notebook that needs them; its carried cell is filled in.
        handed_out: that notebook as it was handed out.

    Returns:
        The names that were carried.

    Raises:
        CourseError: a file is no notebook, the later one takes nothing from the earlier one, an
            answer is missing, or the cell holds something already.
    """
    source, target = read_notebook(earlier), read_notebook(notebook)
    answers = {grade_id(cell) for cell in source.cells}
    official = [
        cell
        for cell in handed_out.cells
        if METADATA in cell.metadata
        and {ANSWER_PREFIX + name for name in cell.metadata[METADATA]["names"]} & answers
    ]
    if not official:
        raise CourseError(
            f"{notebook.name} takes nothing from {earlier.name}. The earlier chapter's notebook is "
            "named first, then the one that needs its functions."
        )
    about: dict[str, Any] = official[0].metadata[METADATA]
    places = [cell for cell in target.cells if grade_id(cell) == grade_id(official[0])]
    if not places:
        raise CourseError(f"{notebook.name} has lost the cell for the functions of {earlier.name}.")
    if places[0].source.strip() != official[0].source.strip():
        raise CourseError(
            f"The cell for the functions of {earlier.name} holds something already, and stays as "
            "it is. To fill it in anew, put two lines in the place of what stands below its "
            "comment lines:\n# YOUR CODE HERE\nraise NotImplementedError()"
        )
    code = [cell for cell in source.cells if cell.cell_type == "code" and not is_check(cell)]
    for cell in code:
        if grade_id(cell) is not None:
            _check_python(_plain(cell.source), earlier)
    try:
        parts = definitions((_plain(cell.source) for cell in code), about["names"])
    except LookupError as error:
        raise CourseError(f"{earlier.name} defines no {error.args[0]}.") from error
    unwritten = [part for part in parts if "raise NotImplementedError()" in part]
    if unwritten:
        name = unwritten[0].partition("def ")[2].partition("(")[0]
        raise CourseError(f"In {earlier.name}, {name} is not written yet.")
    head = official[0].source.partition("# YOUR CODE HERE")[0].rstrip()
    places[0].source = "\n\n\n".join([head, *parts])
    notebook.write_text(nbformat.writes(target) + "\n", encoding="utf-8")
    return list(about["names"])


def _plain(source: str) -> str:
    """A cell's source without the lines that are for Jupyter, such as `%timeit` and `!pip`."""
    kept = (line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
    return "\n".join(kept)


def _check_python(source: str, file: Path) -> None:
    try:
        ast.parse(source)
    except SyntaxError as error:
        begins = source.strip().partition("\n")[0]
        raise CourseError(
            f"In {file.name}, the cell that begins with `{begins}` is no Python: {error.msg}."
        ) from error


def _bound(statement: ast.stmt) -> list[str]:
    """The names that a statement at the top level gives a meaning."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        if getattr(statement, "module", None) == "__future__":
            return []
        return [(alias.asname or alias.name).partition(".")[0] for alias in statement.names]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        nodes = [node for target in targets for node in ast.walk(target)]
        return [
            node.id
            for node in nodes
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
    return []


def _written(statement: ast.stmt, source: str) -> str:
    """A statement as it stands in its source, decorators included."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    return "\n".join(source.splitlines()[first - 1 : statement.end_lineno])
