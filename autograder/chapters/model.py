"""What a chapter is: its exercises, its graded cells, and the errors of its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import nbformat

EXERCISE, GRADED, EXPERIMENT = "exercise", "graded", "experiment"
PAGE_ONLY, CLAIMS = "page-only", "claims"
CARRIED, CARRIED_CHECK = "carried", "carried-check"

BARE_HEADING = "### Exercise"
CELL_LINES = "cell_lines"  # in a notebook's metadata: where in the source each cell begins


class SourceError(ValueError):
    """A chapter's source is not as it must be.

    Args:
        file: the source.
        line: its line, counted from 1.
        sentence: what is wrong, and what to do.
    """

    def __init__(self, file: Path, line: int, sentence: str) -> None:
        super().__init__(f"{file}:{line}: {sentence}")
        self.file, self.line, self.sentence = file, line, sentence


@dataclass(frozen=True)
class Exercise:
    """A function that students write.

    Args:
        name: its name in `solutions/` and in the notebook.
        number: its place in the chapter, such as "1.3".
        difficulty: from 1 to 5.
        minutes: how long it takes.
        cell: index of its cell in the chapter's notebook.
        line: its line in the source.
        forbids: full names of what it is to be written without, such as torch's own attention.
    """

    name: str
    number: str
    difficulty: int
    minutes: int
    cell: int
    line: int
    forbids: tuple[str, ...] = ()


@dataclass(frozen=True)
class GradedCell:
    """A cell of checks.

    Args:
        name: its id: the exercise's name, and maybe a part: "one_hot-gradient".
        exercise: the exercise that it is for.
        points: what it is worth.
        cell: index of the cell in the chapter's notebook.
        line: its line in the source.
    """

    name: str
    exercise: str
    points: float
    cell: int
    line: int


@dataclass(frozen=True)
class Carried:
    """Exercises of an earlier chapter that this one's build on.

    Args:
        module: the earlier chapter's module of `solutions/`.
        names: the exercises.
        cell: index of the cell in the chapter's notebook.
        line: its line in the source.
    """

    module: str
    names: tuple[str, ...]
    cell: int
    line: int


@dataclass(frozen=True, eq=False)  # one is read once, and is itself the key to what comes of it
class Chapter:
    """A chapter as its source tells it.

    Args:
        file: the source.
        number: the chapter's number.
        title: its title.
        module: the module of `solutions/` that holds its answers.
        read_minutes: how long it takes to read.
        data_wheels: the wheels of requirements-data.txt that its notebook reads where they are
            installed.
        notebook: the source as a notebook; its metadata `source_map` has each cell's line.
        exercises: in the order of the chapter.
        graded: the graded cells, in the order of the chapter.
        carried: what it builds on, one entry for each earlier chapter.
    """

    file: Path
    number: int
    title: str
    module: str
    read_minutes: int
    data_wheels: tuple[str, ...]
    notebook: nbformat.NotebookNode = field(repr=False)
    exercises: tuple[Exercise, ...]
    graded: tuple[GradedCell, ...]
    carried: tuple[Carried, ...] = ()

    @property
    def slug(self) -> str:
        """The file's name without its ending, which is also the assignment's name."""
        return self.file.stem

    @property
    def set_up(self) -> str:
        """The source of the first code cell, whose imports all other cells may use."""
        return next(cell.source for cell in self.notebook.cells if cell.cell_type == "code")

    @property
    def points(self) -> float:
        """Points of the whole chapter."""
        return sum(cell.points for cell in self.graded)

    @property
    def minutes(self) -> int:
        """Minutes that all the exercises take."""
        return sum(exercise.minutes for exercise in self.exercises)

    def graded_for(self, exercise: str) -> list[GradedCell]:
        """The graded cells of one exercise."""
        return [cell for cell in self.graded if cell.exercise == exercise]

    @property
    def carried_checks(self) -> list[str]:
        """The sources of the cells that check what is carried, without points."""
        cells = self.notebook.cells
        return [str(cell.source) for cell in cells if CARRIED_CHECK in tags_of(cell)]

    def source(self, cell: Exercise | GradedCell | Carried) -> str:
        """The source of an exercise's, graded or carried cell."""
        text: str = self.notebook.cells[cell.cell].source
        return text


def line_of(notebook: nbformat.NotebookNode, cell: int) -> int:
    """The line of the source, counted from 1, at which a cell's own text begins."""
    return int(notebook.metadata[CELL_LINES][cell])


def tags_of(cell: nbformat.NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))
