"""One submission in boxes: its cells are run in their order, and its functions called.

A cell or a call that hangs, or kills its box, costs itself and no more: the next question finds a
fresh box, in which the cells before have been run again without the culprit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from autograder.box.server import Box, BoxKilled, BoxLost, DeadlineMissed, ForkServer
from autograder.submission.run import DEATH, TIMEOUT
from autograder.text import plain_text

Result = TypeVar("Result")

MOST_BOXES = 40  # for one submission: more than any chapter has checks


@dataclass(frozen=True)
class TimeLimits:
    """How long code may run, by the clock.

    Args:
        cell: seconds for one cell, or for all the calls of one graded cell.
        notebook: seconds for everything.
    """

    cell: float = 30.0
    notebook: float = 600.0


@dataclass
class CellResult:
    """What came of a cell.

    Args:
        output: what it printed, as text.
        error: the name of its exception's class, or of what ended it; None where it ran well.
        text: the exception's text.
    """

    output: str = ""
    error: str | None = None
    text: str = ""


@dataclass
class Session:
    """The boxes of one submission.

    Args:
        server: makes them.
        limits: how long its code may run.
    """

    server: ForkServer
    limits: TimeLimits = field(default_factory=TimeLimits)

    def __post_init__(self) -> None:
        self._box: Box | None = None
        self._boxes = 0
        self._has_handles = False  # of the present box
        self._done: list[str] = []  # the cells that a fresh box has to run again
        self._end = time.monotonic() + self.limits.notebook
        self._seconds_left = self.limits.cell

    def run(self, source: str) -> CellResult:
        """Run a cell that is not graded."""
        try:
            result = self._try_twice(lambda: self._run_in(self._open(), source))
        except BoxLost as lost:
            self._forget()
            name = TIMEOUT if isinstance(lost, DeadlineMissed) else DEATH
            return CellResult(error=name, text=self._explain(lost, "The cell"))
        self._done.append(source)
        return result

    def begin_check(self) -> None:
        """A graded cell begins, whose calls have the time of one cell."""
        self._seconds_left = self.limits.cell

    def ask(
        self,
        message: dict[str, Any],
        value: Any = None,
        foreign: Callable[[int, str], Any] | None = None,
        what: str = "The call",
    ) -> tuple[dict[str, Any], Any]:
        """Ask the present box something on behalf of a graded cell.

        Args:
            message: what to do.
            value: plain values to go with it.
            foreign: makes a stand-in for a value that stays in the box.
            what: what is asked for, as the subject of a sentence.

        Raises:
            BoxLost: it did not reply as it must; the text is a sentence for the student.
        """

        def keep(number: int, type_name: str) -> Any:
            self._has_handles = True
            return foreign(number, type_name) if foreign is not None else None

        try:
            return self._try_twice(lambda: self._ask(message, value, keep))
        except BoxLost as lost:
            self._forget()
            raise type(lost)(self._explain(lost, what)) from lost

    @property
    def number(self) -> int:
        """Which box the present one is, or the next one; handles of an earlier one are dead."""
        return self._boxes if self._box is not None else self._boxes + 1

    def close(self) -> None:
        """End the present box."""
        if self._box is not None:
            self._box.end()
        self._forget()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self, message: dict[str, Any], value: Any, foreign: Callable[[int, str], Any]
    ) -> tuple[dict[str, Any], Any]:
        box = self._open()
        begun = time.monotonic()
        try:
            left = min(self._seconds_left, self._end - begun)
            return box.ask(message, value, max(left, 0.001), foreign)
        finally:
            self._seconds_left -= time.monotonic() - begun

    def _try_twice(self, ask: Callable[[], Result]) -> Result:
        """Ask again where the box was killed, which need not have been the student's doing.

        A handle on an object does not survive its box, so there a second time makes no sense.
        """
        try:
            return ask()
        except BoxKilled:
            if self._has_handles:
                raise
            self._forget()
            return ask()

    def _open(self) -> Box:
        """The present box; a fresh one where it is lost, in which the cells have been run again."""
        while self._box is None:
            if self._boxes >= MOST_BOXES or time.monotonic() > self._end:
                raise BoxLost("The notebook has used up its time, or its boxes.")
            self._boxes += 1
            self._has_handles = False
            self._box = self.server.open_box()
            for place, source in enumerate(self._done):
                try:
                    self._run_in(self._box, source)
                except BoxLost:  # it went well the first time, and is left out from now on
                    del self._done[place]
                    self._forget()
                    break
        return self._box

    def _run_in(self, box: Box, source: str) -> CellResult:
        seconds = min(self.limits.cell, self._end - time.monotonic())
        reply, _ = box.ask({"do": "run", "source": source}, seconds=max(seconds, 0.001))
        error = reply.get("error")
        return CellResult(
            plain_text(reply.get("output"), 20_000),
            None if error is None else plain_text(error, 100),
            plain_text(reply.get("text"), 300),
        )

    def _forget(self) -> None:
        self._box = None

    def _explain(self, lost: BoxLost, what: str) -> str:
        """What happened, as a sentence for the student."""
        if not isinstance(lost, DeadlineMissed):
            return f"{what} did not come to its end. {lost}"
        if time.monotonic() > self._end:
            return f"{what} was stopped: the notebook ran for {self.limits.notebook:g} seconds."
        return f"{what} did not end within {self.limits.cell:g} seconds."
