"""The chapters: read from their sources in `book/`, and refused where something is amiss.

A chapter is a MyST Markdown notebook whose front matter has a `chapter` entry. Its title, number,
exercises and points stand there and nowhere else.
"""

from autograder.chapters.model import (
    BARE_HEADING,
    CARRIED,
    CARRIED_CHECK,
    CELL_LINES,
    CLAIMS,
    EXERCISE,
    EXPERIMENT,
    GRADED,
    PAGE_ONLY,
    Carried,
    Chapter,
    Exercise,
    GradedCell,
    SourceError,
    line_of,
    tags_of,
)
from autograder.chapters.read import (
    BOOK,
    ROOT,
    find_chapter,
    is_chapter,
    load_chapters,
    read_chapter,
)

__all__ = [
    "BARE_HEADING",
    "BOOK",
    "CARRIED",
    "CARRIED_CHECK",
    "CELL_LINES",
    "CLAIMS",
    "EXERCISE",
    "EXPERIMENT",
    "GRADED",
    "PAGE_ONLY",
    "ROOT",
    "Carried",
    "Chapter",
    "Exercise",
    "GradedCell",
    "SourceError",
    "find_chapter",
    "is_chapter",
    "line_of",
    "load_chapters",
    "read_chapter",
    "tags_of",
]
