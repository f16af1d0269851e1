"""Has cells whose source nests so far, or is so long, that Python's parser gives up or dies.

Works on graders that parse a submission in their own process.
Trace: is not defined
"""

from nbformat.v4 import new_code_cell

SOURCES = (
    "(" * 50_000,
    "-" * 150_000 + "1",
    "a" + ".b" * 70_000,
    "".join(" " * depth + "if a:\n" for depth in range(99)) + " " * 99 + "pass",
    "try:\n pass\nexcept a:\n pass\n" * 5_000,
    "x = 'null \x00 byte'",
    "f'" + "{f'" * 100,
    "# -*- coding: utf-7 -*-\n+AHg-",
)


def make(notebook):
    notebook.cells[1:1] = [new_code_cell(source) for source in SOURCES]
    return notebook
