"""How long the book takes: from nothing, after an edit of its text, and as a student's notebook."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autograder.chapters import ROOT, load_chapters
from autograder.notebook import data
from autograder.submission.run import Limits, NotebookRunner
from autograder.weave.notebook import instructor_notebook

# The budgets, in seconds, on two cores without a graphics card.
PAGE, BOOK, EDIT, NOTEBOOK = 90, 600, 20, 120

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "_build", "course", "data", "*.egg-info")


def build() -> None:
    """Time a build from nothing, a build after an edit, and each notebook from top to bottom."""
    table = Table("What", "Seconds", "Budget", title="Building the book")
    with tempfile.TemporaryDirectory(prefix="book-") as name:
        copy = Path(shutil.copytree(ROOT, Path(name) / "book", ignore=LEFT_OUT))
        seconds, log = _jupyter_book(copy)
        for page, took in _page_times(log):
            table.add_row(f"page {page}", f"{took:.1f}", f"{PAGE}")
        table.add_row("the whole book, from nothing", f"{seconds:.1f}", f"{BOOK}")
        source = copy / "book" / "01-one-hot.md"
        text = source.read_text(encoding="utf-8")
        source.write_text(text.replace("A computer", "Every computer", 1), encoding="utf-8")
        seconds, _ = _jupyter_book(copy)
        table.add_row("again, after an edit of a chapter's text", f"{seconds:.1f}", f"{EDIT}")
    paths = {"COURSE_DATA": str(data.folder())}
    for chapter in load_chapters():
        notebook = instructor_notebook(chapter)
        runner = NotebookRunner(Limits(seconds=600), environment=paths)
        start = time.perf_counter()
        runner.run(notebook)
        took = time.perf_counter() - start
        table.add_row(f"notebook {chapter.slug}, completed", f"{took:.1f}", f"{NOTEBOOK}")
    Console().print(table)


def _jupyter_book(folder: Path) -> tuple[float, str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "COURSE_DATA": str(data.folder())}
    start = time.perf_counter()
    done = subprocess.run(
        [
            Path(sys.executable).with_name("jupyter-book"),
            "build",
            str(folder),
            "-W",
            "-n",
            "--keep-going",
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    log = done.stdout + done.stderr
    if done.returncode != 0:
        raise RuntimeError(f"The book could not be built:\n{log[-3000:]}")
    return seconds, log


def _page_times(log: str) -> list[tuple[str, float]]:
    """The pages that were executed, with their seconds, out of the build's log."""
    found = re.findall(r"book/([\w-]+)\.md: Executed notebook in ([\d.]+) seconds", log)
    return [(page, float(seconds)) for page, seconds in found]
