"""Verdicts: what came of one submission, in a file that its content names.

A verdict belongs to what was run, and not to who handed it in: the code cells, the assignment, the
course's own code, the limits. So two equal submissions have one verdict, what was run once is not
run again, and nothing of it depends on a database or on the order of grading.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat

from autograder.chapters import ROOT
from autograder.submission.restore import grade_id

LIBRARIES = ("torch", "numpy", "ipython", "nbgrader")  # on which a verdict may depend


@dataclass(frozen=True)
class Verdict:
    """What came of the code cells of a notebook.

    Args:
        key: what it belongs to.
        isolation: how well the box was closed, by name.
        seconds: how long it took, by the clock.
        cells: for each code cell its outputs and its execution count.
    """

    key: str
    isolation: str
    seconds: float
    cells: list[dict[str, Any]]

    @classmethod
    def of(
        cls, notebook: nbformat.NotebookNode, key: str, isolation: str, seconds: float
    ) -> Verdict:
        """The verdict that stands in a notebook that was run."""
        cells = [
            {"outputs": cell.outputs, "execution_count": cell.execution_count}
            for cell in code_cells(notebook)
        ]
        return cls(key, isolation, seconds, cells)

    def enter(self, notebook: nbformat.NotebookNode) -> None:
        """Write the verdict into a notebook with the same code cells."""
        for cell, known in zip(code_cells(notebook), self.cells, strict=True):
            cell.outputs = [nbformat.from_dict(output) for output in known["outputs"]]
            cell.execution_count = known["execution_count"]
        notebook.metadata["grading"] = {"verdict": self.key, "isolation": self.isolation}


@dataclass(frozen=True)
class Verdicts:
    """A folder of verdicts.

    Args:
        folder: the folder; it is made when something is written.
    """

    folder: Path

    def find(self, key: str) -> Verdict | None:
        """The verdict of that key; None where there is none, or a damaged one."""
        try:
            known = json.loads(self._file(key).read_text(encoding="utf-8"))
            found = Verdict(**known)
        except (OSError, ValueError, TypeError):
            return None
        return found if found.key == key else None

    def write(self, verdict: Verdict) -> None:
        """Write a verdict. It is there whole, or not at all, whenever the process is killed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".half-written-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(verdict), file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._file(verdict.key))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def forget(self, key: str) -> None:
        """Delete a verdict, so that the submission is run again."""
        self._file(key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def key_of(notebook: nbformat.NotebookNode, conditions: list[Any]) -> str:
    """The key of what comes of a notebook's code.

    Args:
        notebook: the notebook, its graded cells as they were handed out.
        conditions: what else it depends on: assignment, limits, isolation.
    """
    code = [[grade_id(cell), cell.source] for cell in code_cells(notebook)]
    whole = json.dumps([code, conditions, house_fingerprint()], sort_keys=True)
    return sha256(whole.encode("utf-8", errors="surrogatepass")).hexdigest()


@cache
def house_fingerprint() -> str:
    """A fingerprint of the course's own code, its libraries, and the machine's kind."""
    total = sha256()
    for room in ("autograder", "solutions"):
        for file in sorted((ROOT / room).rglob("*.py")):
            total.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    versions = [f"{name} {metadata.version(name)}" for name in LIBRARIES]
    total.update(" ".join([platform.python_version(), platform.machine(), *versions]).encode())
    return total.hexdigest()
