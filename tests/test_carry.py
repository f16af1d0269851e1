"""A chapter that builds on an earlier one: what is carried is a cell without points."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from autograder.chapters import Chapter, SourceError, find_chapter, load_chapters, read_chapter
from autograder.commands import student as student_commands
from autograder.errors import CourseError
from autograder.sample_class import sample_answers
from autograder.submission.carry import carry, definitions
from autograder.submission.restore import ANSWER_PREFIX, CARRIED_PREFIX, grade_id
from autograder.submission.validate import official_cells, shares_checks
from autograder.trial import baked_answers, notebook_namespace, run_cell
from autograder.weave.notebook import instructor_notebook, student_notebook
from autograder.weave.page import chapter_page
from autograder.weave.place import place_on_map
from tests.test_chapters import SOURCE

CARRIED = """```{code-cell} python
---
tags: [carried]
---
from solutions.one_hot import encode, one_hot
```

```{code-cell} python
---
tags: [carried-check]
---
check(encode, ["a", "b"], ["<unk>", "a"])
```
"""

LATER = (
    SOURCE.replace("module: one_hot", "module: word2vec")
    .replace(
        "from solutions.one_hot import encode", "from solutions.word2vec import skipgram_pairs"
    )
    .replace("id: encode", "id: skipgram_pairs")
    .replace('check(encode, ["a"], vocab)', "check(skipgram_pairs, vocab, vocab)")
    .replace("check(encode, [], vocab)", "check(skipgram_pairs, vocab, vocab)")
    .replace('vocab = ["<unk>", "a"]', "vocab = torch.tensor([1, 2])")
    .replace("import torch\n", "import torch\nfrom torch import Tensor\n")
    .replace("Text.\n", f"Text.\n\n{CARRIED}")
)

CALLED = 'def part(x):\n    """Says it."""\n    return helper(x)\n'


@pytest.fixture
def later() -> Chapter:
    """A chapter that takes two functions from chapter 1."""
    return read_chapter(LATER, Path("02-later.md"))


@pytest.fixture
def written(chapter: Chapter, tmp_path: Path) -> Path:
    """Chapter 1 as a student who has all answers hands it in."""
    file = tmp_path / "earlier.ipynb"
    file.write_text(nbformat.writes(instructor_notebook(chapter)), encoding="utf-8")
    return file


@pytest.fixture
def fresh(later: Chapter, tmp_path: Path) -> Path:
    """The later chapter's notebook as it was handed out."""
    file = tmp_path / "later.ipynb"
    file.write_text(nbformat.writes(student_notebook(later)), encoding="utf-8")
    return file


def test_what_a_function_uses_comes_with_it_and_nothing_else() -> None:
    sources = [
        "import math\nimport os\nLIMIT = 3\n",
        "def helper(x):\n    return math.sqrt(x) + LIMIT\n",
        CALLED,
        "def other(x):\n    return os.sep\n",
    ]
    assert definitions(sources, ["part"]) == [
        "import math",
        "LIMIT = 3",
        "def helper(x):\n    return math.sqrt(x) + LIMIT",
        CALLED.rstrip(),
    ]


def test_parameters_and_names_of_its_own_are_not_taken_from_outside() -> None:
    sources = [
        "x = 1\nweights = x + 1\nSCALE, EPS = 0.5, 0\n",
        "def part(x, weights=None):\n    total = [found for found in x]\n    return total, EPS\n",
        "total = x\nfound = {}\n",
    ]
    assert definitions(sources, ["part"])[0] == "SCALE, EPS = 0.5, 0"
    assert len(definitions(sources, ["part"])) == 2


def test_a_name_is_taken_as_it_was_when_the_function_was_written() -> None:
    sources = [
        "K = 1\n",
        "def part():\n    return K + later()\n",
        "K = 2\n",
        "def later():\n    pass\n",
    ]
    assert definitions(sources, ["part"])[0] == "K = 1"
    assert "def later" in definitions(sources, ["part"])[-1]


def test_the_last_of_two_definitions_counts_and_a_broken_cell_is_passed_over() -> None:
    sources = ["def a():\n    return 1\n", "def a(:\n", "%magic\n", "def a():\n    return 2\n"]
    assert definitions(sources, ["a"]) == ["def a():\n    return 2"]
    with pytest.raises(LookupError, match="b"):
        definitions(sources, ["b"])


def test_the_page_runs_what_is_carried_as_an_import(later: Chapter) -> None:
    sources = [cell.source for cell in chapter_page(later).cells]
    assert "from solutions.one_hot import encode, one_hot" in sources
    assert any(source.startswith("check(encode") for source in sources)


def test_students_find_a_cell_without_points_and_without_answers(later: Chapter) -> None:
    [cell] = [c for c in student_notebook(later).cells if "carried" in str(grade_id(c))]
    marks = cell.metadata["nbgrader"]
    assert marks["solution"] and not marks["grade"] and "points" not in marks
    assert "raise NotImplementedError()" in cell.source
    assert "def " not in cell.source and "encode, one_hot" in cell.source


def test_the_instructor_s_cell_holds_all_that_is_needed(later: Chapter) -> None:
    notebook = instructor_notebook(later)
    [place] = [i for i, c in enumerate(notebook.cells) if "carried" in str(grade_id(c))]
    names: dict[str, object] = {}
    for cell in notebook.cells[: place + 2]:
        if cell.cell_type == "code" and "check(" not in cell.source:
            run_cell(cell.source, names)
    assert names["encode"](["a"], ["<unk>", "a"]).tolist() == [1]  # type: ignore[operator]
    assert "solutions" not in notebook.cells[place].source


def test_a_bundle_knows_the_answers_to_the_checks_of_what_is_carried(later: Chapter) -> None:
    assert '"encode"' in baked_answers(later)
    assert {"encode", "one_hot"} <= set(notebook_namespace(later))


def test_a_student_s_functions_are_copied(later: Chapter, written: Path, fresh: Path) -> None:
    before = written.read_bytes()
    assert carry(written, fresh, student_notebook(later)) == ["encode", "one_hot"]
    assert written.read_bytes() == before
    notebook = nbformat.read(fresh, as_version=4)
    [cell] = [c for c in notebook.cells if "carried" in str(grade_id(c))]
    assert "def encode(" in cell.source and "def one_hot(" in cell.source
    assert "def decode(" not in cell.source and "NotImplementedError" not in cell.source
    names: dict[str, object] = {}
    run_cell(f"import torch\nfrom torch import Tensor\n{cell.source}", names)
    assert callable(names["one_hot"])


def test_a_finished_notebook_of_each_earlier_chapter_carries_what_runs(
    chapters: tuple[Chapter, ...], tmp_path: Path
) -> None:
    """Whatever else stands in it, with the reference and with answers written differently."""
    for chapter in (one for one in chapters if one.carried):
        for carried in chapter.carried:
            origin = find_chapter(carried.module)
            for student in ("ada-all-right", "bo-written-differently"):
                earlier = student_notebook(origin)
                answers = sample_answers(origin)[student]
                for cell in earlier.cells:
                    name = (grade_id(cell) or "").removeprefix(ANSWER_PREFIX)
                    if name in answers:
                        cell.source = answers[name]
                file, target = tmp_path / f"{origin.slug}.ipynb", tmp_path / f"{chapter.slug}.ipynb"
                file.write_text(nbformat.writes(earlier), encoding="utf-8")
                target.write_text(nbformat.writes(student_notebook(chapter)), encoding="utf-8")
                carry(file, target, student_notebook(chapter))
                notebook = nbformat.read(target, as_version=4)
                [cell] = [
                    c for c in notebook.cells if grade_id(c) == f"{CARRIED_PREFIX}{carried.module}"
                ]
                names = notebook_namespace(chapter)
                run_cell(cell.source, names)
                for check in chapter.carried_checks:
                    run_cell(check, names)


def test_an_answer_that_is_no_python_is_named(later: Chapter, written: Path, fresh: Path) -> None:
    notebook = nbformat.read(written, as_version=4)
    [cell] = [c for c in notebook.cells if grade_id(c) == f"{ANSWER_PREFIX}decode"]
    cell.source = "%timeit 1\n" + cell.source
    written.write_text(nbformat.writes(notebook), encoding="utf-8")
    untouched = fresh.read_text(encoding="utf-8")
    assert carry(written, fresh, student_notebook(later))
    fresh.write_text(untouched, encoding="utf-8")
    cell.source = "def decode(:"
    written.write_text(nbformat.writes(notebook), encoding="utf-8")
    with pytest.raises(CourseError, match=r"begins with `def decode\(:` is no Python"):
        carry(written, fresh, student_notebook(later))


def test_nothing_is_overwritten(later: Chapter, written: Path, fresh: Path) -> None:
    carry(written, fresh, student_notebook(later))
    with pytest.raises(CourseError, match="holds something already"):
        carry(written, fresh, student_notebook(later))


def test_an_answer_that_is_not_written_yet_is_named(
    chapter: Chapter, later: Chapter, tmp_path: Path, fresh: Path
) -> None:
    file = tmp_path / "empty.ipynb"
    file.write_text(nbformat.writes(student_notebook(chapter)), encoding="utf-8")
    with pytest.raises(CourseError, match="encode is not written yet"):
        carry(file, fresh, student_notebook(later))


def test_a_notebook_that_has_nothing_to_do_with_it_is_refused(
    later: Chapter, fresh: Path, tmp_path: Path
) -> None:
    file = tmp_path / "other.ipynb"
    file.write_text(nbformat.writes(nbformat.v4.new_notebook()), encoding="utf-8")
    with pytest.raises(CourseError, match="takes nothing from other"):
        carry(file, fresh, student_notebook(later))


def test_the_command_says_what_it_did(
    later: Chapter, written: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import typer

    monkeypatch.setattr(
        student_commands, "_handed_out_by_course", lambda file: student_notebook(later)
    )
    app = typer.Typer()
    student_commands.add_to(app)
    result = CliRunner().invoke(app, ["carry", str(written), str(fresh)])
    assert result.exit_code == 0
    assert "later.ipynb now has your encode, one_hot." in result.output


def test_only_exercises_of_earlier_chapters_can_be_carried(tmp_path: Path) -> None:
    (tmp_path / "02-later.md").write_text(LATER, encoding="utf-8")
    with pytest.raises(SourceError, match="no exercise of an earlier chapter"):
        load_chapters(tmp_path)
    (tmp_path / "01-first.md").write_text(
        SOURCE.replace("import encode", "import one_hot").replace("encode", "one_hot"),
        encoding="utf-8",
    )
    with pytest.raises(SourceError, match="encode can't be carried from one_hot"):
        load_chapters(tmp_path)


def test_every_chapter_that_carries_names_answers_of_its_class(
    chapters: tuple[Chapter, ...],
) -> None:
    for chapter in chapters:
        ids = {grade_id(cell) for cell in student_notebook(chapter).cells}
        for carried in chapter.carried:
            assert f"{ANSWER_PREFIX}carried-{carried.module}" in ids


def test_the_small_map_marks_the_parts_of_a_chapter() -> None:
    figure = place_on_map("04-attention")
    assert "Multi-head self-attention, Masked multi-head self-attention, Softmax" in figure
    assert figure.count('fill-opacity="0.85"') == 3
    assert figure.count("<rect") == place_on_map("01-one-hot").count("<rect")
    assert place_on_map("how-to-read") == ""


def test_a_notebook_is_told_from_others_that_carry_the_same_functions() -> None:
    notebooks = [student_notebook(chapter) for chapter in load_chapters()]
    for number, notebook in enumerate(notebooks):
        found = [shares_checks(notebook, official_cells(other)) for other in notebooks]
        assert found == [other == number for other in range(len(notebooks))]
