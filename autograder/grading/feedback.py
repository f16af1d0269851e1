"""The page that a student gets back: what came of each exercise, why, and where to read again.

nbgrader makes it as one step among its own, `GenerateFeedback`; only the page is the course's. It
holds no check's source, loads nothing, and runs nothing.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from docutils.nodes import make_id
from nbconvert.exporters import Exporter
from traitlets import Unicode

from autograder.chapters import ROOT, Chapter, find_chapter
from autograder.chapters.model import BARE_HEADING
from autograder.grading.harmless import NOTES, unfenced
from autograder.submission.needed import told_left_out
from autograder.submission.restore import ANSWER_PREFIX, exercise_of, grade_id, is_check
from autograder.text import plural

TEMPLATE = Path(__file__).with_name("feedback.html")
LABELLED = re.compile(r"^  (called|expected|came|look at|remember): +(.*)$")


@dataclass
class ExerciseFeedback:
    """What came of one exercise.

    Args:
        name: its name.
        earned: points that it got.
        points: points that it can get.
        messages: why checks failed, each once.
        answer: the source of the answer.
        said: what the answer's cell printed, or the error that it raised.
        comment: what whoever graded says.
    """

    name: str
    earned: float = 0.0
    points: float = 0.0
    messages: list[str] = field(default_factory=list)
    answer: str = ""
    said: str = ""
    comment: str = ""


class FeedbackExporter(Exporter):
    """Makes the page of a graded notebook."""

    file_extension = ".html"
    book = Unicode("", help="The address of the built book; the local one if empty.").tag(
        config=True
    )

    def from_notebook_node(  # type: ignore[override]  # as nbconvert's own exporters have it
        self, nb: nbformat.NotebookNode, resources: Any = None, **options: Any
    ) -> tuple[str, Any]:
        """The page, as text."""
        graded, resources = super().from_notebook_node(nb, resources, **options)
        about = resources["nbgrader"]
        page = Path("feedback", about["student"], about["assignment"], "page.html").absolute()
        local = os.path.relpath(ROOT / "_build" / "html", page.parent)
        return page_of(graded, about, self.book.rstrip("/") or local), resources


def page_of(notebook: nbformat.NotebookNode, about: dict[str, Any], book: str) -> str:
    """The page of feedback on a graded notebook.

    Args:
        notebook: the notebook, with scores and comments in its cells' metadata.
        about: what nbgrader knows of it: student, assignment, score, max_score, late_penalty.
        book: the address of the built book.
    """
    chapter = _chapter(about["assignment"])
    exercises = exercises_of(notebook)
    late = about["late_penalty"]
    parts = {
        "title": escape(chapter.title if chapter else about["assignment"]),
        "student": escape(about["student"]),
        "points": f"{max(0.0, about['score']):g} of {plural(about['max_score'], 'point')}",
        "late": f"<p>{plural(late, 'point')} taken off, since it was late.</p>" if late else "",
        "not_run": _not_run(notebook),
        "notes": "".join(_note(text) for text in _notes(notebook)),
        "rows": "".join(_row(exercise) for exercise in exercises),
        "sections": "".join(_section(exercise, chapter, book) for exercise in exercises),
    }
    page = TEMPLATE.read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place.group(1)], page)


def exercises_of(notebook: nbformat.NotebookNode) -> list[ExerciseFeedback]:
    """What came of each exercise, in the order of the notebook."""
    found: dict[str, ExerciseFeedback] = {}
    for cell in notebook.cells:
        name = grade_id(cell)
        if name is None or cell.cell_type != "code":
            continue
        exercise = exercise_of(name) if is_check(cell) else name.removeprefix(ANSWER_PREFIX)
        one = found.setdefault(exercise, ExerciseFeedback(exercise))
        marks = cell.metadata["nbgrader"]
        errors = [str(out.evalue) for out in cell.outputs if out.output_type == "error"]
        if is_check(cell):
            one.earned += float(marks.get("score") or 0.0)
            one.points += float(marks.get("points") or 0.0)
            one.messages += [text for text in errors if text not in one.messages]
        else:
            printed = [str(out.text) for out in cell.outputs if out.output_type == "stream"]
            one.answer, one.said = cell.source, "\n".join([*printed, *errors])
            one.comment = str(marks.get("comment") or "")
    return [one for one in found.values() if one.points]


def section_before(chapter: Chapter, exercise: str) -> tuple[str, str]:
    """The heading of the text that an exercise is about, and its anchor on the page."""
    place = next(one.cell for one in chapter.exercises if one.name == exercise)
    heading = chapter.title
    for cell in chapter.notebook.cells[:place]:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if re.match(r"#{2,3} ", line) and not line.startswith(BARE_HEADING):
                    heading = line.lstrip("#").strip()
    words = re.sub(r"[`*$]", "", heading)
    return words, make_id(words)


def _chapter(assignment: str) -> Chapter | None:
    try:
        return find_chapter(assignment)
    except LookupError:
        return None


def _notes(notebook: nbformat.NotebookNode) -> list[str]:
    """What the grader had to say about the notebook as a whole; it stands at its top."""
    texts = [unfenced(cell.source) for cell in notebook.cells[:2] if cell.cell_type == "markdown"]
    return [text for text in texts if text.startswith(NOTES)]


def _not_run(notebook: nbformat.NotebookNode) -> str:
    """How many cells were not run, since no check needs them; empty where all were."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    left_out = told_left_out(sum(cell.execution_count is None for cell in code))
    return f"<p>{left_out}</p>" if left_out else ""


def _note(text: str) -> str:
    heading, _, rest = text.partition("\n")
    lines = [line.removeprefix("- ") for line in rest.splitlines() if line.strip()]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h2>{escape(heading.rstrip(':'))}</h2><ul>{items}</ul>"


def _state(exercise: ExerciseFeedback) -> str:
    """How it went, in words and with a sign."""
    if exercise.earned >= exercise.points:
        return "✓ all points"
    return "✗ no points" if exercise.earned <= 0 else "◐ some points"


def _row(exercise: ExerciseFeedback) -> str:
    name = escape(exercise.name)
    return (
        f'<tr><th scope="row"><a href="#{name}"><code>{name}</code></a></th>'
        f"<td>{exercise.earned:g} of {exercise.points:g}</td><td>{_state(exercise)}</td></tr>\n"
    )


def _section(exercise: ExerciseFeedback, chapter: Chapter | None, book: str) -> str:
    name = escape(exercise.name)
    parts = [
        f'<section id="{name}"><h2><code>{name}</code></h2>',
        f"<p>{_state(exercise)}: {exercise.earned:g} of {plural(exercise.points, 'point')}.</p>",
        *map(_message, exercise.messages),
    ]
    if exercise.comment:
        parts.append(f"<p><strong>Comment:</strong> {escape(exercise.comment)}</p>")
    if exercise.earned < exercise.points and chapter is not None:
        heading, anchor = section_before(chapter, exercise.name)
        link = escape(f"{book}/book/{chapter.slug}.html#{anchor}", quote=True)
        parts.append(f'<p>Read again: <a href="{link}">{escape(heading)}</a>, in the book.</p>')
    if exercise.answer:
        parts.append(f"<h3>Your answer</h3><pre><code>{escape(exercise.answer)}</code></pre>")
    if exercise.said:
        parts.append(f"<h3>What its cell said</h3><pre>{escape(exercise.said)}</pre>")
    return "\n".join([*parts, "</section>\n"])


def _message(text: str) -> str:
    """A message of `check`: what stands behind labels as a list, all else as it is."""
    before: list[str] = []
    labelled: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        found = LABELLED.match(line)
        if found:
            labelled.append((found.group(1), [found.group(2)]))
        elif labelled:
            labelled[-1][1].append(line.strip())
        else:
            before.append(line)
    items = "".join(
        f"<dt>{escape(label)}</dt><dd>{escape(chr(10).join(lines))}</dd>"
        for label, lines in labelled
    )
    said = f'<p class="said">{escape(chr(10).join(before))}</p>'
    return f'<div class="message">{said}{f"<dl>{items}</dl>" if items else ""}</div>'
