"""A chapter's page: stubs where the exercises are, the checks folded, nothing hidden in it."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import nbformat
from myst_nb.core.read import read_myst_markdown_notebook

from autograder.chapters import (
    BOOK,
    CARRIED_CHECK,
    CELL_LINES,
    CLAIMS,
    EXERCISE,
    GRADED,
    Chapter,
    is_chapter,
    read_chapter,
    tags_of,
)
from autograder.notebook.check.callsite import BEGIN_HIDDEN, END_HIDDEN
from autograder.text import plural
from autograder.weave.notebook import carried_check_source, complete_heading, graded_source
from autograder.weave.place import place_on_map
from autograder.weave.sources import dependencies, digest
from autograder.weave.stubs import stub_cell

HIDDEN = re.compile(
    rf"^{re.escape(BEGIN_HIDDEN)}.*?^{re.escape(END_HIDDEN)}[^\n]*\n?", re.DOTALL | re.MULTILINE
)


def read_page(text: str, book: str | None = None) -> nbformat.NotebookNode:
    """Read a Markdown source of the book for its page; `_config.yml` names this function.

    Args:
        text: the source. A source without a `chapter` entry in its front matter passes through.
        book: the folder of the sources, this course's unless told otherwise.

    Returns:
        The notebook that is executed and shown.

    Raises:
        SourceError: the source of a chapter is not as it must be.
    """
    folder = Path(book) if book else BOOK
    file = _file_of(text, folder)
    if file is None:
        return _plain_page(text)
    return chapter_page(read_chapter(text, file))


def chapter_page(chapter: Chapter) -> nbformat.NotebookNode:
    """The page of a chapter, as a notebook whose `source_map` leads back to the source."""
    page = nbformat.v4.new_notebook()
    exercises = {exercise.cell: exercise for exercise in chapter.exercises}
    graded = {cell.cell: cell for cell in chapter.graded}
    source_map: list[int] = []

    def add(cell: nbformat.NotebookNode, index: int) -> None:
        page.cells.append(cell)
        source_map.append(chapter.notebook.metadata["source_map"][index])

    titled = False
    for index, source_cell in enumerate(chapter.notebook.cells):
        cell = copy.deepcopy(source_cell)
        tags = tags_of(cell)
        if cell.cell_type == "markdown":
            if index + 1 in exercises:
                cell.source = complete_heading(cell.source, chapter, exercises[index + 1])
            if not titled and f"# {chapter.title}" in cell.source:
                cell.source = _with_summary(cell.source, chapter)
                titled = True
            add(cell, index)
        elif EXERCISE in tags:
            stub = stub_cell(chapter.module, exercises[index].name)
            add(nbformat.v4.new_markdown_cell(f"```python\n{stub}\n```"), index)
            add(_tagged(cell, ["remove-cell"]), index)
        elif GRADED in tags:
            cell.source = graded_source(without_hidden(cell.source), graded[index])
            points = plural(graded[index].points, "point")
            add(_folded(cell, f"Check your work: {graded[index].name} ({points})"), index)
        elif CARRIED_CHECK in tags:
            cell.source = carried_check_source(cell.source)
            add(_folded(cell, "Check what you carried along (no points)"), index)
        elif CLAIMS in tags:
            add(_tagged(cell, ["remove-cell"]), index)
        else:
            add(cell, index)
    page.metadata = _page_metadata(chapter.notebook, source_map)
    code = [cell.source for cell in page.cells if cell.cell_type == "code"]
    page.metadata["kernelspec"]["sources"] = digest(dependencies(code))
    return page


def without_hidden(source: str) -> str:
    """A graded cell's source without its hidden checks."""
    return HIDDEN.sub("", source)


def _with_summary(source: str, chapter: Chapter) -> str:
    """The text with what stands under the title: time, exercises, download, place on the map."""
    exercises = len(chapter.exercises)
    line = (
        f"*About {plural(chapter.read_minutes, 'minute')} to read, {chapter.minutes} to do · "
        f"{plural(exercises, 'exercise')} · {plural(chapter.points, 'point')}* · "
        f'<a class="bundle-download" href="../downloads/{chapter.slug}.zip" download>'
        "Download the student's notebook with its checks (zip)</a>"
    )
    return re.sub(
        r"^# .+$",
        lambda title: f"{title.group(0)}\n\n{line}\n\n{place_on_map(chapter.slug)}\n",
        source,
        count=1,
        flags=re.M,
    )


def _tagged(cell: nbformat.NotebookNode, tags: list[str]) -> nbformat.NotebookNode:
    cell.metadata = nbformat.from_dict({"tags": tags})
    return cell


def _folded(cell: nbformat.NotebookNode, prompt: str) -> nbformat.NotebookNode:
    cell = _tagged(cell, ["hide-cell"])
    cell.metadata["mystnb"] = {"code_prompt_show": prompt, "code_prompt_hide": prompt}
    return cell


def _plain_page(text: str) -> nbformat.NotebookNode:
    notebook = read_myst_markdown_notebook(text, add_source_map=True)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = [
        _tagged(cell, ["remove-cell"]) if CLAIMS in tags_of(cell) else cell
        for cell in notebook.cells
    ]
    notebook.metadata = _page_metadata(notebook, notebook.metadata["source_map"])
    if code:
        kernelspec = notebook.metadata.setdefault("kernelspec", {"name": "python3"})
        kernelspec["sources"] = digest(dependencies(code))
    else:
        notebook.metadata["mystnb"] = {"execution_mode": "off"}
    return notebook


def _page_metadata(notebook: nbformat.NotebookNode, source_map: list[int]) -> nbformat.NotebookNode:
    left_out = ("chapter", CELL_LINES, "source_map", "jupytext")
    kept: dict[str, Any] = {k: v for k, v in notebook.metadata.items() if k not in left_out}
    return nbformat.from_dict(copy.deepcopy(kept) | {"source_map": source_map})


def _file_of(text: str, book: Path) -> Path | None:
    """The chapter that has this text; None for any other page."""
    for file in sorted(book.glob("*.md")):
        if is_chapter(file) and file.read_text(encoding="utf-8") == text:
            return file
    return None
