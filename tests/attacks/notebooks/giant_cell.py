"""Has one cell of a million letters.

Works on graders that hand it to a parser and a highlighter.
Trace: is too large
"""

from nbformat.v4 import new_code_cell


def make(notebook):
    notebook.cells.append(new_code_cell("x = 1\n" * 170_000))
    return notebook
