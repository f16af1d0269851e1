"""What a notebook of the course may import: `check`, `TableModel`, `data` and `figures`.

This package is shipped to students as it is. It knows no answers: in a student's bundle `check`
compares with outputs that were baked when the bundle was made.
"""

from autograder.notebook import data, figures
from autograder.notebook.check import TableModel, check

__all__ = ["TableModel", "check", "data", "figures"]
