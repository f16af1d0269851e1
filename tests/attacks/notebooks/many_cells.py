"""Has ten thousand cells.

Works on graders whose time goes with the square of the cells.
Trace: is too large
"""

from nbformat.v4 import new_code_cell


def make(notebook):
    notebook.cells += [new_code_cell("x = 1") for _ in range(10_000)]
    return notebook
