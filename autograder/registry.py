"""Answers collected by exercise: the one mechanism behind misconceptions and alternatives."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, TypeVar

Answer = TypeVar("Answer", bound=Callable[..., Any])


class Registry:
    """Functions that stand in for an exercise's answer, by the name of the exercise.

    Args:
        package: dotted name of the package that holds them: one module a chapter, or, where a
            module would grow too long, one package a chapter with a module an exercise.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self._answers: dict[str, dict[str, Callable[..., Any]]] = {}

    def __call__(self, exercise: str) -> Callable[[Answer], Answer]:
        """Decorator: enter a function under `exercise`, and leave the function as it is."""

        def enter(function: Answer) -> Answer:
            answers = self._answers.setdefault(exercise, {})
            known = answers.get(function.__name__)
            if known is not None and known.__module__ != function.__module__:
                raise ValueError(f"{exercise} has two entries named {function.__name__}.")
            answers[function.__name__] = function
            return function

        return enter

    def of(self, module: str, exercise: str) -> dict[str, Callable[..., Any]]:
        """The entries of one exercise, in the order of the file; empty where there are none.

        Args:
            module: the chapter's module in `solutions`, such as "one_hot".
            exercise: the exercise's name.
        """
        for name in (f"{self.package}.{module}", f"{self.package}.{module}.{exercise}"):
            if _exists(name):
                importlib.import_module(name)
        return dict(self._answers.get(exercise, {}))


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the name's parent is a module and no package
        return False
