"""What comes of each attack of `tests/attacks`: in the box, and, for harmless ones, without it."""

from __future__ import annotations

import copy
import importlib
import tempfile
import time
from pathlib import Path
from typing import Annotated

import nbformat
import typer

from autograder.box.session import TimeLimits
from autograder.chapters import Chapter, load_chapters
from autograder.grading.course import Course, Running
from autograder.grading.execution import Assignment, Execution
from autograder.grading.grade import grade
from autograder.grading.release import release
from autograder.submission.restore import grade_id, is_check
from autograder.weave.notebook import instructor_notebook, student_notebook

# These attacks do no harm where they run in an ordinary kernel, on the machine of whoever measures.
HARMLESS = (
    *("array_protocols", "ast_transformer", "builtins_replaced", "equal_to_everything"),
    *("events_and_hooks", "imitated_verdict", "input_transformer", "lazy_object"),
    *("module_shadowing", "patched_check", "patched_compare_module", "patched_comparisons"),
    *("patched_run_cell", "subclassed_tensor", "subclassed_values", "swallowing_handler"),
)

HEAD = """# Attacks

Each attack is a file in `tests/attacks/`: a submission of chapter 1 in which no answer is written.
`tests/test_attacks.py` and `tests/test_attack_notebooks.py` hold that none of them earns a point or
tells a hidden input, and that each was really tried. This page was written by
`python -m benchmarks attacks --to docs/attacks.md`{stock}.

"""
STOCK = """ with `--stock`. The column *stock* is
what the same cells and checks get in one Jupyter kernel, as nbgrader runs them and reads outputs
(`determine_grade`); only attacks that do no harm to the machine were run like that"""


def attacks(
    to: Annotated[Path | None, typer.Option(help="The file; otherwise it is printed.")] = None,
    stock: Annotated[bool, typer.Option(help="Also run harmless ones without a box.")] = False,
) -> None:
    """Run all attacks, and write a table of what came of them."""
    from tests.attacks import read_attacks

    chapter = load_chapters()[0]
    begun = time.process_time()
    rows = _by_code(chapter, stock) + _by_notebook(chapter)
    count = len(read_attacks("code")) + len(read_attacks("notebooks"))
    unearned = sum(points for _, _, _, points, _ in rows)
    title = "| attack | what it tries | what came of it | points |" + (" stock |" if stock else "")
    lines = [title, "|---|---|---|---:|" + ("---:|" if stock else "")]
    for name, story, came, points, without in rows:
        line = f"| {name} | {_cell(story)} | {_cell(came)} | {points:g} |"
        lines.append(line + (f" {without} |" if stock else ""))
    foot = (
        f"\n{count} attacks, {unearned:g} unearned points of {chapter.points:g} each; "
        f"{time.process_time() - begun:.0f} seconds of the grader's processor time.\n"
    )
    text = HEAD.format(stock=STOCK if stock else "") + "\n".join(lines) + "\n" + foot
    if to is None:
        typer.echo(text)
    else:
        to.write_text(text, encoding="utf-8")


Row = tuple[str, str, str, float, str]  # name, story, what came, points in the box, points without


def _by_code(chapter: Chapter, stock: bool) -> list[Row]:
    from tests.attacks import read_attacks, with_attack

    official = instructor_notebook(chapter)
    sources = {str(grade_id(cell)): cell.source for cell in official.cells if is_check(cell)}
    execution = Execution(Assignment.of_chapter(chapter), TimeLimits(cell=3, notebook=12))
    rows = []
    for attack in read_attacks("code"):
        notebook = with_attack(student_notebook(chapter), chapter, attack)
        for cell in notebook.cells:
            if is_check(cell):
                cell.source = sources[str(grade_id(cell))]
        unboxed = copy.deepcopy(notebook)
        execution.execute(notebook)
        came = _line_with(attack.trace, notebook)
        without = _stock_points(unboxed) if stock and attack.name in HARMLESS else ""
        rows.append((attack.name, attack.story, came, _points(notebook), without))
    execution.close()
    return rows


def _by_notebook(chapter: Chapter) -> list[Row]:
    from tests.attacks import read_attacks, unanswered

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder))
        release(course, [chapter])
        for attack in read_attacks("notebooks"):
            module = importlib.import_module(f"tests.attacks.notebooks.{attack.name}")
            made = module.make(unanswered(student_notebook(chapter)))
            file = course.folder("submitted", attack.name, chapter.slug) / f"{chapter.slug}.ipynb"
            file.parent.mkdir(parents=True)
            file.write_bytes(made if isinstance(made, bytes) else nbformat.writes(made).encode())
        marks = {mark.student: mark for mark in grade(course, chapter.slug, how=Running(10))}
        for attack in read_attacks("notebooks"):
            graded = course.folder("autograded", attack.name, chapter.slug)
            notebook = nbformat.read(graded / f"{chapter.slug}.ipynb", as_version=4)
            came = _line_with(attack.trace, notebook)
            rows.append((attack.name, attack.story, came, marks[attack.name].earned, ""))
    return rows


def _points(notebook: nbformat.NotebookNode) -> float:
    """The points of a run notebook, as nbgrader reads its outputs."""
    from nbgrader.utils import determine_grade

    graded = [cell for cell in notebook.cells if is_check(cell)]
    return sum(float(determine_grade(cell)[0] or 0) for cell in graded)


def _stock_points(notebook: nbformat.NotebookNode) -> str:
    """The points of a notebook that is run in one kernel, without the cells that nothing needs."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    attack = {id(cell) for cell in code if "NAMES" in cell.source or "Trace:" in cell.source}
    notebook.cells = [
        cell for cell in code if cell is code[0] or is_check(cell) or id(cell) in attack
    ]
    try:
        NotebookClient(notebook, timeout=30, allow_errors=True, kernel_name="python3").execute()
    except DeadKernelError:
        return "kernel died"
    except CellTimeoutError:
        return "hangs"
    return f"{_points(notebook):g}"


def _line_with(text: str, notebook: nbformat.NotebookNode) -> str:
    """The first line of a graded notebook's outputs, or its notes, that holds a text."""
    for cell in notebook.cells:
        said = [cell.source] if cell.cell_type == "markdown" else []
        for output in cell.get("outputs", ()):
            said.append(output.get("text") or output.get("evalue") or "")
        for line in "\n".join(said).splitlines():
            if text in line:
                return line.strip().removeprefix("came:").strip()
    return text


def _cell(text: str) -> str:
    """A text as a table in Markdown can hold it."""
    short = text if len(text) <= 160 else text[:157] + "..."
    return short.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("$", "\\$")
