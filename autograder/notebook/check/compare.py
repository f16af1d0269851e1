"""Two values side by side: the first thing in which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import values
from .table_model import TableModel

# Which kinds of number may stand for which: a whole number for a float, but no float for an index.
STANDS_FOR = {"b": "b", "i": "iu", "u": "iu", "f": "fiu", "c": "cfiu"}

VALUES_DIFFER = ("the reference's values", "other values")

DETOUR_FREE = 1e-10  # relative: far below what float32 keeps


@dataclass
class Difference:
    """How a value differs from the expected one.

    Args:
        expected: what was expected, in words.
        came: what came, in words.
        look_at: where to look, in general.
        hidden: what a hidden check says for `expected` and `came`. A function sees its inputs, and
            could tell them by what it gives back; so nothing in there is the student's choice but
            one of a few words.
        hidden_look_at: where a hidden check says to look; as `look_at` where it is None.
    """

    expected: str
    came: str
    look_at: str
    hidden: tuple[str, str] = VALUES_DIFFER
    hidden_look_at: str | None = None

    def words(self, hidden: bool) -> tuple[str, str]:
        """What was expected and what came, without values where `hidden` is true."""
        return self.hidden if hidden else (self.expected, self.came)

    def advice(self, hidden: bool) -> str:
        """Where to look, without a value's place where `hidden` is true."""
        return self.look_at if not hidden or self.hidden_look_at is None else self.hidden_look_at


def tolerance(single: Any, double: Any) -> list[float]:
    """For each leaf of an output how far from it a right answer may lie.

    Eight times the rounding error of the reference (its float32 output against its float64
    output), since another order of the same operations errs as much in another direction, and
    sixteen units in the last place of the largest number.

    Args:
        single: the reference's output.
        double: the reference's output when its inputs are given in double precision.
    """
    result = []
    pairs = zip(values.leaves(single), values.leaves(double), strict=False)
    for (_, narrow), (_, wide) in pairs:
        allowed = 0.0
        if _is_float(narrow):
            a, b = values.to_numpy(narrow), values.to_numpy(wide).astype(np.float64)
            finite = np.isfinite(b)
            if a.shape == b.shape and finite.any():
                # Finite places only: infinity minus infinity warns, and a warning costs points.
                error = np.abs(a[finite].astype(np.float64) - b[finite]).max()
                units = np.finfo(a.dtype).eps * np.abs(b)[finite].max()
                if a.dtype == np.float64:
                    # A Python float may come from float32 tensors; in float64 arrays a tiny
                    # number that guards a division is forgiven, a detour by float32 is not.
                    guard = DETOUR_FREE if values.is_array(narrow) else np.finfo(np.float32).eps
                    units = guard * np.abs(b)[finite].max()
                allowed = float(8 * error + 16 * units)
        result.append(allowed)
    return result


def difference(came: Any, expected: Any, allowed: list[float]) -> Difference | None:
    """The first difference that matters, None where the value is right.

    Lists and tuples stand for each other, and a number for an array without axes.

    Args:
        came: the value to judge.
        expected: the value it should be.
        allowed: for each leaf of `expected`, how far away it may be.
    """
    budget = iter(allowed)
    return _difference(came, expected, budget, "")


def _difference(came: Any, expected: Any, allowed: Any, where: str) -> Difference | None:
    at = f" at {where}" if where else ""
    if isinstance(expected, list | tuple):
        if not isinstance(came, list | tuple) or len(came) != len(expected):
            return Difference(
                values.describe_with_items(expected) + at,
                values.describe_with_items(came),
                "what the function returns, and how many parts that has",
                (values.describe(expected), _other(expected, came)),
            )
        for index, (one, other) in enumerate(zip(came, expected, strict=True)):
            found = _difference(one, other, allowed, f"{where}[{index}]")
            if found:
                return found
        return None
    if isinstance(expected, dict):
        return _dict_difference(came, expected, allowed, where)
    if isinstance(expected, TableModel) and isinstance(came, TableModel):
        return _difference(came.logits, expected.logits, allowed, where)
    budget = next(allowed, 0.0)
    if values.is_number(expected) and values.is_number(came):
        if _kind(came) not in STANDS_FOR.get(_kind(expected), ""):
            return Difference(
                values.describe(expected) + at,
                values.describe(came),
                "the type of the number",
                (values.kind(expected), values.kind(came)),
            )
        return _array_difference(
            values.to_numpy(came), values.to_numpy(expected), budget, where, expected
        )
    if values.is_array(expected):
        return _tensor_difference(came, expected, budget, where)
    if type(came) is not type(expected) and not isinstance(came, type(expected)):
        return Difference(
            values.describe(expected) + at,
            values.describe(came),
            "the type of what you return",
            (values.kind(expected), values.kind(came)),
        )
    if came != expected:
        return Difference(
            values.shorten(repr(expected)) + at,
            values.shorten(repr(came)),
            "this value, worked out by hand",
        )
    return None


def _dict_difference(came: Any, expected: Any, allowed: Any, where: str) -> Difference | None:
    if not isinstance(came, dict):
        return Difference(
            values.describe(expected),
            values.describe(came),
            "the type of what you return",
            (values.describe(expected), values.kind(came)),
        )
    if set(came) != set(expected):
        missing, extra = set(expected) - set(came), set(came) - set(expected)
        parts = [f"the key {key} is missing" for key in _first(missing)]
        parts += [f"the key {key} should not be there" for key in _first(extra)]
        return Difference(
            f"a dict of {len(expected)} keys{f' at {where}' if where else ''}",
            f"one of {len(came)} keys: {', and '.join(parts)}",
            "which keys the result has",
        )
    for key, other in expected.items():
        found = _difference(came[key], other, allowed, f"{where}[{key!r}]")
        if found:
            return found
    return None


def _tensor_difference(came: Any, expected: Any, allowed: float, where: str) -> Difference | None:
    if _has_shape_and_dtype(came, expected):
        return _array_difference(
            values.to_numpy(came), values.to_numpy(expected), allowed, where, expected
        )
    at = f" at {where}" if where else ""
    whole, what = values.describe(expected) + at, values.describe(came)
    hidden = (values.describe(expected), _other(expected, came))
    if type(came) is not type(expected) and not isinstance(came, type(expected)):
        return Difference(whole, what, _other_type(came), hidden)
    if isinstance(came, Tensor) and came.layout != torch.strided:
        return Difference(
            whole, f"a sparse tensor of shape {tuple(came.shape)}", "its layout", hidden
        )
    same_rows = came.ndim == expected.ndim > 0 and came.shape[1:] == expected.shape[1:]
    if same_rows and len(came) != len(expected):
        rows = "the number of rows"
        return Difference(whole, what, _first_other_row(came, expected), hidden, rows)
    if tuple(came.shape) != tuple(expected.shape):
        return Difference(
            whole, what, "which axis is which, and which axis each step removes or adds", hidden
        )
    return Difference(
        whole, what, "the dtype: which step changes it, and what the task asks for", hidden
    )


def _has_shape_and_dtype(came: Any, expected: Any) -> bool:
    """True where only the numbers of two arrays can still differ."""
    return (
        isinstance(came, type(expected))
        and (not isinstance(came, Tensor) or came.layout == torch.strided)
        and came.shape == expected.shape
        and came.dtype == expected.dtype
    )


def _array_difference(
    came: np.ndarray, expected: np.ndarray, allowed: float, where: str, original: Any
) -> Difference | None:
    if came.dtype.kind in "OUSV":
        return Difference(
            values.describe(original),
            f"values of kind {came.dtype}",
            "the type of what you return",
            (values.kind(original), "something else"),
        )
    if expected.size == 0:
        return None
    wide = np.result_type(np.float64, came.dtype, expected.dtype)
    a, b = came.astype(wide), expected.astype(wide)
    with np.errstate(invalid="ignore"):
        off = np.abs(a - b)
    if off.max() <= allowed:  # never where there is NaN
        return None
    nan = np.isnan(a) & ~np.isnan(b)
    if nan.any():
        return Difference(
            "finite numbers" if np.isfinite(b).all() else "no NaN in this place",
            f"NaN in {int(nan.sum())} of {nan.size} places",
            "what makes NaN: zero or infinity divided by itself (did an exponential overflow?), "
            "infinity minus infinity, zero times infinity, or the logarithm or root of a number "
            "below zero",
            ("no NaN in some place", "NaN there"),
        )
    off = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, off)
    off = np.where(np.isnan(off), np.inf, off)
    if off.max() <= allowed:
        return None
    place = np.unravel_index(int(off.argmax()), off.shape)
    index = where + (f"[{', '.join(map(str, place))}]" if place else "")
    many = f"; {int((off > allowed).sum())} of {off.size} numbers are off" if off.size > 1 else ""
    at = f" at {index}" if index else ""
    right, wrong = _numbers(expected[place], came[place])
    return Difference(
        f"{right}{at}",
        f"{wrong}{many}",
        f"how the number{at} comes about, worked out by hand",
        hidden_look_at="how a number comes about, worked out by hand for inputs of your own",
    )


def _first(keys: set[Any]) -> list[str]:
    """The first of some keys, as it is shown."""
    return [values.shorten(key) for key in sorted(map(repr, keys))[:1]]


def _other(expected: Any, came: Any) -> str:
    """What came, as a hidden check may tell it: its kind, and that something else of it differs."""
    kind = values.kind(came)
    if kind != values.kind(expected):
        return kind
    return f"{kind} of another {'shape' if values.is_array(came) else 'length'}"


def _kind(value: Any) -> str:
    """NumPy's letter for the kind of a number: b, i, u, f or c."""
    return values.to_numpy(value).dtype.kind


def _is_float(value: Any) -> bool:
    if values.is_array(value):
        return _kind(value) == "f"
    return isinstance(value, float | np.floating)


def _first_other_row(came: Any, expected: Any) -> str:
    """What to look at where only the number of rows is wrong."""
    few = "few" if len(came) < len(expected) else "many"
    shorter = min(len(came), len(expected))
    same = values.to_numpy(came)[:shorter] == values.to_numpy(expected)[:shorter]
    rows = same.all(axis=tuple(range(1, same.ndim)))
    first = shorter if rows.all() else int(rows.argmin())
    return f"the number of rows: there are too {few}; the first one that differs is row {first}"


def _other_type(came: Any) -> str:
    """What to look at where another type than a tensor came."""
    if isinstance(came, np.ndarray):
        return "the type of what you return: `torch.from_numpy` makes a tensor of a NumPy array"
    return "the type of what you return"


def _numbers(expected: Any, came: Any) -> tuple[str, str]:
    """Two numbers that differ, with as many digits as it takes to see that."""
    for digits in (6, 9, 12, 17):
        pair = tuple(
            f"{value:.{digits}g}" if np.asarray(value).dtype.kind in "fc" else str(value)
            for value in (expected, came)
        )
        if pair[0] != pair[1]:
            break
    return pair[0], pair[1]
