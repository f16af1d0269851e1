"""Attacks on the grader: none earns a point, tells a hidden input, or costs a neighbour one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import nbformat
import pytest

from autograder.box.isolation import Level, probe
from autograder.box.session import TimeLimits
from autograder.chapters import Chapter
from autograder.grading.execution import Assignment, Execution
from autograder.submission.restore import grade_id, is_check
from autograder.weave.notebook import instructor_notebook, student_notebook
from tests.attacks import Attack, read_attacks, with_attack

pytestmark = pytest.mark.slow

ATTACKS = read_attacks("code")
SHORT, USUAL = TimeLimits(cell=2, notebook=8), TimeLimits(cell=20)

# These read, fill or change files of the machine, or look at its other processes. At the levels
# below a sandbox nothing hides these, and the instructor's page says so.
BY_FILES = (
    *("disk_bomb", "guessing_from_files", "kill_neighbours", "proc", "shared_memory"),
    *("site_packages", "start_up_files", "symbolic_links", "whole_disk"),
)

HIDDEN = re.compile(r"word\d")  # in chapter 1, only the words of hidden checks look like that


@pytest.fixture(scope="module")
def notebook(chapter: Chapter) -> nbformat.NotebookNode:
    """The notebook that students get."""
    return student_notebook(chapter)


@pytest.fixture(scope="module")
def sources(chapter: Chapter) -> dict[str, str]:
    """The sources of the graded cells, hidden checks included."""
    cells = instructor_notebook(chapter).cells
    return {cell.metadata.nbgrader.grade_id: cell.source for cell in cells if is_check(cell)}


@pytest.fixture(scope="module")
def execution(chapter: Chapter) -> Iterator[Execution]:
    """One execution, and so one warm process, for all."""
    execution = Execution(Assignment.of_chapter(chapter))
    yield execution
    execution.close()


def grade(
    notebook: nbformat.NotebookNode, sources: dict[str, str], execution: Execution
) -> tuple[set[str], str]:
    """The graded cells that passed, and all that the graded notebook says."""
    for cell in notebook.cells:
        if is_check(cell):
            cell.source = sources[cell.metadata.nbgrader.grade_id]
    execution.execute(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = [
        "\n".join([output.ename, output.evalue, *output.traceback])
        if output.output_type == "error"
        else str(output.text)
        for output in outputs
    ]
    passed = {
        str(grade_id(cell))
        for cell in notebook.cells
        if is_check(cell) and all(output.output_type != "error" for output in cell.outputs)
    }
    return passed, "\n".join(said)


def test_there_are_many_attacks_and_each_has_a_story() -> None:
    assert len(ATTACKS) >= 45
    assert {attack.name for attack in ATTACKS} > set(BY_FILES)
    assert all(attack.story and attack.trace for attack in ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_earns_nothing_tells_nothing_and_costs_the_next_one_nothing(
    attack: Attack,
    notebook: nbformat.NotebookNode,
    sources: dict[str, str],
    execution: Execution,
    chapter: Chapter,
) -> None:
    if attack.name in BY_FILES and probe().level < Level.SANDBOX:
        pytest.skip(f"Only a sandbox stops this one. {probe().reason}")
    execution.limits = SHORT
    warm = execution.warm_process
    passed, said = grade(with_attack(notebook, chapter, attack), sources, execution)
    assert passed == set()
    assert attack.trace in said, said[:3000]
    assert HIDDEN.findall(said) == []
    assert [letter for letter in said if not (letter.isprintable() or letter in "\n\t")] == []
    assert len(said) < 100_000
    assert execution.warm_process == warm  # it survived
    execution.limits = USUAL
    honest = first_exercise(chapter)
    passed, said = grade(honest, sources, execution)
    assert passed == {grade_id(cell) for cell in honest.cells if is_check(cell)}, said


def first_exercise(chapter: Chapter) -> nbformat.NotebookNode:
    """The right answer to the first exercise, and no more: a short honest submission."""
    notebook = instructor_notebook(chapter)
    second = f"answer-{chapter.exercises[1].name}"
    end = next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == second)
    notebook.cells = notebook.cells[:end]
    return notebook


def test_an_honest_submission_after_all_of_them_gets_all_points(
    chapter: Chapter, sources: dict[str, str], execution: Execution
) -> None:
    execution.limits = USUAL
    passed, said = grade(instructor_notebook(chapter), sources, execution)
    assert passed == set(sources), said
