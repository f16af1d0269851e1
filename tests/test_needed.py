"""Which cells of a submission are run: what the student wrote, what that uses, and no more."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.chapters import Chapter
from autograder.grading.execution import Assignment
from autograder.submission.needed import needed_cells
from autograder.submission.restore import ANSWER_PREFIX, grade_id
from autograder.weave.notebook import instructor_notebook

SET_UP = "import torch\nfrom course import figures\nwords = []"


def needed(*handed_out: str, answer: str) -> list[str]:
    """Of cells as they were handed out, with an answer after them, those that are run."""
    cells = [new_code_cell(source) for source in (SET_UP, *handed_out, answer)]
    run = needed_cells(new_notebook(cells=cells), {SET_UP, *handed_out})
    sources = [cell.source for cell in run]
    assert sources[0] == SET_UP and sources[-1] == answer
    return sources[1:-1]


@pytest.mark.parametrize(
    "cell",
    [
        "def helper(x):\n    return x",
        "helper = max",
        "from math import floor as helper",
        "for helper in range(3):\n    pass",
    ],
)
def test_a_cell_that_gives_a_name_which_the_answer_uses_is_run(cell: str) -> None:
    assert needed(cell, "other = 1", answer="def f(x):\n    return helper(x)") == [cell]


@pytest.mark.parametrize("cell", ["words.append('a')", "words[0] = 'a'", "words.kind = 'a'"])
def test_a_cell_that_changes_a_value_which_the_answer_uses_is_run(cell: str) -> None:
    changes = ["words = ['b']", cell]
    assert needed(*changes, answer="def f():\n    return words") == changes


def test_what_a_needed_cell_needs_is_run_too() -> None:
    chain = ["a = 1", "b = a", "c = b"]
    assert needed(*chain, "d = c", answer="def f():\n    return c") == chain


@pytest.mark.parametrize(
    "cell", ["torch.manual_seed(0)", "figures.show(1)", "import torch\nprint(torch.ones(2))"]
)
def test_using_what_the_set_up_imports_gives_nothing_that_an_answer_needs(cell: str) -> None:
    assert needed(cell, answer="def f(x):\n    return torch.exp(x) + figures.size") == []


def test_a_cell_that_the_student_changed_is_run_whatever_it_says() -> None:
    cells = [new_code_cell(source) for source in (SET_UP, "this is no Python", "a = 1")]
    run = needed_cells(new_notebook(cells=cells), {SET_UP, "a = 1"})
    assert [cell.source for cell in run] == [SET_UP, "this is no Python"]


def test_right_answers_need_the_set_up_and_themselves(chapters: tuple[Chapter, ...]) -> None:
    for chapter in chapters:
        notebook: nbformat.NotebookNode = instructor_notebook(chapter)
        handed_out = Assignment.of_chapter(chapter).handed_out
        first, *others = needed_cells(notebook, handed_out)
        assert first.source == chapter.set_up
        assert [one.source for one in others if not is_answer(one)] == [], chapter.slug


def is_answer(cell: nbformat.NotebookNode) -> bool:
    """True for the cell of an answer, also of one that was carried along."""
    return (grade_id(cell) or "").startswith(ANSWER_PREFIX)
