"""Names of a notebook as a graded cell sees them: each stands for something in the box.

A graded cell is ordinary Python and runs in the grader. Where it calls a function that the student
wrote, the inputs travel into the box, and what comes back are plain values. What can't travel, such
as a model, stays in the box behind a handle, and is called the same way.
"""

from __future__ import annotations

import builtins
from typing import Any

from autograder.box.server import BoxLost
from autograder.box.session import Session
from autograder.notebook.check import values
from autograder.notebook.check.outcome import Call, Outcome, Remote
from autograder.text import plain_text

TREATED = (Exception, StopIteration, StopAsyncIteration, ExceptionGroup)


class RemoteFunction(Remote):
    """A function in the box.

    Args:
        session: the submission's boxes.
        name: the name that it has in the notebook, or as a method of `owner`; empty for the object
            itself.
        owner: the object in the box that it belongs to; None for a name of the notebook.
        question: take `name` for one of the questions to a model, which the box answers itself.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        owner: RemoteObject | None = None,
        question: bool = False,
    ) -> None:
        self._session, self._name, self._owner, self._question = session, name, owner, question

    def outcome(self, call: Call) -> Outcome:
        """What comes of a call in the box.

        Raises:
            NameError: the notebook defines no such name.
            BoxLost: the box ended on it.
        """
        reply, value = self._session.ask(
            {"do": "call", "wrt": None if call.wrt is None else list(call.wrt)} | self._address(),
            call.written or [list(call.inputs), call.options],
            lambda number, type_name: RemoteObject(self._session, number, type_name),
            f"The call of {self._name or 'the object'}",
        )
        if reply.get("missing") is True:
            raise NameError(f"name {self._name!r} is not defined")
        return _outcome(reply, value, call)

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Call the function; an exception that it raises is raised here as its nearest kin."""
        outcome = self.outcome(Call(inputs, options))
        if outcome.error is not None:
            raise as_exception(outcome)
        return outcome.value

    @property
    def parameters(self) -> tuple[str, ...]:
        """What the function calls its parameters; empty where the box ends on that question."""
        try:
            reply, _ = self._session.ask({"do": "names"} | self._address())
        except BoxLost:
            return ()
        names = reply.get("names")
        if not isinstance(names, list):
            return ()
        told = [plain_text(name, 60) for name in names[:50]]
        return tuple(told) if all(name.isidentifier() for name in told) else ()

    def _address(self) -> dict[str, Any]:
        owner = None if self._owner is None else self._owner.number
        return {"name": self._name, "object": owner, "question": self._question}


class RemoteObject(values.Foreign):
    """An object that stays in the box, such as a model: it and its methods can be called.

    Args:
        session: the submission's boxes.
        number: its number in the box.
        type_name: the name of its type there.
    """

    def __init__(self, session: Session, number: int, type_name: str) -> None:
        super().__init__(plain_text(type_name, 60))
        self._number, self._session, self._box = number, session, session.number

    @property
    def number(self) -> int:
        """Its number in the box.

        Raises:
            ReferenceError: that box is gone.
        """
        if self._box != self._session.number:
            raise ReferenceError(f"the {self.type_name} is gone with the box that it was in")
        return self._number

    def ask(self, question: str, *inputs: Any, **options: Any) -> Any:
        """Ask it one of the questions to a model."""
        return RemoteFunction(self._session, question, question=True)(self, *inputs, **options)

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return RemoteFunction(self._session, "", self)(*inputs, **options)

    def __repr__(self) -> str:
        return f"<{self.type_name} in the box>"

    def __getattr__(self, name: str) -> RemoteFunction:
        if name.startswith("_"):
            raise AttributeError(name)
        return RemoteFunction(self._session, name, self)


def as_exception(outcome: Outcome) -> Exception:
    """An exception as a graded cell can catch it: of the nearest class that Python itself has.

    Its class has the student's own name for it. No class that Python treats in a way of its own is
    ever raised, such as `SystemExit`, or `StopIteration`, which ends a `map` without a word.
    """
    kin: type[Exception] = RuntimeError
    for name in outcome.error_bases:
        found = getattr(builtins, name, None)
        if isinstance(found, type) and issubclass(found, Exception) and found not in TREATED:
            kin = found
            break
    name = outcome.error if outcome.error and outcome.error.isidentifier() else kin.__name__

    class Raised(kin):  # type: ignore[valid-type, misc]
        """What a student's function raised."""

        def __init__(self, text: str) -> None:
            Exception.__init__(self, text)

        def __str__(self) -> str:
            return str(self.args[0])

    Raised.__name__ = Raised.__qualname__ = name
    return Raised(outcome.text)


def _outcome(reply: dict[str, Any], value: Any, call: Call) -> Outcome:
    """An outcome out of a reply, every part of it checked."""
    error, bases, changed = reply.get("error"), reply.get("error_bases"), reply.get("changed")
    if error is not None:
        names = [plain_text(base, 60) for base in bases[:20]] if isinstance(bases, list) else []
        return Outcome(
            error=plain_text(error, 60) or "Exception",
            error_bases=tuple(names),
            text=plain_text(reply.get("text"), 300),
            line=plain_text(reply.get("line"), 300),
            inside=plain_text(reply.get("inside"), 60),
        )
    places = changed[:100] if isinstance(changed, list) else []
    return Outcome(
        value=value,
        changed=tuple(place for place in places if place in range(len(call.inputs))),
    )
