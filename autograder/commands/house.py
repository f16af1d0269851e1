"""Commands about the house itself: `data`, `weave`, `bundle` and `doctor`.

A command imports its room when it runs, so that asking for help does not wait for torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from autograder.errors import CourseError

if TYPE_CHECKING:
    from autograder.chapters import Chapter

console = Console(highlight=False)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(data)
    app.command()(weave)
    app.command()(bundle)
    app.command()(doctor)


def data() -> None:
    """Install the data wheels into data/, unless they are there already."""
    from autograder import data_wheels
    from autograder.notebook.data import folder

    with console.status("Installing the data wheels..."):
        installed = data_wheels.install()
    console.print(f"The data wheels {'are now' if installed else 'were already'} in {folder()}.")


def weave(
    target: Annotated[Path, typer.Argument(help="Folder for the notebooks.")],
    chapter: Annotated[str | None, typer.Option(help="Only this chapter.")] = None,
    answers: Annotated[bool, typer.Option(help="The instructor's, with answers.")] = False,
) -> None:
    """Write the students' notebooks, or the instructor's, into a folder."""
    import nbformat

    from autograder.weave.notebook import instructor_notebook, student_notebook

    target.mkdir(parents=True, exist_ok=True)
    for one in chosen(chapter):
        notebook = instructor_notebook(one) if answers else student_notebook(one)
        file = target / f"{one.slug}.ipynb"
        file.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
        console.print(f"{file}", soft_wrap=True)


def bundle(
    target: Annotated[Path, typer.Argument(help="Folder for the zips.")],
    chapter: Annotated[str | None, typer.Option(help="Only this chapter.")] = None,
) -> None:
    """Pack the students' bundles: notebook, checks and lists of packages, one zip a chapter."""
    from autograder.bundle import write_bundle

    for one in chosen(chapter):
        console.print(f"{write_bundle(one, target)}", soft_wrap=True)


def doctor() -> None:
    """Show what is installed, what is missing, and what to run."""
    from autograder.doctor import examine

    table, healthy = examine()
    console.print(table)
    raise typer.Exit(0 if healthy else 1)


def chosen(name: str | None) -> tuple[Chapter, ...]:
    """The chapter of that name, all of them where there is no name.

    Raises:
        CourseError: there is no such chapter.
    """
    from autograder.chapters import find_chapter, load_chapters

    if name is None:
        return load_chapters()
    try:
        return (find_chapter(name),)
    except LookupError as error:
        raise CourseError(str(error.args[0])) from error
