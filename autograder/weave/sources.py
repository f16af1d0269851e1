"""What a page depends on besides its own text, so that no cached result outlives its code."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from autograder.chapters import ROOT

PACKAGES = ("solutions", "autograder")


def dependencies(code: Iterable[str], root: Path = ROOT) -> list[Path]:
    """The project's own modules that some code imports, directly or through one another.

    Args:
        code: Python sources.
        root: the folder that holds the packages.

    Returns:
        Their files, sorted.
    """
    found: set[Path] = set()
    waiting = [file for source in code for file in _imports(source, root)]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _imports(file.read_text(encoding="utf-8"), root, file)
    return sorted(found)


def digest(files: Iterable[Path]) -> str:
    """A short fingerprint of what stands in some files."""
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()[:16]


@cache
def _imports(source: str, root: Path, file: Path | None = None) -> tuple[Path, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level and file is not None:
                package = file.parent.relative_to(root).parts
                kept = package[: len(package) - node.level + 1]
                base = ".".join([*kept, *([base] if base else [])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    files = []
    for name in names:
        parts = name.split(".")
        if parts[0] in PACKAGES:
            packages = [root.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
            candidates = [package / "__init__.py" for package in packages]
            candidates.append(packages[-1].with_suffix(".py"))
            files += [file for file in candidates if file.is_file()]
    return tuple(dict.fromkeys(files))
