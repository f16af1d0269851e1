"""Where `check` gets the right answers from: worked out now, or baked into a student's bundle."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import values
from .compare import difference, tolerance
from .outcome import Call, Outcome

BAKED = Path(__file__).with_name("answers.json")

ROUNDING_OF_INPUTS = 1e-5  # relative: what another processor may change in a seeded input


@dataclass
class WrongAnswer:
    """What a misconception gives for the same call.

    Args:
        name: the misconception's name.
        hint: what to tell the student who holds it.
        outcome: what it gives.
    """

    name: str
    hint: str
    outcome: Outcome


@dataclass
class Expected:
    """All that is known about the right answer to one call.

    Args:
        outcome: what the reference does.
        allowed: for each leaf of its output, how far from it a right answer may lie.
        wrong: what each misconception gives.
    """

    outcome: Outcome
    allowed: list[float] = field(default_factory=list)
    wrong: list[WrongAnswer] = field(default_factory=list)


class UnknownInputs(LookupError):
    """The baked answers don't hold this call."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message alone."""
        return str(self).splitlines()


class Answers(ABC):
    """A source of right answers."""

    @abstractmethod
    def expected(self, exercise: str, call: Call) -> Expected:
        """What is known about the right answer of `exercise` to `call`.

        Raises:
            UnknownInputs: this source can't tell for these inputs.
        """


class BakedAnswers(Answers):
    """Answers from the file that the bundle brings; they hold the notebook's own inputs only.

    Args:
        file: the JSON file that `Recorder.write` made.

    Raises:
        ValueError: the file is damaged.
    """

    def __init__(self, file: Path) -> None:
        try:
            self._records = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(
                f"The file of answers, {file.name}, can't be read: unpack the bundle again."
            ) from error

    def expected(self, exercise: str, call: Call) -> Expected:
        for record in self._records.get(exercise, []):
            known = Call(
                tuple(values.decode(record["inputs"])),
                values.decode(record["options"]),
                tuple(record["wrt"]) if record["wrt"] is not None else None,
            )
            if _same_call(call, known):
                return Expected(
                    _decode_outcome(record["outcome"]),
                    record["allowed"],
                    [
                        WrongAnswer(wrong["name"], wrong["hint"], _decode_outcome(wrong["outcome"]))
                        for wrong in record["wrong"]
                    ],
                )
        raise UnknownInputs(
            f"`check` knows the right answers of {exercise} for the inputs of this notebook's own "
            "cells only.\n  If you changed the inputs of a check, take the cell from a fresh copy "
            f"of the bundle.\n  For inputs of your own, call the function: print({exercise}(...))"
        )


class Recorder(Answers):
    """Passes on the answers of another source, and keeps them for a bundle.

    Args:
        source: where the answers come from.
    """

    def __init__(self, source: Answers) -> None:
        self._source = source
        self._records: dict[str, list[dict[str, Any]]] = {}

    def expected(self, exercise: str, call: Call) -> Expected:
        expected = self._source.expected(exercise, call)
        record = {
            "inputs": values.encode(list(call.inputs)),
            "options": values.encode(call.options),
            "wrt": list(call.wrt) if call.wrt is not None else None,
            "outcome": _encode_outcome(expected.outcome),
            "allowed": expected.allowed,
            "wrong": [
                {"name": wrong.name, "hint": wrong.hint, "outcome": _encode_outcome(wrong.outcome)}
                for wrong in expected.wrong
            ],
        }
        records = self._records.setdefault(exercise, [])
        if record not in records:
            records.append(record)
        return expected

    def as_json(self) -> str:
        """All that was asked so far, as the file that `BakedAnswers` reads."""
        return json.dumps(self._records, separators=(",", ":"))


def allowed_for(single: Outcome, double: Outcome) -> list[float]:
    """How far a right answer may lie from the reference's, leaf by leaf; see `tolerance`."""
    if single.error is not None:
        return []
    if double.error is not None:
        raise ValueError(f"The reference fails in double precision: {double.text}")
    return tolerance(single.value, double.value)


def agrees(came: Outcome, expected: Outcome, allowed: list[float]) -> bool:
    """True where two outcomes are the same: values within the tolerance, or the right exception."""
    if expected.error is not None:
        return expected.error in came.error_bases
    return came.error is None and difference(came.value, expected.value, allowed) is None


def same_mistake(came: Outcome, wrong: Outcome, allowed: list[float]) -> bool:
    """True where an answer does what a misconception does: the value, or exception and text."""
    if wrong.error is not None:
        return came.error == wrong.error and came.text == wrong.text
    return agrees(came, wrong, allowed) and came.changed == wrong.changed


def _same_call(call: Call, known: Call) -> bool:
    if call.wrt != known.wrt or set(call.options) != set(known.options):
        return False
    pairs = [(list(call.inputs), list(known.inputs))]
    pairs += [(call.options[key], known.options[key]) for key in known.options]
    for came, baked in pairs:
        allowed = [_rounding(leaf) for _, leaf in values.leaves(baked)]
        if difference(came, baked, allowed) is not None:
            return False
    return True


def _rounding(leaf: Any) -> float:
    """How far an input may lie from the baked one, and still be the same."""
    if not (values.is_array(leaf) or values.is_number(leaf)):
        return 0.0
    array = values.to_numpy(leaf)
    if array.dtype.kind != "f" or not np.isfinite(array).any():
        return 0.0
    return ROUNDING_OF_INPUTS * float(np.abs(array[np.isfinite(array)]).max())


def _encode_outcome(outcome: Outcome) -> dict[str, Any]:
    return asdict(outcome) | {"value": values.encode(outcome.value), "line": ""}


def _decode_outcome(code: dict[str, Any]) -> Outcome:
    return Outcome(
        values.decode(code["value"]),
        code["error"],
        tuple(code["error_bases"]),
        code["text"],
        changed=tuple(code["changed"]),
    )
