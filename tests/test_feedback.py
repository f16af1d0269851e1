"""Feedback: what was expected, what came, and where to read again; nothing hidden, nothing run."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import Browser

from autograder.chapters import Chapter
from autograder.grading.feedback import exercises_of, page_of
from autograder.grading.harmless import note_cell
from autograder.trial import try_answer
from autograder.weave.notebook import instructor_notebook

BOOK = "https://book.example"
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


def graded_notebook(chapter: Chapter, messages: dict[str, str]) -> nbformat.NotebookNode:
    """The instructor's notebook as if it had been graded.

    Args:
        chapter: the chapter.
        messages: by name of a graded cell, why it failed; all others passed.
    """
    notebook = instructor_notebook(chapter)
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        name = marks.get("grade_id", "").removeprefix("check-")
        if marks.get("grade"):
            failed = name in messages
            marks["score"] = 0.0 if failed else marks["points"]
            said = new_output("error", ename="Check", evalue=messages.get(name, ""), traceback=[])
            cell.outputs = [said] if failed else []
    return notebook


def about(**known: Any) -> dict[str, Any]:
    """What nbgrader tells of a graded notebook."""
    usual = {"student": "ada", "assignment": "other", "score": 1, "max_score": 3}
    return {**usual, "late_penalty": 0, **known}


@pytest.fixture(scope="module")
def page(chapter: Chapter) -> str:
    """The page of a student who made a known mistake in the second exercise, and wrote no third."""
    messages = {}
    for exercise, answer in zip(chapter.exercises[1:3], (shifted, not_written), strict=True):
        for result in try_answer(chapter, exercise.name, answer, hidden=False):
            assert result.message is not None
            messages[result.name] = result.message.partition(": ")[2]
    known = about(assignment=chapter.slug, score=12, max_score=chapter.points, late_penalty=2)
    notebook = graded_notebook(chapter, messages)
    notebook.cells.insert(0, note_cell("Before grading:", ["The check one_hot was missing."]))
    return page_of(notebook, known, BOOK)


def shifted(tokens: Any, vocab: Any) -> Any:
    """Encodes with ids that are one too large."""
    import torch

    return torch.tensor([vocab.index(t) + 1 if t in vocab else 1 for t in tokens])


def not_written(*_: Any) -> Any:
    """An exercise that nobody wrote."""
    raise NotImplementedError


def section(page: str, name: str) -> str:
    """The part of a page that is about one exercise."""
    found = re.search(rf'<section id="{name}">.*?</section>', page, re.DOTALL)
    assert found is not None
    return found.group(0)


def test_an_exercise_tells_what_was_expected_what_came_and_where_to_read_again(
    page: str, chapter: Chapter
) -> None:
    part = section(page, chapter.exercises[1].name)
    for label in ("called", "expected", "came", "look at"):
        assert re.search(rf"<dt>{label}</dt><dd>[^<]+</dd>", part), label
    link = f'<a href="{BOOK}/book/{chapter.slug}.html#from-words-to-ids">From words to ids</a>'
    assert link in part
    assert "is not written yet" in section(page, chapter.exercises[2].name)


def test_how_it_went_is_said_in_words_and_what_is_right_needs_no_reading(
    page: str, chapter: Chapter
) -> None:
    first, second = (section(page, one.name) for one in chapter.exercises[:2])
    assert "all points" in first and "Read again" not in first
    assert "no points" in second
    assert f"12 of {chapter.points:g} points" in page
    assert "2 points taken off, since it was late." in page
    assert "<li>The check one_hot was missing.</li>" in page


def test_no_check_s_source_is_shown(page: str, chapter: Chapter) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert "HIDDEN" not in page
    for cell in chapter.graded:
        source = chapter.source(cell)
        assert source.splitlines()[0] not in text
        hidden = source.partition("### BEGIN HIDDEN TESTS")[2].partition("### END")[0]
        lines = [line.strip() for line in hidden.splitlines() if len(line.strip()) > 10]
        assert [line for line in lines if line in text] == []


def test_whatever_a_student_wrote_is_shown_as_text() -> None:
    marks = {"nbgrader": {"grade_id": "answer-x", "solution": True, "comment": EVIL}}
    graded = {"nbgrader": {"grade_id": "check-x", "grade": True, "points": 3, "score": 1}}
    answer, check = new_code_cell(EVIL, metadata=marks), new_code_cell("", metadata=graded)
    answer.outputs = [new_output("stream", text=EVIL), new_output("error", evalue=EVIL)]
    message = f"{EVIL}\n  expected: {EVIL}\n  came:     {EVIL}\n{EVIL}"
    check.outputs = [new_output("error", evalue=message)]
    notebook = new_notebook(cells=[note_cell("Before grading:", [EVIL]), answer, check])
    made = page_of(notebook, about(student=EVIL), BOOK)
    assert "<script" not in made and "<img" not in made
    assert made.count("&lt;script&gt;alert(1)") >= 8


def test_how_many_cells_were_not_run_is_told() -> None:
    cells = [new_code_cell("a = 1", execution_count=1), new_code_cell(" ")]
    assert "Not run" not in page_of(new_notebook(cells=cells), about(), BOOK)
    cells += [new_code_cell("plot()"), new_code_cell("plot()")]
    assert "Not run: 2 cells that no check" in page_of(new_notebook(cells=cells), about(), BOOK)


def test_several_checks_of_one_exercise_are_added_and_a_message_is_told_once() -> None:
    cells = []
    for name, score in (("check-x", 0), ("check-x-edges", 2)):
        marks = {"nbgrader": {"grade_id": name, "grade": True, "points": 2, "score": score}}
        cells.append(new_code_cell("", metadata=marks))
        cells[-1].outputs = [new_output("error", evalue="The same.")]
    [one] = exercises_of(new_notebook(cells=cells))
    assert (one.earned, one.points, one.messages) == (2, 4, ["The same."])


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_asks_no_host_fits_a_phone_and_passes_axe(
    browser: Browser, page: str, tmp_path: Path, theme: str
) -> None:
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    opened = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(file.as_uri())
    width = opened.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    violations = Axe().run(opened).response["violations"]
    assert [one["id"] for one in violations] == []
    assert asked == [file.as_uri()]
