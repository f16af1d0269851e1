"""Whatever a student's file holds: it is refused with a reason, or becomes harmless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.errors import CourseError
from autograder.grading.harmless import fenced, make_harmless, reason_against
from autograder.submission.validate import read_notebook

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
SOURCES = st.text(st.characters(codec=None), max_size=30)  # halves of letters, too
CELLS = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["code", "markdown", "raw", "heading"]),
        "metadata": st.dictionaries(st.sampled_from(["nbgrader", "tags", "name"]), JSON),
        "source": SOURCES | st.lists(SOURCES, max_size=3) | JSON,
    },
    optional={"outputs": JSON | st.just([]), "execution_count": JSON, "id": JSON, "x": JSON},
)
NOTEBOOKS = st.fixed_dictionaries(
    {
        "nbformat": st.sampled_from([4, 4, 4, 3, 5, 2]) | JSON,
        "nbformat_minor": st.sampled_from([0, 4, 5, 5, 9]) | JSON,
        "metadata": st.dictionaries(st.text(max_size=8), JSON),
        "cells": st.lists(CELLS, max_size=4) | JSON,
    },
    optional={"worksheets": JSON, "x": JSON},
)
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(NOTEBOOKS)
def test_a_file_is_refused_with_a_reason_or_becomes_harmless(tmp_path: Path, made: Any) -> None:
    file = tmp_path / "a.ipynb"
    file.write_text(json.dumps(made))
    try:
        notebook = read_notebook(file)
    except CourseError as error:
        assert "can't be read" in str(error) or "not a notebook" in str(error)
        return
    assert reason_against(notebook) == ""
    make_harmless(notebook, ())
    assert notebook.metadata == {}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"nbgrader"}
        assert cell.get("outputs", []) == [] and "attachments" not in cell
        assert cell.cell_type == "code" or cell.source == fenced(cell.source)
    (tmp_path / "b.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")


@FUZZ
@given(st.binary(max_size=300))
def test_bytes_are_no_notebook(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.ipynb"
    file.write_bytes(content)
    with pytest.raises(CourseError):
        read_notebook(file)


@given(st.text())
def test_a_fence_holds_every_text(text: str) -> None:
    first, *middle, last = fenced(text).split("\n")
    assert first == last and set(first) == {"~"}
    assert not any(first in line for line in middle)
    assert fenced(fenced(text)) == fenced(text)


@pytest.mark.parametrize(
    ("cells", "reason"), [(["x"] * 2_001, "more than 2,000 cells"), (["x" * 200_001], "letters")]
)
def test_what_is_giant_is_refused(cells: list[str], reason: str) -> None:
    made = [nbformat.v4.new_code_cell(source) for source in cells]
    assert reason in reason_against(nbformat.v4.new_notebook(cells=made))
