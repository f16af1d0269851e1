"""Small things about text that several rooms need."""

from __future__ import annotations

import re
from typing import Any


def one_line(text: str) -> str:
    """The text with all white space folded to single blanks."""
    return re.sub(r"\s+", " ", text).strip()


def plural(count: float, noun: str) -> str:
    """A count with its noun: "1 point", "2 points"."""
    return f"{count:g} {noun}{'' if count == 1 else 's'}"


def plain_text(said: Any, most: int) -> str:
    """What a stranger said, as text that can be written and shown: no control characters.

    Args:
        said: whatever came; text, or nothing of it is kept.
        most: how many characters are kept.
    """
    if not isinstance(said, str):
        return ""
    kept = said[:most].encode("utf-8", errors="replace").decode("utf-8")
    return "".join(letter for letter in kept if letter in "\n\t" or letter.isprintable())
