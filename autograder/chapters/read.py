"""Reading the chapters from their sources in `book/`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from myst_nb.core.read import MystMetadataParsingError, read_myst_markdown_notebook

from autograder.chapters.model import (
    BARE_HEADING,
    CARRIED,
    CELL_LINES,
    EXERCISE,
    GRADED,
    Carried,
    Chapter,
    Exercise,
    GradedCell,
    SourceError,
    line_of,
    tags_of,
)
from autograder.chapters.rules import (
    check_data_wheels,
    check_ending,
    check_reference,
    check_syntax,
    check_use,
)

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"

IMPORT = re.compile(r"from solutions\.(\w+) import (\w+)")
IMPORTS = re.compile(r"from solutions\.(\w+) import (\w+(?:, \w+)*)")
FILE_NAME = re.compile(r"(\d\d)-[a-z0-9-]+\.md")


def is_chapter(file: Path) -> bool:
    """True where a file's name is that of a chapter, such as 01-one-hot.md."""
    return FILE_NAME.fullmatch(file.name) is not None


def load_chapters(book: Path | None = None) -> tuple[Chapter, ...]:
    """All chapters, in order.

    Args:
        book: the folder that holds the sources; this course's `book/` unless told otherwise.

    Raises:
        SourceError: a source is not as it must be.
    """
    return _load_chapters(book or BOOK)


@cache
def _load_chapters(book: Path) -> tuple[Chapter, ...]:
    files = sorted(file for file in book.glob("*.md") if is_chapter(file))
    chapters = tuple(read_chapter(file.read_text(encoding="utf-8"), file) for file in files)
    seen: dict[str, Chapter] = {}
    for chapter in chapters:
        for exercise in chapter.exercises:
            if exercise.name in seen:
                raise SourceError(
                    chapter.file,
                    exercise.line,
                    f"The exercise {exercise.name} is already in {seen[exercise.name].file.name}: "
                    "an exercise's name is its own in the whole course.",
                )
            seen[exercise.name] = chapter
        for carried in chapter.carried:
            for name in carried.names:
                origin = seen.get(name)
                if origin is None or origin is chapter or origin.module != carried.module:
                    raise SourceError(
                        chapter.file,
                        carried.line,
                        f"{name} can't be carried from {carried.module}: it is no exercise of an "
                        "earlier chapter with that module.",
                    )
    return chapters


def find_chapter(name: str) -> Chapter:
    """The chapter with this slug.

    Args:
        name: such as "01-one-hot"; its number or its module will do, too.

    Raises:
        LookupError: there is none.
    """
    chapters = load_chapters()
    for chapter in chapters:
        if name in (chapter.slug, chapter.module, str(chapter.number), f"{chapter.number:02}"):
            return chapter
    slugs = ", ".join(chapter.slug for chapter in chapters)
    raise LookupError(f"The course has no chapter {name!r}. It has: {slugs}.")


def read_chapter(text: str, file: Path) -> Chapter:
    """Read a chapter's source.

    Args:
        text: the source.
        file: where it stands, for messages and for the chapter's number.

    Raises:
        SourceError: it is not as it must be.
    """
    try:
        notebook = read_myst_markdown_notebook(text, add_source_map=True, path=file)
    except MystMetadataParsingError as error:
        line = re.search(r"line (\d+)", str(error))
        raise SourceError(file, int(line.group(1)) if line else 1, str(error)) from error
    settings = _settings(notebook, file)
    number = int(file.name[:2])
    notebook.metadata[CELL_LINES] = _cell_lines(notebook, text)
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            check_syntax(cell, file, line_of(notebook, index))
    exercises = tuple(_exercises(notebook, file, number, settings["module"]))
    graded = tuple(_graded_cells(notebook, file, {exercise.name for exercise in exercises}))
    chapter = Chapter(
        file,
        number,
        _title(notebook, file),
        settings["module"],
        settings["read_minutes"],
        tuple(settings["data"]),
        notebook,
        exercises,
        graded,
        tuple(_carried(notebook, file)),
    )
    check_use(chapter)
    return chapter


def _cell_lines(notebook: nbformat.NotebookNode, text: str) -> list[int]:
    """Where each cell's text begins, counted from 1; a code cell's begins below its options."""
    lines = text.splitlines()
    result = []
    for cell, start in zip(notebook.cells, notebook.metadata["source_map"], strict=True):
        body = cell.source.splitlines()
        begin = int(start)
        while body and lines[begin : begin + len(body)] != body and begin < len(lines):
            begin += 1
        result.append((begin if begin < len(lines) else int(start)) + 1)
    return result


def _settings(notebook: nbformat.NotebookNode, file: Path) -> dict[str, Any]:
    settings = dict(notebook.metadata.get("chapter") or {})
    for key, kind, example in (("module", str, "one_hot"), ("read_minutes", int, "25")):
        if not isinstance(settings.get(key), kind):
            raise SourceError(
                file, 1, f"The front matter needs `{key}` under `chapter:`, such as `{example}`."
            )
    check_data_wheels(settings.setdefault("data", []), file)
    return settings


def _title(notebook: nbformat.NotebookNode, file: Path) -> str:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = re.search(r"^# (.+)$", cell.source, re.MULTILINE)
            if heading:
                return heading.group(1).strip()
    raise SourceError(
        file, 1, "The chapter has no title: it needs a heading of the form `# Title`."
    )


def _exercises(
    notebook: nbformat.NotebookNode, file: Path, number: int, module: str
) -> Iterator[Exercise]:
    seen: set[str] = set()
    for index, cell in enumerate(notebook.cells):
        line = line_of(notebook, index)
        if cell.cell_type != "code" or EXERCISE not in tags_of(cell):
            continue
        found = IMPORT.fullmatch(cell.source.strip())
        if found is None or found.group(1) != module:
            raise SourceError(
                file,
                line,
                f"An exercise cell is one line, `from solutions.{module} import NAME`.",
            )
        name = found.group(2)
        if name in seen:
            raise SourceError(file, line, f"The exercise {name} stands in this chapter twice.")
        seen.add(name)
        check_reference(name, module, file, line)
        for key, lowest, highest in (("difficulty", 1, 5), ("minutes", 1, 120)):
            value = cell.metadata.get(key)
            if not isinstance(value, int) or not lowest <= value <= highest:
                raise SourceError(
                    file, line, f"The exercise {name} needs `{key}`, from {lowest} to {highest}."
                )
        before = notebook.cells[index - 1] if index else None
        if before is None or not re.search(rf"^{BARE_HEADING}$", before.source, re.MULTILINE):
            raise SourceError(
                file,
                line,
                f"The text before the exercise {name} needs the bare heading `{BARE_HEADING}`.",
            )
        yield Exercise(
            name,
            f"{number}.{len(seen)}",
            cell.metadata["difficulty"],
            cell.metadata["minutes"],
            index,
            line,
            tuple(cell.metadata.get("forbids", ())),
        )


def _carried(notebook: nbformat.NotebookNode, file: Path) -> Iterator[Carried]:
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or CARRIED not in tags_of(cell):
            continue
        line = line_of(notebook, index)
        found = IMPORTS.fullmatch(cell.source.strip())
        if found is None:
            raise SourceError(
                file, line, "A carried cell is one line, `from solutions.MODULE import NAME, NAME`."
            )
        module, names = found.group(1), tuple(found.group(2).split(", "))
        for name in names:
            check_reference(name, module, file, line)
        yield Carried(module, names, index, line)


def _graded_cells(
    notebook: nbformat.NotebookNode, file: Path, exercises: set[str]
) -> Iterator[GradedCell]:
    seen: set[str] = set()
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or GRADED not in tags_of(cell):
            continue
        line = line_of(notebook, index)
        name = str(cell.metadata.get("id", ""))
        exercise = name.partition("-")[0]
        if exercise not in exercises:
            raise SourceError(
                file,
                line,
                "A graded cell needs an `id` that is an exercise's name, and maybe `-` and a part; "
                f"{name!r} is none.",
            )
        if name in seen:
            raise SourceError(
                file, line, f"The id {name} is there twice: graded cells need their own."
            )
        seen.add(name)
        points = cell.metadata.get("points")
        if isinstance(points, bool) or not isinstance(points, int | float) or points <= 0:
            raise SourceError(file, line, f"The graded cell {name} needs `points`, more than 0.")
        check_ending(cell, file, line, name)
        yield GradedCell(name, exercise, float(points), index, line)
