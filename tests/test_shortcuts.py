"""Shortcuts that an exercise forbids are found, told, and never taken for more than a rule."""

from __future__ import annotations

import functools
import importlib
import inspect

import nbformat
import pytest

from autograder.chapters import Chapter, find_chapter
from autograder.grading.released import restore_cells
from autograder.reference import reference_function
from autograder.submission.restore import grade_id
from autograder.submission.shortcuts import imported_names, shortcut_notes, used_functions
from autograder.weave.notebook import student_notebook

RULE = {"softmax": ("torch.softmax", "torch.nn.functional.softmax", "torch.Tensor.softmax")}


def notebook_with(answer: str, exercise: str = "softmax") -> nbformat.NotebookNode:
    """The attention notebook with one answer."""
    notebook = student_notebook(find_chapter("attention"))
    for cell in notebook.cells:
        if grade_id(cell) == f"answer-{exercise}":
            cell.source = answer
    return notebook


@pytest.mark.parametrize(
    "answer",
    [
        "def softmax(x, dim=-1):\n    return torch.softmax(x, dim)",
        "def softmax(x, dim=-1):\n    return x.double().softmax(dim)",
        "import torch.nn.functional as G\ndef softmax(x, dim=-1):\n    return G.softmax(x, dim)",
        "from torch.nn.functional import softmax as own\nsoftmax = own",
        "from torch import nn\ndef softmax(x, dim=-1):\n    return nn.functional.softmax(x, dim)",
    ],
)
def test_a_shortcut_is_found_however_it_is_imported(answer: str) -> None:
    [note] = shortcut_notes(notebook_with(answer), RULE)
    assert note.startswith("softmax is to be written without torch.")
    assert "a rule and not a wall" in note


@pytest.mark.parametrize(
    "answer",
    [
        "def softmax(x, dim=-1):\n    powers = torch.exp(x)\n    return powers / powers.sum(dim)",
        "def softmax(x, dim=-1):\n    'not torch.softmax'\n    return other.exp(x)",
        "def softmax(",
    ],
)
def test_what_is_written_by_hand_is_no_shortcut(answer: str) -> None:
    assert shortcut_notes(notebook_with(answer), RULE) == []


def test_it_is_told_at_the_top_of_the_notebook_once_and_to_the_instructor() -> None:
    notebook = notebook_with("softmax = torch.softmax")
    told = restore_cells(notebook, [], {})
    assert told == []
    notebook = notebook_with("softmax = torch.softmax")
    [told] = restore_cells(notebook, marked(notebook), RULE)
    assert told in notebook.cells[0].source
    restore_cells(notebook, marked(notebook), RULE)
    assert sum(told in cell.source for cell in notebook.cells) == 1


def marked(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The answer and graded cells of a notebook."""
    return [cell for cell in notebook.cells if grade_id(cell) is not None]


def test_rules_are_names_that_exist_and_the_reference_keeps_them(
    chapters: tuple[Chapter, ...],
) -> None:
    rules = [(one.name, one.forbids) for chapter in chapters for one in chapter.exercises]
    for exercise, forbids in rules:
        for name in forbids:
            module, *rest = name.split(".")
            functools.reduce(getattr, rest, importlib.import_module(module))
        reference = reference_function(exercise)
        imports = imported_names(inspect.getsource(inspect.getmodule(reference)))  # type: ignore[arg-type]
        assert used_functions(inspect.getsource(reference), imports).isdisjoint(forbids), exercise
    assert any(forbids for _, forbids in rules)


def test_readers_are_told_the_rule_before_they_begin() -> None:
    text = "\n".join(cell.source for cell in student_notebook(find_chapter("attention")).cells)
    assert "Write it without `torch.nn.functional.scaled_dot_product_attention`" in text
    assert "a rule and not a wall" in text
