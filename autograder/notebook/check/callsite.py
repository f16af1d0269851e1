"""What the graded cell says around a call of `check`: the exercise's name as it is written there.

The name is read from the cell's source and not from the function's `__name__`, which is
`<lambda>` for a lambda, and another exercise's for an alias.
"""

from __future__ import annotations

import ast
from types import FrameType

from executing import Source
from IPython import get_ipython

BEGIN_HIDDEN = "### BEGIN HIDDEN TESTS"
END_HIDDEN = "### END HIDDEN TESTS"


CellRun = tuple[str, int | None]


def cell_run(frame: FrameType) -> CellRun:
    """What tells one run of a cell from another: its file name, and IPython's count of runs."""
    shell = get_ipython()
    return frame.f_code.co_filename, shell.execution_count if shell else None


def exercise_name(frame: FrameType) -> str:
    """The name that stands as first argument of the call which `frame` is in.

    Raises:
        ValueError: the call's source can't be read, or its first argument is no name.
    """
    node = Source.executing(frame).node
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Name):
        return node.args[0].id
    raise ValueError(
        "`check` is called with the exercise's function by its name, as in check(one_hot, ...), "
        "from a notebook's cell."
    )


def call_as_written(frame: FrameType) -> str:
    """The source of the call that `frame` is in, on one line; empty where it can't be read."""
    source = Source.executing(frame)
    return " ".join(source.text().split()) if source.node is not None else ""


def constants(source: str) -> set[str]:
    """The texts that stand in a source as they are: nothing was put into them."""
    return {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def is_hidden(frame: FrameType) -> bool:
    """True where the call stands in a hidden part of its cell, whose inputs are not shown."""
    lines = Source.for_frame(frame).lines[: frame.f_lineno]
    for line in reversed(lines):
        if END_HIDDEN in line:
            return False
        if BEGIN_HIDDEN in line:
            return True
    return False
