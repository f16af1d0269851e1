"""Why an answer is not right: what was expected, what came, and what to look at."""

from __future__ import annotations

from . import values
from .answers import Expected, agrees
from .compare import Difference, difference
from .outcome import Call, Outcome

MOST_HINTS = 2


def diagnose(
    exercise: str, call: Call, came: Outcome, expected: Expected, hidden: bool
) -> str | None:
    """The message for a student, None where the answer is right.

    It goes through: not written yet, an exception, shape, dtype, NaN, values, and changed inputs;
    whatever it is, the misconceptions that give the same result are named.

    Args:
        exercise: the exercise's name.
        call: the call that was made.
        came: what the student's function did.
        expected: what is known about the right answer.
        hidden: whether the inputs must not be shown, nor numbers that give them away.
    """
    if came.error == "NotImplementedError" and expected.outcome.error != came.error:
        return (
            f"{exercise} is not written yet.\n  expected: a function that returns its result\n"
            "  came:     the exercise's `raise NotImplementedError()`\n"
            "  look at:  the cell above: put your code in place of that line"
        )
    found = _find(came, expected)
    if found is None:
        return None
    hints = [
        wrong.hint
        for wrong in expected.wrong
        if agrees(came, wrong.outcome, expected.allowed)
        and not agrees(wrong.outcome, expected.outcome, expected.allowed)
    ]
    what = "gradient of " if call.wrt is not None else ""
    lines = [f"The {what}result of {exercise} is not right yet."]
    if hidden:
        lines.append("  called:   with inputs that are not shown (a hidden check)")
    else:
        lines.append(f"  called:   {call.as_text(exercise)}")
    wanted, got = found.words(hidden)
    lines += [f"  expected: {wanted}", f"  came:     {got}"]
    looks = hints[:MOST_HINTS] or [found.look_at]
    lines += [f"  look at:  {look}" for look in looks]
    return "\n".join(lines)


def _find(came: Outcome, expected: Expected) -> Difference | None:
    right = expected.outcome
    if right.error is not None:
        return _find_error(came, right)
    if came.error is not None:
        return Difference(
            values.describe(right.value),
            f"{_article(came.error)}: {came.detail}" if came.detail else _article(came.error),
            "the line that raised it, with these inputs",
            ("a result", _article(came.error)),
        )
    found = difference(came.value, right.value, expected.allowed)
    if found is None and set(came.changed) - set(right.changed):
        position = min(set(came.changed) - set(right.changed))
        return Difference(
            f"that argument {position + 1} is left as it was",
            "the right result, but that argument was changed in place",
            "operations that write into their input, such as +=, index assignment, or names that "
            "end in an underscore; work on a copy",
        )
    return found


def _find_error(came: Outcome, right: Outcome) -> Difference | None:
    if right.error in came.error_bases:
        return None
    return Difference(
        f"{_article(right.error)}, because of what the inputs are",
        values.describe(came.value) if came.error is None else _article(came.error),
        "what the task says about inputs that make no sense, and which exception it asks for",
        (_article(right.error), "a result" if came.error is None else _article(came.error)),
    )


def _article(error: str | None) -> str:
    name = error or "exception"
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
