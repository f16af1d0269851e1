"""From a reference function to the cell of an exercise, with its solution marked.

What nbgrader leaves of that cell when it takes the marked part out is the student's stub: the
signature, the docstring, and any scaffold.
"""

from __future__ import annotations

from pathlib import Path

from autograder.reference import SOLUTIONS, find_definition

BEGIN_SOLUTION = "### BEGIN SOLUTION"
END_SOLUTION = "### END SOLUTION"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def solution_cell(module: str, name: str, solutions: Path | None = None) -> str:
    """The reference's source with its body between nbgrader's solution markers.

    Where the reference marks parts of its body itself, those stay as they are, and the rest of the
    body is the scaffold that students get.

    Args:
        module: the module of `solutions/`.
        name: the function.
        solutions: the folder of the modules.

    Raises:
        LookupError: there is no such function.
    """
    file = (solutions or SOLUTIONS) / f"{module}.py"
    definition = find_definition(file, name)
    if definition is None:
        raise LookupError(f"{file.name} defines no {name}.")
    lines = file.read_text(encoding="utf-8").splitlines()
    first = min([definition.lineno, *(d.lineno for d in definition.decorator_list)])
    head_end = definition.body[0].end_lineno or definition.lineno  # the docstring's last line
    head, body = lines[first - 1 : head_end], lines[head_end : definition.end_lineno]
    if any(BEGIN_SOLUTION in line for line in body):
        return "\n".join(head + body)
    indent = " " * definition.body[0].col_offset
    return "\n".join([*head, indent + BEGIN_SOLUTION, *body, indent + END_SOLUTION])


def stub_cell(module: str, name: str, solutions: Path | None = None) -> str:
    """What a student gets for an exercise: `solution_cell` without what is marked in it."""
    kept: list[str] = []
    inside = False
    for line in solution_cell(module, name, solutions).splitlines():
        if BEGIN_SOLUTION in line:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + stub_line for stub_line in STUB.splitlines()]
        elif END_SOLUTION in line:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)
