"""Shortcuts: what an exercise asks its readers not to use, such as torch's own attention.

They are found by reading an answer's source. That is a rule and not a wall: whoever wants to hide a
call can.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from functools import lru_cache
from types import MappingProxyType

import nbformat

from autograder.submission.restore import ANSWER_PREFIX, grade_id

TENSOR = "torch.Tensor."  # methods are forbidden by their name, whatever they are called on
HONEST = (
    "That is a rule and not a wall: it is found by reading the code, it changes no points by "
    "itself, and whoever grades decides."
)


def shortcut_notes(
    notebook: nbformat.NotebookNode, forbidden: Mapping[str, Collection[str]]
) -> list[str]:
    """A sentence for each answer that uses what its exercise forbids.

    Args:
        notebook: the submission.
        forbidden: by exercise, full names such as "torch.nn.functional.softmax".
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    aliases: dict[str, str] = {}
    for cell in code:
        aliases |= imported_names(cell.source)
    notes = []
    for cell in code:
        exercise = (grade_id(cell) or "").removeprefix(ANSWER_PREFIX)
        if exercise not in forbidden:
            continue
        used = used_functions(cell.source, aliases) & set(forbidden[exercise])
        if used:
            names = " and ".join(sorted(used))
            notes.append(f"{exercise} is to be written without {names}, and uses it. {HONEST}")
    return notes


@lru_cache(maxsize=512)  # a class has most of its cells in common
def imported_names(source: str) -> Mapping[str, str]:
    """By name, what the imports of a source stand for: `import torch.nn.functional as F`."""
    names = {}
    for node in _walk(source):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return MappingProxyType(names)


def used_functions(source: str, aliases: Mapping[str, str]) -> set[str]:
    """Full names of all that a source refers to, and of each method that it may call on a tensor.

    Args:
        source: the source.
        aliases: what imported names stand for.
    """
    found = set()
    for node in _walk(source):
        if isinstance(node, ast.Name) and node.id in aliases:
            found.add(aliases[node.id])
        elif isinstance(node, ast.Attribute):
            parts, base = [node.attr], node.value
            while isinstance(base, ast.Attribute):
                parts.insert(0, base.attr)
                base = base.value
            if isinstance(base, ast.Name) and base.id in aliases:
                found.add(".".join([aliases[base.id], *parts]))
            else:
                found.add(TENSOR + node.attr)
    return found


def _walk(source: str) -> list[ast.AST]:
    """The parts of a source; none where it is no Python."""
    try:
        return list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
