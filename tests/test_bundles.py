"""A student has nothing but the bundle: with it, a finished notebook runs to its end and passes."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from autograder.bundle import write_bundle
from autograder.chapters import Chapter, load_chapters
from autograder.submission.restore import ANSWER_PREFIX, grade_id
from autograder.weave.notebook import instructor_notebook
from tests.test_commands import in_a_process

pytestmark = pytest.mark.slow


def unpacked(chapter: Chapter, folder: Path) -> Path:
    """The notebook of a chapter's bundle, unpacked into a folder."""
    shutil.unpack_archive(write_bundle(chapter, folder), folder)
    return folder / chapter.slug / f"{chapter.slug}.ipynb"


def test_an_untouched_notebook_earns_nothing(tmp_path: Path, chapter: Chapter) -> None:
    notebook = unpacked(chapter, tmp_path)
    done = in_a_process("validate", notebook.name, cwd=notebook.parent)
    assert done.returncode == 1
    assert f"0/{chapter.points:g}" in done.stdout


def finished(chapter: Chapter, folder: Path) -> Path:
    """The same with the reference's answers."""
    file = unpacked(chapter, folder)
    answers = {grade_id(cell): cell.source for cell in instructor_notebook(chapter).cells}
    notebook = nbformat.read(file, as_version=4)
    for cell in notebook.cells:
        if (grade_id(cell) or "").startswith(ANSWER_PREFIX):
            cell.source = answers[grade_id(cell)]
    nbformat.write(notebook, file)
    return file


@pytest.mark.parametrize("chapter", load_chapters(), ids=lambda chapter: chapter.slug)
def test_a_student_validates_offline_with_nothing_but_the_bundle(
    tmp_path: Path, chapter: Chapter
) -> None:
    file = finished(chapter, tmp_path)
    done = in_a_process("validate", file.name, cwd=file.parent)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert f"{chapter.points:g}/{chapter.points:g}" in done.stdout
    assert "--run-all" in done.stdout


def test_a_student_may_run_all_cells(tmp_path: Path, chapter: Chapter) -> None:
    file = finished(chapter, tmp_path)
    notebook = nbformat.read(file, as_version=4)
    experiment = next(
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and grade_id(cell) is None and "figures." in cell.source
    )
    done = in_a_process("validate", file.name, "--run-all", cwd=file.parent)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert "Not run" not in done.stdout and "failed" not in done.stdout
    experiment.source += "\nraise ValueError('an experiment that fails')"
    nbformat.write(notebook, file)
    changed = in_a_process("validate", file.name, cwd=file.parent)  # what one changed is run
    assert changed.returncode == 0
    assert "A cell that is not graded failed" in changed.stdout
