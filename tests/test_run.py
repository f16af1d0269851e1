"""Notebooks are run to their end, whatever their cells do."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from autograder.errors import CourseError
from autograder.submission.run import Limits, NotebookRunner

pytestmark = pytest.mark.slow

DEAF = """
import time
while True:
    try:
        time.sleep(1)
    except BaseException:
        pass
"""


def run(*sources: str, seconds: float = 4.0, output: int = 200_000) -> list[str]:
    """What each cell wrote, or the text of its error."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    NotebookRunner(Limits(seconds=seconds, output=output)).run(notebook)
    return [
        "".join(output.get("text") or output.get("evalue") or "" for output in cell.outputs).strip()
        for cell in notebook.cells
    ]


def test_a_dead_kernel_an_endless_loop_and_a_flood_cost_their_cell_alone() -> None:
    outputs = run(
        "a = 1",
        "import os; os._exit(1)",
        "b = a + 1; print(b)",
        DEAF,
        "while True: print('x' * 1000)",
        "1 / 0",
        "print(a, b)",
    )
    assert outputs[2] == "2"
    assert outputs[1].startswith("The kernel died while the cell ran")
    assert outputs[3] == "The cell did not end within 4 seconds."
    assert outputs[4] == "The cell wrote more than 0.2 MB of output."
    assert outputs[5] == "division by zero"
    assert outputs[6] == "1 2"


def test_code_runs_in_an_empty_folder_where_no_file_stands_in_for_a_package() -> None:
    listing, places = run("import os; print(os.listdir())", "import sys; print(sys.path)")
    assert listing == "[]"
    assert str(Path.cwd()) not in places.split("'")


def test_cells_that_are_skipped_are_not_run_and_lose_their_old_outputs() -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("a = 1"), nbformat.v4.new_code_cell("print(a)")]
    )
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="old")]
    NotebookRunner(Limits(seconds=4)).run(notebook, skip=lambda cell: cell.source == "a = 1")
    assert notebook.cells[0].outputs == []
    assert notebook.cells[1].outputs[0].ename == "NameError"


def test_a_kernel_that_can_t_start_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(CourseError, match="No Jupyter kernel could be started"):
        run("1")
