"""The tests of agreement can fail: each of these wrong edits is caught by one of them.

A test module of a model lists its quick tests of agreement in `AGREEMENTS`, functions without
arguments, and wrong edits in `MUTATIONS`.
"""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.models.agreement import Mutation, in_force

Agreements = list[Callable[[], None]]


def _mutations() -> Iterator[tuple[Mutation, Agreements]]:
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        if file.stem == "test_mutations":
            continue
        module = importlib.import_module(f"tests.models.{file.stem}")
        for mutation in getattr(module, "MUTATIONS", ()):
            yield mutation, module.AGREEMENTS


@pytest.mark.parametrize(
    ("mutation", "agreements"),
    [pytest.param(*pair, id=str(pair[0])) for pair in _mutations()],
)
def test_a_wrong_edit_is_caught(mutation: Mutation, agreements: Agreements) -> None:
    def run_all() -> None:
        for agreement in agreements:
            agreement()

    with in_force(mutation), pytest.raises(AssertionError):
        run_all()
