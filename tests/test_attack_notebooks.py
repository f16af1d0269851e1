"""Attacks by the notebook's file, graded by the whole of nbgrader: one class of attackers."""

from __future__ import annotations

import importlib
import os
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter

from autograder.chapters import Chapter
from autograder.grading.course import Course, Running
from autograder.grading.grade import Mark, grade
from autograder.grading.release import release
from autograder.grading.report import write_feedback
from autograder.weave.notebook import instructor_notebook, student_notebook
from tests.attacks import read_attacks, unanswered

pytestmark = pytest.mark.slow

ATTACKS = read_attacks("notebooks")
HONEST = "zoe"  # the last one in the class


@dataclass
class Attacked:
    """A class of attackers, and one honest student after them, graded."""

    course: Course
    marks: dict[str, Mark]
    pages: dict[str, str]

    def graded(self, student: str) -> nbformat.NotebookNode:
        """A student's graded notebook, as the formgrader shows it."""
        [file] = self.course.folder("autograded", student).glob("*/*.ipynb")
        return nbformat.read(file, as_version=4)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, chapter: Chapter) -> Attacked:
    course = Course(tmp_path_factory.mktemp("attacked"))
    release(course, [chapter])
    for attack in ATTACKS:
        module = importlib.import_module(f"tests.attacks.notebooks.{attack.name}")
        made = module.make(unanswered(student_notebook(chapter)))
        hand_in(course, chapter, attack.name, made)
    hand_in(course, chapter, HONEST, instructor_notebook(chapter))
    own = hand_in(course, chapter, "file-links", unanswered(student_notebook(chapter)))
    own.unlink()
    own.symlink_to(course.folder("submitted", HONEST, chapter.slug) / own.name)
    hand_in(course, chapter, "folder-links", unanswered(student_notebook(chapter)))
    folder = course.folder("submitted", "folder-links", chapter.slug)
    folder.rename(course.root / "elsewhere")
    folder.symlink_to(course.folder("submitted", HONEST, chapter.slug))
    os.mkfifo(hand_in(course, chapter, "waits", b"").with_name("a.ipynb"))
    shown = hand_in(course, chapter, "names", b"{")
    shown.rename(shown.with_name("<script>alert(1)<\\x1b[2J.ipynb"))
    (shown.parent / "timestamp.txt").write_text("yesterday")
    marks = {mark.student: mark for mark in grade(course, chapter.slug, how=Running(10))}
    pages = write_feedback(course, chapter.slug)
    return Attacked(
        course, marks, {page.parts[-3]: page.read_text(encoding="utf-8") for page in pages}
    )


def hand_in(
    course: Course, chapter: Chapter, student: str, made: nbformat.NotebookNode | bytes
) -> Path:
    """Put a student's file where it is handed in."""
    file = course.folder("submitted", student, chapter.slug) / f"{chapter.slug}.ipynb"
    file.parent.mkdir(parents=True)
    file.write_bytes(made if isinstance(made, bytes) else nbformat.writes(made).encode())
    return file


def test_no_notebook_earns_what_is_not_due(attacked: Attacked) -> None:
    earned = {name: mark.earned for name, mark in attacked.marks.items() if mark.earned}
    assert earned == {HONEST: attacked.marks[HONEST].points}


def test_no_notebook_keeps_anybody_from_being_graded(attacked: Attacked) -> None:
    assert {name: mark.failure for name, mark in attacked.marks.items() if mark.failure} == {}
    assert {mark.points for mark in attacked.marks.values()} == {attacked.marks[HONEST].points}
    assert len(attacked.marks) == len(attacked.pages) == len(ATTACKS) + 5


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_attack_was_tried(attack: object, attacked: Attacked) -> None:
    name, trace = attack.name, attack.trace  # type: ignore[attr-defined]
    said = [text_of(attacked.pages[name]), *attacked.marks[name].notes]
    assert trace in "\n".join([*said, *(cell.source for cell in attacked.graded(name).cells)])


class Dangers(HTMLParser):
    """Collects what makes a page do something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes elements and attributes that run or fetch something."""
        if tag in ("script", "iframe", "object", "embed", "svg", "form", "base", "meta", "link"):
            self.found.append(f"{tag} {attrs}")
        for name, value in attrs:
            target = "".join((value or "").split()).lower()
            risky = name in ("src", "href", "srcdoc", "data") and not target.startswith("#")
            risky = risky and "/_build/html/book/" not in target  # where to read again
            if name.startswith("on") or risky:
                self.found.append(f"{tag} {name}={value}")


def dangers(page: str) -> list[str]:
    """What a page runs or fetches."""
    parser = Dangers()
    parser.feed(page)
    return parser.found


def test_no_page_of_feedback_runs_or_fetches_more_than_the_honest_one(attacked: Attacked) -> None:
    usual = set(dangers(attacked.pages[HONEST]))
    for student, page in attacked.pages.items():
        assert set(dangers(page)) - usual == set(), student


@pytest.mark.parametrize(
    "name", ["raw_html", "script_in_markdown", "script_in_metadata", "script_in_outputs"]
)
def test_a_graded_notebook_runs_nothing_where_the_formgrader_shows_it(
    name: str, attacked: Attacked
) -> None:
    shown = [HTMLExporter().from_notebook_node(attacked.graded(who))[0] for who in (HONEST, name)]
    usual, found = (set(dangers(page)) for page in shown)
    assert found - usual == set()


def test_links_lead_to_nobody_s_file(attacked: Attacked) -> None:
    for student in ("file-links", "folder-links"):
        assert "No notebook was handed in" in text_of(attacked.pages[student])


def test_nothing_is_written_outside_of_the_course(attacked: Attacked) -> None:
    assert list(Path("/tmp").glob("evil*")) == []
    assert list(attacked.course.root.rglob("*evil*")) == []


def test_what_an_instructor_s_terminal_shows_has_no_control_characters(attacked: Attacked) -> None:
    for mark in attacked.marks.values():
        assert all(note.isprintable() for note in mark.notes), mark.notes
    assert "holds no time" in attacked.marks["names"].notes[-1]


def text_of(page: str) -> str:
    """What a page says."""
    import html

    return html.unescape(re.sub(r"<[^>]+>", "", page))
