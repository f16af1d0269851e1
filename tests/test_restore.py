"""Graded cells come back as they were handed out, whatever a student did to them."""

from __future__ import annotations

import copy
import random

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.chapters import Chapter
from autograder.submission.restore import grade_id, is_check, restore
from autograder.submission.validate import official_cells
from autograder.weave.notebook import student_notebook


@pytest.fixture(scope="module")
def handed_out(chapter: Chapter) -> nbformat.NotebookNode:
    return student_notebook(chapter)


def checks(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if grade_id(cell) and is_check(cell)]


def assert_all_there(notebook: nbformat.NotebookNode, handed_out: nbformat.NotebookNode) -> None:
    """Each graded cell once, as handed out, and below its answer."""
    official = {grade_id(cell): cell for cell in checks(handed_out)}
    found = checks(notebook)
    assert sorted(map(grade_id, found)) == sorted(official)
    for cell in found:
        assert cell.source == official[grade_id(cell)].source
        assert cell.metadata["nbgrader"] == official[grade_id(cell)].metadata["nbgrader"]
    names = [grade_id(cell) for cell in notebook.cells]
    for name in official:
        answer = "answer-" + str(name).removeprefix("check-").partition("-")[0]
        if answer in names:
            assert names.index(answer) < names.index(name)


def test_an_untouched_notebook_stays_as_it_is(handed_out: nbformat.NotebookNode) -> None:
    notebook = copy.deepcopy(handed_out)
    assert restore(notebook, official_cells(handed_out)).sentences() == []
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in handed_out.cells]


def test_a_deleted_check_is_put_back_below_its_answer(handed_out: nbformat.NotebookNode) -> None:
    notebook = copy.deepcopy(handed_out)
    gone = checks(notebook)[1]
    notebook.cells.remove(gone)
    notes = restore(notebook, official_cells(handed_out))
    assert notes.missing == [grade_id(gone)]
    assert_all_there(notebook, handed_out)


def test_an_edited_check_gets_its_source_and_points_back(handed_out: nbformat.NotebookNode) -> None:
    notebook = copy.deepcopy(handed_out)
    cell = checks(notebook)[0]
    cell.source = "pass"
    cell.metadata["nbgrader"]["points"] = 1000
    cell.metadata["nbgrader"]["solution"] = True
    notes = restore(notebook, official_cells(handed_out))
    assert notes.edited == [grade_id(cell)]
    assert_all_there(notebook, handed_out)


def test_a_copied_check_counts_once(handed_out: nbformat.NotebookNode) -> None:
    notebook = copy.deepcopy(handed_out)
    notebook.cells += copy.deepcopy(checks(notebook)[:2])
    notes = restore(notebook, official_cells(handed_out))
    assert len(notes.copied) == 2
    assert_all_there(notebook, handed_out)


def test_of_two_answers_the_last_is_the_answer_and_both_run(
    handed_out: nbformat.NotebookNode,
) -> None:
    notebook = copy.deepcopy(handed_out)
    index = next(
        i for i, c in enumerate(notebook.cells) if (grade_id(c) or "").startswith("answer-")
    )
    twin = copy.deepcopy(notebook.cells[index])
    twin.source = "# the second try"
    notebook.cells.insert(index + 1, twin)
    name = grade_id(twin)
    restore(notebook, official_cells(handed_out))
    assert [cell.source for cell in notebook.cells if grade_id(cell) == name] == [
        "# the second try"
    ]
    assert len(notebook.cells) == len(handed_out.cells) + 1
    assert_all_there(notebook, handed_out)


def test_cells_with_made_up_metadata_are_plain_cells(handed_out: nbformat.NotebookNode) -> None:
    notebook = copy.deepcopy(handed_out)
    for marks in (
        {"grade_id": "check-mine", "grade": True, "points": 99},
        "nonsense",
        [],
        {},
        None,
    ):
        notebook.cells.append(nbformat.v4.new_code_cell("1", metadata={"nbgrader": marks}))
    restore(notebook, official_cells(handed_out))
    assert all("nbgrader" not in cell.metadata for cell in notebook.cells[-5:])
    assert_all_there(notebook, handed_out)


@given(seed=st.integers(0, 10_000))
def test_any_shuffle_of_the_cells_is_put_right(
    seed: int, handed_out: nbformat.NotebookNode
) -> None:
    chance = random.Random(seed)
    notebook = copy.deepcopy(handed_out)
    chance.shuffle(notebook.cells)
    kept = [cell for cell in notebook.cells if chance.random() < 0.8]
    notebook.cells = kept + copy.deepcopy(chance.sample(kept, k=min(3, len(kept))))
    restore(notebook, official_cells(handed_out))
    assert_all_there(notebook, handed_out)
