"""What `check` says: for each kind of failure what was expected, what came, what to look at."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from autograder.notebook.check import Check, CheckFailed, TableModel, values
from autograder.notebook.check.answers import (
    Answers,
    BakedAnswers,
    Expected,
    Recorder,
    UnknownInputs,
    WrongAnswer,
    allowed_for,
    same_mistake,
)
from autograder.notebook.check.compare import difference, tolerance
from autograder.notebook.check.outcome import Call, Outcome, outcome_of
from autograder.trial import run_cell


def scale(x: Tensor, factor: float = 2.0) -> Tensor:
    """The reference of the exercise that these tests are about."""
    if factor == 0:
        raise ValueError("A factor of zero loses everything.")
    return x * factor


def adds(x: Tensor, factor: float = 2.0) -> Tensor:
    """You added the factor; multiply by it."""
    return x + factor


class OneExercise(Answers):
    """Knows the exercise `scale`, and one misconception."""

    def expected(self, exercise: str, call: Call) -> Expected:
        right = outcome_of(scale, call)
        allowed = allowed_for(right, outcome_of(scale, call, widen=True))
        wrong = WrongAnswer("adds", str(adds.__doc__), outcome_of(adds, call))
        return Expected(right, allowed, [wrong])


X = "torch.tensor([[1.0, 2.5, -3.0], [0.5, 4.0, 7.0]])"
CELL = f"check(scale, {X}, 3.0)"


def failure(answer: Callable[..., Any], cell: str = CELL, answers: Answers | None = None) -> str:
    """The message that a cell gives with some answer for `scale`; empty where it passes."""
    namespace = {"check": Check(answers or OneExercise()), "torch": torch, "scale": answer}
    try:
        run_cell(cell, namespace)
    except CheckFailed as error:
        return str(error)
    return ""


def said(message: str) -> tuple[str, str, str]:
    """What a message says was expected, what came, and what to look at."""
    found = {}
    for line in message.splitlines()[1:]:
        key, _, text = line.strip().partition(":")
        found.setdefault(key, text.strip())
    return found["expected"], found["came"], found["look at"]


def test_a_right_answer_passes_and_its_output_comes_back() -> None:
    assert failure(scale) == ""
    assert failure(scale, f"out = {CELL}\nassert out.shape == (2, 3)") == ""


def test_a_stub_is_told_that_it_is_not_written() -> None:
    def stub(*inputs: Any) -> Any:
        raise NotImplementedError

    assert failure(stub).startswith("scale is not written yet.")


def test_a_wrong_shape_names_both_shapes() -> None:
    expected, came, look_at = said(failure(lambda x, factor: (x * factor).T))
    assert expected == "a float32 tensor of shape (2, 3)"
    assert came == "a float32 tensor of shape (3, 2)"
    assert "axis" in look_at


REMEMBER = f"check(scale, {X}, 3.0, remember='Three times as large.')"


def test_what_holds_is_said_where_no_misconception_fits() -> None:
    assert failure(scale, REMEMBER) == ""
    assert "\n  remember: Three times as large.\n" in failure(lambda x, factor: x, REMEMBER)
    gradient = REMEMBER.replace("check(", "check.gradient(")
    assert "\n  remember: Three times" in failure(lambda x, factor: x * 2, gradient)


def test_what_holds_is_not_said_beside_a_hint_or_an_exception_or_in_a_hidden_check() -> None:
    def raises(x: Tensor, factor: float) -> Tensor:
        raise RuntimeError("no")

    hidden = f"### BEGIN HIDDEN TESTS\n{REMEMBER}\n### END HIDDEN TESTS"
    found = [failure(adds, REMEMBER), failure(raises, REMEMBER), failure(lambda x, f: x, hidden)]
    assert all(found) and "remember" not in "".join(found)


@pytest.mark.parametrize(
    ("answer", "look_at"),
    [
        (
            lambda x, factor: (x * factor)[1:],
            "there are too few; the first one that differs is row 0",
        ),
        (
            lambda x, factor: torch.cat([x * factor, x]),
            "too many; the first one that differs is row 2",
        ),
        (
            lambda x, factor: (x * factor)[:0],
            "there are too few; the first one that differs is row 0",
        ),
    ],
)
def test_a_wrong_number_of_rows_names_the_first_that_differs(answer: Any, look_at: str) -> None:
    assert look_at in said(failure(answer))[2]


def test_a_wrong_dtype_names_both_dtypes() -> None:
    expected, came, look_at = said(failure(lambda x, factor: (x * factor).double()))
    assert (expected, came) == (
        "a float32 tensor of shape (2, 3)",
        "a float64 tensor of shape (2, 3)",
    )
    assert "dtype" in look_at


def test_nan_is_named_before_any_number() -> None:
    expected, came, look_at = said(failure(lambda x, factor: (x * factor).log()))
    assert (expected, came) == ("finite numbers", "NaN in 1 of 6 places")
    assert "logarithm" in look_at


def test_a_misconception_gets_its_own_hint() -> None:
    _, _, look_at = said(failure(adds))
    assert look_at == "You added the factor; multiply by it."


def test_other_wrong_numbers_name_the_largest_difference_and_where_it_is() -> None:
    expected, came, look_at = said(failure(lambda x, factor: x * 4))
    assert expected == "21 at [1, 2]"
    assert came == "28; 6 of 6 numbers are off"
    assert "[1, 2]" in look_at


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (lambda x, factor: None, "None (did you forget `return`?)"),
        (lambda x, factor: (x * factor).numpy(), "a float32 NumPy array of shape (2, 3)"),
        (lambda x, factor: (x * factor).tolist(), "a list of 2 items"),
        (lambda x, factor: {1, 2}, "something of type set"),
        (lambda x, factor: 3.5, "a float, 3.5"),
        (lambda x, factor: "text", "a str, 'text'"),
    ],
)
def test_a_wrong_type_is_named(answer: Any, came: str) -> None:
    assert said(failure(answer))[1] == came


def test_an_exception_is_named_with_the_line_that_raised_it() -> None:
    def broken(x: Tensor, factor: float) -> Any:
        return x / [factor]

    message = failure(broken)
    assert "a TypeError" in said(message)[1]
    assert "in the line: return x / [factor]" in message


def test_another_exception_than_the_expected_one_is_told_with_its_text() -> None:
    def misspelt(x: Tensor, factor: float) -> Any:
        raise IndexError("bad " + factor)

    message = failure(misspelt, f"check(scale, {X}, 0)")
    assert "a TypeError: can only concatenate str" in message
    assert "in the line: raise IndexError" in message
    assert "it is not the ValueError that the task asks for" in message


def test_a_misconception_that_fails_an_earlier_call_of_the_cell_is_not_named() -> None:
    def right_at_first(x: Tensor, factor: float) -> Tensor:
        return x * factor if factor == 3 else x + factor

    cell = f"check(scale, {X}, 3.0)\ncheck(scale, {X}, 4.0)"
    assert "You added the factor" in failure(adds, cell)
    assert "You added the factor" not in failure(right_at_first, cell)


def test_exceptions_are_the_same_mistake_only_with_the_same_text() -> None:
    def wrong(text: str) -> Outcome:
        return Outcome(error="KeyError", error_bases=("KeyError",), text=text)

    assert same_mistake(wrong("'b'"), wrong("'b'"), [])
    assert not same_mistake(wrong("'b'"), wrong("'c'"), [])


def test_numbers_that_differ_late_are_shown_with_the_digits_that_differ() -> None:
    cell = "check(scale, torch.tensor([1.0], dtype=torch.float64), 1.0)"
    expected, came, _ = said(failure(lambda x, factor: x * (1 - 1e-8), cell))
    assert expected == "1 at [0]"
    assert came == "0.99999999"


def test_short_lists_are_shown_and_never_in_a_hidden_check() -> None:
    found = difference(["a"], ["a", "b"], [])
    assert found is not None
    assert found.words(hidden=False) == (
        "a list of 2 items: ['a', 'b']",
        "a list of 1 item: ['a']",
    )
    assert found.words(hidden=True) == ("a list of 2 items", "a list of another length")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (torch.tensor([3, 1, 2]), "tensor([3, 1, 2])"),
        (torch.zeros(0, dtype=torch.int64), "an empty int64 tensor of shape (0,)"),
        (torch.zeros(4, 3), "a float32 tensor of shape (4, 3)"),
        (np.array([1.5]), "array([1.5])"),
        ((torch.zeros(3, 3), torch.ones(1)), "(a float32 tensor of shape (3, 3), tensor([1.]))"),
        ("text", "'text'"),
    ],
)
def test_inputs_are_shown_as_they_would_be_written(value: Any, shown: str) -> None:
    assert values.show_input(value) == shown


def test_a_missing_exception_says_which_one_was_expected() -> None:
    expected, came, look_at = said(failure(lambda x, factor: x * 7, f"check(scale, {X}, 0)"))
    assert expected == "a ValueError, because of what the inputs are"
    assert came == "a float32 tensor of shape (2, 3)"
    assert "exception" in look_at
    assert failure(scale, f"check(scale, {X}, 0)") == ""


def test_an_exception_of_a_derived_class_is_right() -> None:
    class Special(ValueError):
        pass

    def raises(x: Tensor, factor: float) -> Any:
        raise Special

    assert failure(raises, f"check(scale, {X}, 0)") == ""


def test_an_input_that_was_changed_is_named() -> None:
    expected, came, _ = said(failure(lambda x, factor: x.mul_(factor)))
    assert expected == "the argument `x` as it was"
    assert "changed in place" in came


def test_a_gradient_that_is_cut_off_is_explained() -> None:
    cell = f"check.gradient(scale, {X}, 3.0)"
    assert failure(scale, cell) == ""
    message = failure(lambda x, factor: x.detach() * factor, cell)
    assert said(message)[0] == "a gradient: a float32 tensor of shape (2, 3)"
    assert said(message)[1] == "no gradient"
    assert "cut off from the input" in said(message)[2]
    copied = failure(lambda x, factor: torch.nn.Parameter(x.clone()) * factor, cell)
    assert said(copied)[1] == "no gradient"
    assert "other" not in failure(lambda x, factor: x * 2 * factor, cell).splitlines()[1]


def test_hidden_inputs_and_numbers_are_not_shown() -> None:
    cell = (
        "### BEGIN HIDDEN TESTS\n"
        "check(scale, torch.tensor([41.5, 42.5]), 3.0)\n"
        "### END HIDDEN TESTS"
    )

    def tells(x: Tensor, factor: float) -> Any:
        raise ValueError(f"the input is {x.tolist()}")

    for answer in (lambda x, factor: x * 4, adds, tells, lambda x, factor: x.mul_(factor)):
        message = failure(answer, cell)
        assert "hidden check" in message
        for number in ("41.5", "42.5", "124.5", "127.5", "166", "170", "44.5", "45.5"):
            assert number not in message
    assert "a ValueError" in failure(tells, cell)


class Scaler:
    """An answer that is no function."""

    def __call__(self, x: Tensor, factor: float) -> Tensor:
        return x * factor


@pytest.mark.parametrize(
    "answer", [lambda x, factor: x * factor, functools.partial(scale), Scaler()]
)
def test_an_answer_need_not_be_a_function_of_that_name(answer: Any) -> None:
    assert failure(answer) == ""


def test_an_alias_of_another_exercise_is_compared_with_the_one_that_is_written() -> None:
    def other(x: Tensor, factor: float) -> Tensor:
        return x

    assert failure(other).startswith("The result of scale")


def test_check_needs_the_exercise_by_its_name() -> None:
    with pytest.raises(ValueError, match="by its name"):
        failure(scale, f"check(lambda x, f: x, {X}, 3.0)")


def test_messages_show_as_they_are_in_a_notebook() -> None:
    with pytest.raises(CheckFailed) as caught:
        run_cell(CELL, {"check": Check(OneExercise()), "torch": torch, "scale": adds})
    assert caught.value._render_traceback_() == str(caught.value).splitlines()


def test_close_says_what_the_property_is() -> None:
    cell = "check.close(scale(torch.ones(2), 3.0), torch.full((2,), 4.0), 'Both are equal.')"
    message = failure(scale, cell)
    assert message.startswith("Both are equal.")
    assert "expected: 4 at [0]" in message
    assert failure(scale, cell.replace("4.0", "3.0")) == ""


def test_baked_answers_judge_like_the_reference(tmp_path: Path) -> None:
    recorder = Recorder(OneExercise())
    assert failure(scale, CELL, recorder) == ""
    file = tmp_path / "answers.json"
    file.write_text(recorder.as_json())
    baked = BakedAnswers(file)
    for answer in (scale, adds, lambda x, factor: x * 4, lambda x, factor: x.T, lambda x, f: None):
        assert failure(answer, CELL, baked) == failure(answer)


def test_baked_answers_don_t_know_other_inputs(tmp_path: Path) -> None:
    recorder = Recorder(OneExercise())
    failure(scale, CELL, recorder)
    file = tmp_path / "answers.json"
    file.write_text(recorder.as_json())
    with pytest.raises(UnknownInputs, match="for the inputs of this notebook's own cells only"):
        failure(scale, CELL.replace("3.0", "5.0"), BakedAnswers(file))
    near = CELL.replace("2.5", "2.500001")  # what another processor may make of a seeded input
    assert failure(scale, near, BakedAnswers(file)) == ""


def test_a_damaged_file_of_answers_is_a_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "answers.json"
    file.write_text('{"scale": [')
    with pytest.raises(ValueError, match=r"answers\.json, can't be read"):
        BakedAnswers(file)


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ((1, 2), [1, 2]),
        (torch.tensor(2.5), 2.5),
        (np.float64(2.5), 2.5),
        (3, 3.0),
        ({"b": 2, "a": 1}, {"a": 1, "b": 2}),
    ],
)
def test_values_that_mean_the_same_are_the_same(came: Any, expected: Any) -> None:
    assert difference(came, expected, tolerance(expected, values.to_float64(expected))) is None


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ([1, 2, 3], [1, 2]),
        (3.0, 3),
        (True, 1),
        ("1", 1),
        ({"a": 1}, {"a": 1, "b": 2}),
        (float("nan"), 1.0),
        (torch.eye(2).to_sparse(), torch.eye(2)),
        (torch.tensor([1.0, float("inf")]), torch.tensor([1.0, 2.0])),
    ],
)
def test_values_that_differ_are_told_apart(came: Any, expected: Any) -> None:
    assert difference(came, expected, tolerance(expected, values.to_float64(expected))) is not None


def test_infinite_entries_of_the_right_result_give_no_warning() -> None:
    expected = torch.tensor([[0.1, -torch.inf], [-torch.inf, 0.7]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        allowed = tolerance(expected, values.to_float64(expected))
        assert difference(expected.clone(), expected, allowed) is None
        assert difference(expected.nan_to_num(), expected, allowed) is not None


def test_the_tolerance_forgives_another_order_of_summation_and_nothing_like_a_wrong_epsilon() -> (
    None
):
    x = torch.randn(64, 512, generator=torch.Generator().manual_seed(0))

    def norm(x: Tensor, epsilon: float = 1e-5) -> Tensor:
        return x / (x.pow(2).mean(-1, keepdim=True) + epsilon).sqrt()

    def reordered(x: Tensor) -> Tensor:
        total = torch.zeros(64, 1)
        for part in x.split(1, dim=-1):
            total = total + part * part
        return x * torch.rsqrt(total / 512 + 1e-5)

    allowed = tolerance(norm(x), norm(x.double()))
    assert difference(reordered(x), norm(x), allowed) is None
    assert difference(norm(x, 1e-6), norm(x), allowed) is not None


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(plain)
def test_plain_values_survive_being_written_down(value: Any) -> None:
    assert values.decode(values.encode(value)) == value


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.bool])
def test_tensors_survive_being_written_down(dtype: torch.dtype) -> None:
    tensor = (torch.arange(6).reshape(3, 2) % 3).to(dtype).T
    back = values.decode(values.encode(tensor))
    assert back.dtype == dtype
    assert torch.equal(back, tensor)
    assert values.decode(values.encode(dtype)) == dtype


def test_copies_share_no_memory_even_in_double_precision() -> None:
    for value in (torch.ones(2), torch.ones(2, dtype=torch.float64), torch.ones(2).int()):
        for change in (values.copy, values.to_float64):
            change(value).add_(1)
            assert value.tolist() == [1, 1]


# ---------------------------------------------------------------------------- callable inputs


def table_model() -> TableModel:
    generator = torch.Generator().manual_seed(0)
    return TableModel(torch.randn(3, 5, 5, generator=generator))


def test_a_table_model_goes_by_its_memory_and_the_last_token() -> None:
    model = table_model()
    assert torch.equal(model(torch.tensor([[1, 4]])), model.logits[5 % 3, [4]])
    assert not torch.equal(model(torch.tensor([[1, 4]])), model(torch.tensor([[0, 4]])))


def test_a_table_model_that_is_told_wrong_parents_gives_other_logits() -> None:
    ids, longer = torch.tensor([[1], [2]]), torch.tensor([[2, 4], [1, 4]])
    right, wrong = table_model(), table_model()
    first = torch.tensor([0, 1])
    assert torch.equal(right(ids, first), wrong(ids, first))
    assert torch.equal(right(longer, torch.tensor([1, 0])), table_model()(longer))
    assert not torch.equal(wrong(longer, torch.tensor([0, 1])), table_model()(longer))


def test_a_table_model_is_a_plain_value() -> None:
    model = table_model()
    again = values.decode(values.encode(model))
    assert torch.equal(again.logits, model.logits)
    assert values.to_float64(model).logits.dtype == torch.float64
    assert values.copy(model) is not model
    assert values.same(model, again)
    assert difference(again, model, [0.0]) is None
    again.logits[0, 0, 0] += 1
    assert difference(again, model, [0.0]) is not None
    assert "5 tokens" in values.show_input(model)


@pytest.mark.parametrize("function", [torch.relu, torch.tanh])
def test_an_activation_travels_by_its_name(function: Callable[..., Any]) -> None:
    assert values.decode(values.encode(function)) is function
    assert values.show_input(function) == f"torch.{function.__name__}"


def test_any_other_function_does_not_travel() -> None:
    with pytest.raises(TypeError, match="can't be written down"):
        values.encode(scale)


def decode_twice(model: Callable[..., Tensor], ids: Tensor) -> Tensor:
    """The reference of a made-up exercise that takes a model."""
    for _ in range(2):
        ids = torch.cat([ids, model(ids).argmax(-1, keepdim=True)], dim=1)
    return ids


class TakesAModel(Answers):
    """Knows an exercise whose input is a model."""

    def expected(self, exercise: str, call: Call) -> Expected:
        right = outcome_of(decode_twice, call)
        return Expected(right, allowed_for(right, outcome_of(decode_twice, call, widen=True)))


def test_a_function_that_takes_a_model_is_checked_offline(tmp_path: Path) -> None:
    recorder = Recorder(TakesAModel())
    cell = "check(decode_twice, model, ids)"
    names = {"model": table_model(), "ids": torch.tensor([[1], [3]]), "decode_twice": decode_twice}
    run_cell(cell, names | {"check": Check(recorder)})
    file = tmp_path / "answers.json"
    file.write_text(recorder.as_json(), encoding="utf-8")
    run_cell(cell, names | {"check": Check(BakedAnswers(file))})
    names["decode_twice"] = lambda model, ids: ids
    with pytest.raises(CheckFailed, match="not right yet"):
        run_cell(cell, names | {"check": Check(BakedAnswers(file))})


# ----------------------------------------------------------------- functions that call others

HELPER = """
def halve(x):
    raise NotImplementedError()
"""
CALLER = """
def scale(x, factor=2.0):
    return 2 * halve(x) * factor
"""


def in_notebook(*cells: str) -> str:
    """The message of a check after some cells of a student's notebook."""
    names: dict[str, Any] = {"torch": torch, "check": Check(OneExercise())}
    for cell in cells:
        run_cell(cell, names)
    with pytest.raises(CheckFailed) as caught:
        run_cell(CELL, names)
    return str(caught.value)


def test_a_function_that_is_called_and_not_written_yet_is_named() -> None:
    message = in_notebook(HELPER, CALLER)
    assert "scale calls halve, which is not written yet" in message
    assert "the cell of halve" in message
    assert "scale is not written yet" in in_notebook(
        CALLER.replace("return", "raise NotImplementedError()\n    return")
    )


def test_an_error_in_a_function_that_is_called_shows_its_line() -> None:
    message = in_notebook(HELPER.replace("raise NotImplementedError()", "return x / None"), CALLER)
    assert "in the line of halve: return x / None" in message


def test_gradients_of_several_inputs_are_named() -> None:
    cell = "check.gradient(scale, torch.ones(2), torch.tensor(3.0), wrt=(0, 1))"
    message = failure(lambda x, factor: x.no_such_thing, cell, OneExercise())
    assert "a gradient for each of `x`, `factor`" in message
    assert "tuple" not in message


def test_a_call_whose_inputs_are_cut_is_shown_as_it_is_written() -> None:
    cell = "x = torch.arange(40.0).reshape(8, 5)\ncheck(scale, x.clone(),\n      3.0)"
    assert "in the line: check(scale, x.clone(), 3.0)" in failure(lambda x, factor: x, cell)
    assert "in the line" not in failure(lambda x, factor: x)  # short inputs stand there whole
    hidden = f"### BEGIN HIDDEN TESTS\n{cell}\n### END HIDDEN TESTS"
    assert "in the line" not in failure(lambda x, factor: x, hidden)
