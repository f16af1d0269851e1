"""Is larger than any notebook.

Works on graders that read whatever there is into memory, and show it to a browser.
Trace: is too large
"""


def make(notebook):
    notebook.cells[0].source = "x" * 25_000_000
    return notebook
