"""The command line: `python -m autograder`.

A student's bundle holds the commands of `student` only; the others come with the course.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys

import typer
from rich.console import Console

from autograder.errors import CourseError

BAD_INPUT = 2  # exit code: what was asked for can't be done

errors = Console(stderr=True, highlight=False)


def run() -> None:
    """Run the command line; an error that a person can mend is one sentence and exit code 2."""
    app = typer.Typer(
        help="From One-Hot to LLMs: notebooks, checks and grading.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    for room in ("student", "house", "grading"):
        name = f"autograder.commands.{room}"
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name).add_to(app)
    try:
        app()
    except KeyboardInterrupt:
        errors.print("Stopped; run the same command again to go on.")
        sys.exit(130)
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        errors.print(sentence, style="red", markup=False, soft_wrap=True)
        sys.exit(BAD_INPUT)


def _sentence(error: Exception) -> str | None:
    """What to tell about an error that is no defect of ours; None for one that is."""
    if isinstance(error, CourseError):
        return str(error)
    if isinstance(error, PermissionError) or (isinstance(error, OSError) and error.filename):
        return f"{error.strerror}: {error.filename}. Nothing was lost; mend this and run again."
    if type(error).__name__ in ("SourceError", "DataMissing"):
        return str(error)
    return None
