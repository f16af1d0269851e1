"""The course folder: nbgrader's layout, its configuration, and its gradebook."""

from __future__ import annotations

import os
import sqlite3
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    DeduplicateIds,
    GetGrades,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from sqlalchemy.exc import SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.errors import CourseError
from autograder.grading.feedback import FeedbackExporter
from autograder.grading.preprocessors import RestoreCells, RunNotebook

CONFIG_FILE = "nbgrader_config.py"
CONFIG_TEXT = '''"""nbgrader's configuration for this course; add your own settings below."""

from pathlib import Path

from autograder.grading.course import configure

c = get_config()  # noqa: F821
configure(c, Path(__file__).parent)
'''


def configure(config: Config, root: Path) -> None:
    """Set what this course needs of nbgrader, for its commands and for ours.

    Args:
        config: nbgrader's configuration, as its configuration file has it in `c`.
        root: the course folder.
    """
    put_programs_on_path()
    config.CourseStep.course = str(root.resolve())
    config.Autograde.sanitize_preprocessors = [
        ClearOutput,
        RestoreCells,
        DeduplicateIds,
        OverwriteKernelspec,
        OverwriteCells,
        CheckCellMetadata,
    ]
    config.Autograde.autograde_preprocessors = [
        RunNotebook,
        LimitOutput,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    # The graded notebook holds the hidden checks; what students get back must not.
    config.GenerateFeedback.preprocessors = [GetGrades, ClearHiddenTests]
    config.GenerateFeedback.exporter_class = FeedbackExporter


def put_programs_on_path() -> None:
    """Put the environment's programs on the PATH: nbgrader runs `alembic` as one of them."""
    programs = str(Path(sys.executable).parent)
    paths = os.environ.get("PATH", "").split(os.pathsep)
    if programs not in paths:
        os.environ["PATH"] = os.pathsep.join([programs, *paths])


@dataclass(frozen=True)
class Running:
    """How submissions are run, where it is not as the course's configuration says.

    Args:
        seconds: how long one cell may run.
        isolation: the least level of isolation, by name.
        run_all: also run the cells that no graded cell needs.
        workers: how many processes; one for each core where it is None.
    """

    seconds: float | None = None
    isolation: str | None = None
    run_all: bool = False
    workers: int | None = None

    def configure(self, config: Config) -> None:
        """Enter it into nbgrader's configuration."""
        if self.seconds is not None:
            config.RunNotebook.cell_seconds = self.seconds
        if self.isolation is not None:
            config.RunNotebook.isolation = self.isolation
        if self.run_all:
            config.RunNotebook.run_all = True


@dataclass(frozen=True)
class Course:
    """A course folder.

    Args:
        root: the folder.
    """

    root: Path

    @property
    def gradebook_file(self) -> Path:
        """The gradebook's database."""
        return self.root / "gradebook.db"

    def folder(self, step: str, student: str = "", assignment: str = "") -> Path:
        """A folder of nbgrader's layout.

        Args:
            step: "source", "release", "submitted", "intake", "autograded" or "feedback".
            student: the student's id; in "source" and "release" there are no students.
            assignment: the assignment.
        """
        return self.root / step / student / assignment

    def require(self) -> None:
        """Make sure that the folder is a course with something released.

        Raises:
            CourseError: it is not.
        """
        if not self.root.is_dir():
            raise CourseError(f"There is no course folder {self.root}: run `release` first.")
        if not (self.root / CONFIG_FILE).exists() or not self.gradebook_file.exists():
            raise CourseError(f"{self.root} is no course folder: run `release` with it first.")

    def released(self) -> list[str]:
        """The assignments that the gradebook knows, in order."""
        with self.gradebook() as gradebook:
            return sorted(assignment.name for assignment in gradebook.assignments)

    def api(self, submitted: str = "submitted", how: Running | None = None) -> NbGraderAPI:
        """nbgrader's own programming interface for this folder.

        Args:
            submitted: the folder that submissions are read from.
            how: how submissions are run, where that is not as the configuration says.
        """
        self.mend_gradebook()
        config = self.settings()
        own = Config()
        own.CourseDirectory.root = str(self.root.resolve())
        own.CourseDirectory.submitted_directory = submitted
        own.NbGraderAPI.log_level = "ERROR"
        if how is not None:
            how.configure(own)
        config.merge(own)
        _silence_nbgrader()
        course = CourseDirectory(config=config)
        api = NbGraderAPI(course, config=config)
        api.log.propagate = False
        return api

    @contextmanager
    def gradebook(self) -> Iterator[Any]:
        """The gradebook, closed again at the end."""
        put_programs_on_path()
        self.mend_gradebook()
        _silence_nbgrader()
        with Gradebook(f"sqlite:///{self.gradebook_file.resolve()}") as gradebook:
            yield gradebook

    def settings(self) -> Config:
        """nbgrader's configuration as the course folder has it.

        Raises:
            CourseError: its configuration file can't be loaded.
        """
        config = Config()
        configure(config, self.root)
        if (self.root / CONFIG_FILE).exists():
            try:
                config.merge(PyFileConfigLoader(CONFIG_FILE, str(self.root)).load_config())
            except Exception as error:  # whatever the instructor's own lines raise
                raise CourseError(
                    f"{self.root / CONFIG_FILE} can't be loaded: {error!r}"
                ) from error
        return config

    def mend_gradebook(self) -> None:
        """Set a half-made gradebook aside.

        A first run of nbgrader without alembic on the PATH leaves a database with tables and no
        version, which each later run takes for a good one. An empty one of that kind is renamed.

        Raises:
            CourseError: the database is half made and has submissions in it, or is no database.
        """
        if not self.gradebook_file.exists():
            return
        try:
            # Not read-only: what a killed process left half written is undone by the next one.
            with sqlite3.connect(f"file:{self.gradebook_file}?mode=rw", uri=True) as connection:
                query = "SELECT name FROM sqlite_master WHERE type = 'table'"
                tables = {row[0] for row in connection.execute(query)}
                if "alembic_version" in tables and connection.execute(
                    "SELECT count(*) FROM alembic_version"
                ).fetchone() != (0,):
                    return
                used = "submitted_assignment" in tables and connection.execute(
                    "SELECT count(*) FROM submitted_assignment"
                ).fetchone() != (0,)
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise CourseError(
                    f"The gradebook {self.gradebook_file} is locked by another program: close that "
                    "one, such as the formgrader, and try again."
                ) from error
            raise CourseError(
                f"The gradebook {self.gradebook_file} can't be read ({error}): restore it from a "
                "backup, or move it away and run `release` and `grade` again."
            ) from error
        if used:
            raise CourseError(
                f"The gradebook {self.gradebook_file} has grades but no version: run "
                "`nbgrader db upgrade` in the course folder."
            )
        self.gradebook_file.rename(self.gradebook_file.with_suffix(".half-made"))


def _silence_nbgrader() -> None:
    """Drop the warnings that its models provoke SQLAlchemy to while they set up a submission."""
    warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")
