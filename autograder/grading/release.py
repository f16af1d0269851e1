"""From the book to a course folder: sources, released notebooks, and the students' bundles."""

from __future__ import annotations

import re
from collections.abc import Sequence

import nbformat

from autograder.bundle import write_bundle
from autograder.chapters import Chapter
from autograder.errors import CourseError
from autograder.grading.course import CONFIG_FILE, CONFIG_TEXT, Course
from autograder.weave.notebook import instructor_notebook

EXCEPTION = re.compile(
    r"^\s*(?:[\w.]+\.)?(?:\w*(?:Error|Exception|Entry|Exit)): (.+)$", re.MULTILINE
)


def release(course: Course, chapters: Sequence[Chapter]) -> None:
    """Write a course's assignments, and enter them into its gradebook.

    Releasing again updates what is there; submissions and grades stay.

    Args:
        course: the course folder; it is made where it is not there yet.
        chapters: the chapters to release.

    Raises:
        CourseError: nbgrader refuses, for example since exercises were added or removed after
            submissions had been graded.
    """
    course.root.mkdir(parents=True, exist_ok=True)
    config = course.root / CONFIG_FILE
    if not config.exists():
        config.write_text(CONFIG_TEXT, encoding="utf-8")
    course.folder("submitted").mkdir(exist_ok=True)
    for chapter in chapters:
        folder = course.folder("source", assignment=chapter.slug)
        folder.mkdir(parents=True, exist_ok=True)
        text = nbformat.writes(instructor_notebook(chapter)) + "\n"
        (folder / f"{chapter.slug}.ipynb").write_text(text, encoding="utf-8")
        result = course.api().generate_assignment(chapter.slug, force=True)
        if not result["success"]:
            raise CourseError(f"{chapter.slug} can't be released: {reason(result)}")
        write_bundle(chapter, course.folder("bundles"))


def reason(result: dict[str, str]) -> str:
    """What nbgrader says about a failure, in one line.

    Its own exception often says only that there is something in the log; then that is taken.
    """
    said = EXCEPTION.findall(result.get("log", "")) or EXCEPTION.findall(result.get("error", ""))
    return said[-1].strip() if said else "nbgrader gave no reason."
