"""The inside of a box: runs cells and calls functions, as the grader asks.

Everything here shares a process with the student's code, which may change any of it. So nothing of
this is trusted: a reply is an answer, and never a verdict.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any

from autograder.box import channel
from autograder.notebook.check import values
from autograder.notebook.check.diagnose import parameter_names
from autograder.notebook.check.models import QUESTIONS
from autograder.notebook.check.outcome import Call, Outcome, outcome_of

CHANNEL = 3  # the file descriptor
MOST_OUTPUT = 20_000  # characters of what one cell prints that are told to the grader

Shell = Any  # IPython's InteractiveShell, which has no types


def warm_up(set_up: str) -> Shell:
    """Import what notebooks use, and run everything once that is slow the first time.

    Args:
        set_up: the source of the chapter's set-up cell, as the course has it.
    """
    os.environ["MPLBACKEND"] = "agg"
    import matplotlib.pyplot as plt
    import torch
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    plt.rcParams["figure.max_open_warning"] = 0
    torch.set_num_threads(1)  # before the first operation: a forked child has no other thread
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    shell: Shell = InteractiveShell.instance(config=config)
    shell.showtraceback = lambda *_, **__: None  # the reply tells what was raised
    shell.showsyntaxerror = lambda *_, **__: None
    scratch = {"__name__": "__main__"}
    with contextlib.suppress(Exception):
        exec(set_up, scratch)
    with contextlib.redirect_stdout(io.StringIO()):
        shell.run_cell("1 + 1", store_history=False)
    matrix = torch.ones(4, 4, requires_grad=True)
    (matrix @ matrix).sum().backward()
    shell.reset(new_session=True)
    return shell


def serve(shell: Shell) -> None:
    """Do what the grader asks, until it is gone."""
    _write(channel.pack({"id": "ready"}))
    served = _Served(shell)
    while True:
        message, value = channel.unpack(_read, foreign=lambda number, _: served.objects[number])
        try:
            reply, result = served.answer(message, value)
        except BaseException as error:  # a student's code may raise anything
            reply, result = _raised(error), None
        try:
            packed = channel.pack(reply | {"id": message["id"]}, result, served.keep)
        except Exception as error:  # a value whose own methods raise
            packed = channel.pack(_raised(error) | {"id": message["id"]})
        _write(packed)


def report_death(error: BaseException) -> None:
    """Tell the grader why this box could not begin."""
    with contextlib.suppress(OSError):
        _write(channel.pack({"id": "dead", "text": f"{type(error).__name__}: {error}"[:300]}))


class _Served:
    """The notebook's names, and the objects that did not travel."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.objects: list[Any] = []

    def keep(self, value: Any) -> dict[str, Any]:
        """The code of a value that stays here."""
        self.objects.append(value)
        return {"foreign": [len(self.objects) - 1, type(value).__name__]}

    def answer(self, message: dict[str, Any], value: Any) -> tuple[dict[str, Any], Any]:
        """Do one thing that the grader asks for."""
        if message["do"] == "run":
            return self._run(message["source"]), None
        if message["do"] == "names":
            return {"names": list(parameter_names(self._function(message)))}, None
        inputs, options = value
        wrt = tuple(message["wrt"]) if message["wrt"] is not None else None
        function = self._function(message)
        if function is None:
            return {"missing": True}, None
        with _Output():
            outcome = outcome_of(function, Call(tuple(inputs), options, wrt))
        return _told(outcome), outcome.value

    def _function(self, message: dict[str, Any]) -> Any:
        if message["question"]:
            return QUESTIONS[message["name"]]
        if message["object"] is not None:
            owner = self.objects[message["object"]]
            return getattr(owner, message["name"]) if message["name"] else owner
        return self.shell.user_ns.get(message["name"])

    def _run(self, source: str) -> dict[str, Any]:
        with _Output() as output:
            result = self.shell.run_cell(source, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        told = {"output": output.text()}
        return told if error is None else told | _raised(error)


class _Output(io.StringIO):
    """Takes what code prints; beyond a length it is dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._streams = (sys.stdout, sys.stderr)

    def __enter__(self) -> _Output:
        sys.stdout = sys.stderr = self
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout, sys.stderr = self._streams

    def write(self, text: str) -> int:
        if self.tell() < MOST_OUTPUT:
            super().write(text[: MOST_OUTPUT - self.tell()])
        return len(text)

    def text(self) -> str:
        return self.getvalue()


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "error": outcome.error,
        "error_bases": list(outcome.error_bases),
        "text": outcome.text,
        "line": outcome.line,
        "inside": outcome.inside,
        "changed": list(outcome.changed),
    }


def _raised(error: BaseException) -> dict[str, Any]:
    """An exception, for a reply; even one whose own text raises."""
    try:
        text = str(error)
    except BaseException:
        text = ""
    bases = [base.__name__ for base in type(error).__mro__[:-2]]
    return {"error": type(error).__name__, "error_bases": bases, "text": values.shorten(text, 300)}


def _read(count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        part = os.read(CHANNEL, min(count - len(received), channel.MEGABYTE))
        if not part:
            os._exit(0)  # the grader is gone
        received += part
    return bytes(received)


def _write(packed: bytes) -> None:
    waiting = memoryview(packed)
    while waiting:
        waiting = waiting[os.write(CHANNEL, waiting) :]
