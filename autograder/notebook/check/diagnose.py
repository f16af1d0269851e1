"""Why an answer is not right: what was expected, what came, and what to look at."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from . import values
from .answers import Expected, agrees, same_mistake
from .compare import Difference, difference
from .outcome import CUT_OFF, Call, Outcome, Remote

MOST_HINTS = 2

NOT_WHOLE = ("...", " of shape ")  # parts of a call's text that don't show all of its inputs


def is_right(call: Call, came: Outcome, expected: Expected) -> bool:
    """True where a function did on a call what it should.

    Args:
        call: the call that was made.
        came: what the student's function did.
        expected: what is known about the right answer.
    """
    return not _is_unwritten(came, expected) and _find(call, came, expected, ()) is None


def diagnose(
    exercise: str,
    call: Call,
    came: Outcome,
    expected: Expected,
    hidden: bool,
    names: Sequence[str] = (),
    passed: Sequence[Expected] = (),
    remember: str = "",
    written: str = "",
) -> str:
    """The message for a student whose answer is not right.

    It goes through: not written yet, an exception, shape, dtype, NaN, values, and changed inputs;
    whatever it is, the misconceptions that do the same are named.

    Args:
        exercise: the exercise's name.
        call, came, expected: as for `is_right`.
        hidden: whether the inputs must not be shown, nor numbers that give them away.
        names: what the function calls its parameters.
        passed: what is known about the calls that the same cell made before, all of them right; a
            misconception that fails one of these is not the student's.
        remember: what holds for the right result; said where no misconception explains a wrong one,
            and the inputs may be shown.
        written: the source of the call of `check`; shown where the inputs are too long to be.
    """
    if _is_unwritten(came, expected):
        if came.inside and hidden:
            return f"{exercise} calls a function that is not written yet."
        if came.inside:
            return (
                f"{exercise} calls {came.inside}, which is not written yet.\n"
                f"  expected: a function {came.inside} that returns its result\n"
                "  came:     its `raise NotImplementedError()`\n"
                f"  look at:  the cell of {came.inside}; then come back to this one"
            )
        return (
            f"{exercise} is not written yet.\n  expected: a function that returns its result\n"
            "  came:     the exercise's `raise NotImplementedError()`\n"
            "  look at:  the cell above: put your code in place of that line, and delete the line "
            "if your code is there already"
        )
    found = _find(call, came, expected, names)
    assert found is not None, "a right answer needs no message"
    what = "gradient" if call.wrt is not None else "result"
    called = "with inputs that are not shown (a hidden check)" if hidden else call.as_text(exercise)
    if written and not hidden and any(part in called for part in NOT_WHOLE):
        called += f"\n    in the line: {written}"
    wanted, got = found.words(hidden)
    lines = [
        f"The {what} of {exercise} is not right yet.",
        f"  called:   {called}",
        f"  expected: {wanted}",
        f"  came:     {got}",
    ]
    hints = _hints(came, expected, passed)
    if not hints and remember and came.error is None and not hidden:
        lines.append(f"  remember: {remember}")
    lines += [f"  look at:  {look}" for look in hints or [found.advice(hidden)]]
    return "\n".join(lines)


def _is_unwritten(came: Outcome, expected: Expected) -> bool:
    return came.error == "NotImplementedError" and expected.outcome.error != came.error


def parameter_names(function: Callable[..., Any] | Remote) -> tuple[str, ...]:
    """What a function calls its parameters; nothing where that can't be known."""
    if isinstance(function, Remote):
        return function.parameters
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def _hints(came: Outcome, expected: Expected, passed: Sequence[Expected]) -> list[str]:
    """The hints of the misconceptions that do what the student's function did, in every call."""
    hints = []
    for wrong in expected.wrong:
        if same_mistake(came, wrong.outcome, expected.allowed) and not agrees(
            wrong.outcome, expected.outcome, expected.allowed
        ):
            earlier = [
                (one, other.outcome)
                for one in passed
                for other in one.wrong
                if other.name == wrong.name
            ]
            if all(agrees(outcome, one.outcome, one.allowed) for one, outcome in earlier):
                hints.append(wrong.hint)
    return hints[:MOST_HINTS]


def _find(call: Call, came: Outcome, expected: Expected, names: Sequence[str]) -> Difference | None:
    right = expected.outcome
    if right.error is not None:
        return _find_error(came, right)
    if came.error == "NotConnected":
        wanted = _gradient_of(call, right.value, names)
        return Difference(wanted, "no gradient", CUT_OFF, ("a gradient", "no gradient"))
    if came.error is not None:
        return Difference(
            _gradient_of(call, right.value, names)
            if call.wrt is not None
            else values.describe(right.value),
            _raised(came),
            "the line that raised it, with these inputs",
            ("a result", _known(came.error)),
        )
    found = difference(_only(call, came.value), _only(call, right.value), expected.allowed)
    if found is None and set(came.changed) - set(right.changed):
        position = min(set(came.changed) - set(right.changed))
        name = f"`{names[position]}`" if position < len(names) else f"number {position + 1}"
        return Difference(
            f"the argument {name} as it was",
            f"the right result, but the argument {name} was changed in place",
            "operations that write into their input, such as +=, index assignment, or names that "
            "end in an underscore; work on a copy",
            (
                "the arguments as they were",
                "the right result, but an argument was changed in place",
            ),
        )
    return found


def _find_error(came: Outcome, right: Outcome) -> Difference | None:
    if right.error in came.error_bases:
        return None
    wanted = f"{_article(right.error)}, because of what the inputs are"
    if came.error is None:
        return Difference(
            wanted,
            values.describe(came.value),
            "what the task says about inputs that make no sense, and which exception it asks for",
            (wanted, "a result"),
        )
    return Difference(
        wanted,
        _raised(came),
        f"the line that raised it: it is not the {right.error} that the task asks for",
        (wanted, _known(came.error)),
    )


def _only(call: Call, value: Any) -> Any:
    """The gradient itself where there is one only, whatever came otherwise."""
    if call.wrt is not None and len(call.wrt) == 1 and isinstance(value, tuple):
        return value[0]
    return value


def _gradient_of(call: Call, value: Any, names: Sequence[str]) -> str:
    """The gradients that a call asks for, in words."""
    if len(call.wrt or ()) == 1:
        return f"a gradient: {values.describe(_only(call, value))}"
    asked = [f"`{names[place]}`" for place in call.wrt or () if place < len(names)]
    return f"a gradient for each of {', '.join(asked) or 'its inputs'}"


def _raised(came: Outcome) -> str:
    said = f"{_article(came.error)}: {came.text}" if came.text else _article(came.error)
    where = "" if not came.inside else f" of {came.inside}"
    return f"{said}\n    in the line{where}: {came.line}" if came.line else said


def _known(error: str) -> str:
    """An exception's class, where it is one of Python's own: a student's may have any name."""
    own = isinstance(getattr(builtins, error, None), type)
    return _article(error) if own else "an exception"


def _article(error: str | None) -> str:
    name = error or "exception"
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
