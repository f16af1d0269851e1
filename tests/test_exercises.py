"""Every exercise of the course, whichever there are: its checks give and take the right points."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from autograder.alternatives import alternative
from autograder.chapters import Chapter, Exercise, load_chapters
from autograder.misconceptions import misconception
from autograder.notebook.check import Check
from autograder.notebook.check.answers import Answers, BakedAnswers, Expected
from autograder.notebook.check.outcome import Call
from autograder.reference import ReferenceAnswers, RememberedAnswers
from autograder.text import one_line
from autograder.trial import baked_answers, notebook_namespace, run_cell, try_answer
from autograder.weave.stubs import STUB, solution_cell, stub_cell

LEAST_MISCONCEPTIONS, LEAST_ALTERNATIVES = 3, 2

EXERCISES = [
    pytest.param(chapter, exercise, id=f"{chapter.slug}-{exercise.name}")
    for chapter in load_chapters()
    for exercise in chapter.exercises
]

# What the reference and all misconceptions give is worked out once for each question.
KNOWN = RememberedAnswers(ReferenceAnswers())


def answers(registry: Any) -> list[Any]:
    """A parameter for each entry of a registry, over all exercises."""
    return [
        pytest.param(chapter, exercise, answer, id=f"{exercise.name}-{name}")
        for chapter in load_chapters()
        for exercise in chapter.exercises
        for name, answer in registry.of(chapter.module, exercise.name).items()
    ]


@pytest.fixture(scope="session")
def offline(
    chapters: tuple[Chapter, ...], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Check]:
    """A student's `check` for each chapter, with answers baked into a file."""
    folder = tmp_path_factory.mktemp("baked")
    checks = {}
    for chapter in chapters:
        file = folder / f"{chapter.slug}.json"
        file.write_text(baked_answers(chapter), encoding="utf-8")
        checks[chapter.slug] = Check(RememberedAnswers(BakedAnswers(file)))
    return checks


@pytest.mark.parametrize(("chapter", "exercise"), EXERCISES)
def test_the_reference_gets_all_points(chapter: Chapter, exercise: Exercise) -> None:
    results = try_answer(chapter, exercise.name)
    assert results
    assert [result.message for result in results] == [None] * len(results)


@pytest.mark.parametrize(("chapter", "exercise"), EXERCISES)
def test_the_stub_gets_no_points_and_is_told_apart(chapter: Chapter, exercise: Exercise) -> None:
    names = notebook_namespace(chapter)
    run_cell(stub_cell(chapter.module, exercise.name), names)
    results = try_answer(chapter, exercise.name, names[exercise.name])
    assert sum(result.earned for result in results) == 0
    assert all("is not written yet" in (result.message or "") for result in results)


@pytest.mark.parametrize(("chapter", "exercise"), EXERCISES)
def test_an_answer_that_returns_none_gets_no_points(chapter: Chapter, exercise: Exercise) -> None:
    results = try_answer(chapter, exercise.name, lambda *inputs, **options: None)
    assert sum(result.earned for result in results) == 0


@pytest.mark.parametrize(("chapter", "exercise"), EXERCISES)
def test_every_exercise_has_its_misconceptions_and_alternatives(
    chapter: Chapter, exercise: Exercise
) -> None:
    wrong = misconception.of(chapter.module, exercise.name)
    right = alternative.of(chapter.module, exercise.name)
    assert len(wrong) >= LEAST_MISCONCEPTIONS
    assert len(right) >= LEAST_ALTERNATIVES
    hints = [one_line(function.__doc__ or "") for function in wrong.values()]
    assert all(len(hint) > 30 for hint in hints), "a misconception's docstring is its hint"
    assert len(set(hints)) == len(hints)


@pytest.mark.parametrize(("chapter", "exercise", "wrong"), answers(misconception))
def test_every_misconception_loses_points_and_is_named_to_the_student(
    chapter: Chapter, exercise: Exercise, wrong: Any
) -> None:
    results = try_answer(chapter, exercise.name, wrong, hidden=False, check=Check(KNOWN))
    messages = [result.message for result in results if result.message]
    assert messages, "no public check fails"
    assert one_line(wrong.__doc__) in " ".join(messages)


@pytest.mark.parametrize(("chapter", "exercise", "wrong"), answers(misconception))
def test_offline_checks_name_the_same_misconceptions(
    chapter: Chapter, exercise: Exercise, wrong: Any, offline: dict[str, Check]
) -> None:
    results = try_answer(chapter, exercise.name, wrong, hidden=False, check=offline[chapter.slug])
    messages = " ".join(result.message for result in results if result.message)
    assert one_line(wrong.__doc__) in messages


@pytest.mark.parametrize(("chapter", "exercise", "right"), answers(alternative))
def test_every_differently_written_right_answer_gets_all_points(
    chapter: Chapter, exercise: Exercise, right: Any, offline: dict[str, Check]
) -> None:
    online = try_answer(chapter, exercise.name, right, check=Check(KNOWN))
    baked = try_answer(chapter, exercise.name, right, hidden=False, check=offline[chapter.slug])
    assert [result.message for result in online + baked] == [None] * (len(online) + len(baked))


@pytest.mark.parametrize(("chapter", "exercise"), EXERCISES)
def test_every_stub_line_stands_in_the_solution(chapter: Chapter, exercise: Exercise) -> None:
    solution = solution_cell(chapter.module, exercise.name).splitlines()
    own = {line.strip() for line in STUB.splitlines()}
    stub = [line for line in stub_cell(chapter.module, exercise.name).splitlines()]
    assert [line for line in stub if line.strip() not in own and line not in solution] == []
    assert any(line.strip() in own for line in stub), "the stub has nothing to fill in"


class TenTimesAsLenient(Answers):
    """The reference, with tolerances ten times as wide."""

    def expected(self, exercise: str, call: Call) -> Expected:
        known = KNOWN.expected(exercise, call)
        return dataclasses.replace(known, allowed=[10 * allowed for allowed in known.allowed])


@pytest.mark.parametrize(("chapter", "exercise", "wrong"), answers(misconception))
def test_every_misconception_is_far_beyond_rounding(
    chapter: Chapter, exercise: Exercise, wrong: Any
) -> None:
    lenient = Check(TenTimesAsLenient())
    results = try_answer(chapter, exercise.name, wrong, hidden=False, check=lenient)
    assert any(result.message for result in results)
