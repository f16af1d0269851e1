"""Small things about text that several rooms need."""

from __future__ import annotations

import re


def one_line(text: str) -> str:
    """The text with all white space folded to single blanks."""
    return re.sub(r"\s+", " ", text).strip()


def plural(count: float, noun: str) -> str:
    """A count with its noun: "1 point", "2 points"."""
    return f"{count:g} {noun}{'' if count == 1 else 's'}"
