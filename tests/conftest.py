"""What several tests need: a released course, and the sample class graded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from autograder.box.isolation import CONTAINER_MARK, Level, probe
from autograder.chapters import Chapter, load_chapters
from autograder.grading.course import Course, Running
from autograder.grading.grade import Mark, grade
from autograder.grading.release import release
from autograder.sample_class import write_sample_class

# The same examples on each run, and no test that hangs on how busy the machine is.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")

SECONDS_FOR_A_CELL = 12.0

# Where no sandbox can be made, as in some containers, all is tested at the level that there is.
if probe().level < Level.CONTAINER:
    os.environ[CONTAINER_MARK] = "1"
    probe.cache_clear()


# Of the chapters after the first, the class hands in what depends on the chapter.
CHAPTER_STUDENTS = [
    "ada-all-right",
    "bo-written-differently",
    "cleo-stubs-only",
    "eve-misconceptions",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the fast tests first, so that a mistake shows soon."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(autouse=True)
def _same_numbers_each_time() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def chapters() -> tuple[Chapter, ...]:
    return load_chapters()


@pytest.fixture(scope="session")
def chapter(chapters: tuple[Chapter, ...]) -> Chapter:
    """The first chapter, for tests that need any one."""
    return chapters[0]


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory, chapters: tuple[Chapter, ...]) -> Path:
    """A course folder in which all chapters are released; not to be changed.

    Where tests run side by side, the first that needs it makes it for all.
    """
    together = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        together = together.parent
    folder, done = together / "released", together / "released.done"
    with FileLock(together / "released.lock"):
        if not done.exists():
            release(Course(folder), chapters)
            done.touch()
    return folder


@dataclass
class GradedClass:
    """The sample class, graded."""

    course: Course
    marks: dict[str, dict[str, Mark]]  # by assignment and student


@pytest.fixture(scope="session")
def graded(
    tmp_path_factory: pytest.TempPathFactory, chapters: tuple[Chapter, ...], released: Path
) -> GradedClass:
    """The sample class, handed in and graded; not to be changed.

    For the first chapter all of it, for the others those of CHAPTER_STUDENTS.
    """
    course = Course(shutil.copytree(released, tmp_path_factory.mktemp("class") / "course"))
    write_sample_class(course)
    marks = {}
    for one in chapters:
        students = () if one is chapters[0] else CHAPTER_STUDENTS
        given = grade(
            course, one.slug, students, how=Running(SECONDS_FOR_A_CELL, isolation="process")
        )
        marks[one.slug] = {mark.student: mark for mark in given}
    return GradedClass(course, marks)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "the browser tests need chromium: install your system's package"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-background-networking", "--disable-sync"],
        )
        yield browser
        browser.close()
