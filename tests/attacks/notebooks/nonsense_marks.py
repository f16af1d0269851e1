"""Fills the marks of cells with values of the wrong kind, and versions of the future.

Works on graders that believe their own metadata: one exception ends the class.
Trace: is not defined
"""

VALUES = (None, 1, "x", [], {"grade_id": 3}, {"grade_id": "check-one_hot", "schema_version": 99})


def make(notebook):
    plain = [cell for cell in notebook.cells if "nbgrader" not in cell.metadata]
    for number, cell in enumerate(plain):
        cell.metadata["nbgrader"] = VALUES[number % len(VALUES)]
    return notebook
