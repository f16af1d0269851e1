"""A chapter's two notebooks: the instructor's, with all answers and checks, and the student's."""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

import nbformat
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from autograder.chapters import (
    BARE_HEADING,
    CARRIED,
    CARRIED_CHECK,
    CLAIMS,
    EXERCISE,
    EXPERIMENT,
    GRADED,
    PAGE_ONLY,
    Chapter,
    Exercise,
    GradedCell,
    tags_of,
)
from autograder.submission.restore import ANSWER_PREFIX, CHECK_PREFIX
from autograder.submission.validate import PASSED
from autograder.text import plural
from autograder.weave.carried import carried_cell
from autograder.weave.markdown import labels_of, plain_markdown, references
from autograder.weave.stubs import solution_cell

# nbgrader's own steps from source to release, without the one that writes the gradebook.
STUDENT_STEPS = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
)

PAGE_NOTE = (
    "*Here the chapter's page in the book goes on with an experiment, which needs the course's own "
    "code, or more time or data than a notebook has. Its results stand on that page.*"
)


def instructor_notebook(chapter: Chapter) -> nbformat.NotebookNode:
    """The notebook that nbgrader takes as source: answers, points, public and hidden checks."""
    return copy.deepcopy(_instructor_notebook(chapter))


def student_notebook(chapter: Chapter) -> nbformat.NotebookNode:
    """The notebook that students get: what `nbgrader generate_assignment` makes of the source."""
    return copy.deepcopy(_student_notebook(chapter))


@cache
def _instructor_notebook(chapter: Chapter) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        }
    )
    labels = labels_of(chapter)
    by_cell: dict[int, Exercise] = {exercise.cell: exercise for exercise in chapter.exercises}
    graded = {cell.cell: cell for cell in chapter.graded}
    for index, cell in enumerate(chapter.notebook.cells):
        tags = tags_of(cell)
        if CLAIMS in tags:
            continue
        if PAGE_ONLY in tags:
            if cell.cell_type == "code" and "remove-cell" not in tags:
                _add_note(notebook)
        elif cell.cell_type == "markdown":
            text = plain_markdown(cell.source, chapter, index, labels)
            if index + 1 in by_cell:
                text = complete_heading(text, chapter, by_cell[index + 1])
            notebook.cells.append(nbformat.v4.new_markdown_cell(text))
        elif EXERCISE in tags:
            name = by_cell[index].name
            notebook.cells.append(
                _code_cell(
                    solution_cell(chapter.module, name), {"solution": True}, ANSWER_PREFIX + name
                )
            )
        elif GRADED in tags:
            notebook.cells.append(_graded_cell(cell.source, graded[index]))
        elif CARRIED in tags:
            carried = next(one for one in chapter.carried if one.cell == index)
            source, grade_id, about = carried_cell(chapter, carried)
            answer = _code_cell(source, {"solution": True}, grade_id)
            answer.metadata |= about
            notebook.cells.append(answer)
        elif CARRIED_CHECK in tags:
            # No graded cell needs it: when a class is graded it is skipped like an experiment.
            kept = {"tags": [EXPERIMENT]}
            notebook.cells.append(
                nbformat.v4.new_code_cell(carried_check_source(cell.source), metadata=kept)
            )
        elif cell.cell_type == "code":
            kept = {"tags": [EXPERIMENT]} if EXPERIMENT in tags else {}
            notebook.cells.append(nbformat.v4.new_code_cell(cell.source, metadata=kept))
    if cited := references(chapter):
        notebook.cells.append(nbformat.v4.new_markdown_cell(cited))
    for index, cell in enumerate(notebook.cells):
        cell.id = f"{chapter.slug}-{index}"
    nbformat.validate(notebook)
    return notebook


@cache
def _student_notebook(chapter: Chapter) -> nbformat.NotebookNode:
    notebook = instructor_notebook(chapter)
    resources: dict[str, Any] = {}
    for step in STUDENT_STEPS:
        notebook, resources = step().preprocess(notebook, resources)
    return notebook


def complete_heading(text: str, chapter: Chapter, exercise: Exercise) -> str:
    """The text with its bare exercise heading filled in: number, name, difficulty, time, points."""
    points = sum(cell.points for cell in chapter.graded_for(exercise.name))
    heading = f"### Exercise {exercise.number}: `{exercise.name}`"
    line = (
        f"*Difficulty {exercise.difficulty} of 5 · about {plural(exercise.minutes, 'minute')} · "
        f"{plural(points, 'point')}*"
    )
    if exercise.forbids:
        names = ", ".join(f"`{name}`" for name in exercise.forbids)
        line += f"\n\nWrite it without {names}. That is a rule and not a wall."
    bare = rf"^{re.escape(BARE_HEADING)}\s*$"
    return re.sub(bare, lambda _: f"{heading}\n\n{line}\n", text, count=1, flags=re.MULTILINE)


def graded_source(source: str, cell: GradedCell) -> str:
    """A graded cell's source with a last line that tells the student that all went well.

    That line also keeps the cell from ending in an expression with a value, which nbgrader would
    read as a grade.
    """
    return f'{source.rstrip()}\nprint("{cell.name}{PASSED}")'


def carried_check_source(source: str) -> str:
    """A check of what is carried, with a last line that says that all went well."""
    return f'{source.rstrip()}\nprint("What you carried along{PASSED}")'


def _graded_cell(source: str, cell: GradedCell) -> nbformat.NotebookNode:
    return _code_cell(
        graded_source(source, cell),
        {"grade": True, "locked": True, "points": cell.points},
        CHECK_PREFIX + cell.name,
    )


def _code_cell(source: str, marks: dict[str, Any], grade_id: str) -> nbformat.NotebookNode:
    metadata: dict[str, Any] = {
        "schema_version": 3,
        "grade": False,
        "solution": False,
        "locked": False,
    }
    metadata |= {"task": False, "grade_id": grade_id} | marks
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": metadata})


def _add_note(notebook: nbformat.NotebookNode) -> None:
    """One note for a run of cells that only the page has."""
    if not notebook.cells or notebook.cells[-1].source != PAGE_NOTE:
        notebook.cells.append(nbformat.v4.new_markdown_cell(PAGE_NOTE))
