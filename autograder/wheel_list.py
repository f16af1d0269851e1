"""The list of data wheels, `requirements-data.txt`, entry by entry."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

LIST = Path(__file__).resolve().parents[1] / "requirements-data.txt"


def entries() -> dict[str, str]:
    """The entry of each wheel, with its hashes, by the wheel's name."""
    text = LIST.read_text(encoding="utf-8")
    found = re.finditer(r"^([\w.-]+)==(?:.*\\\n)*.*$", text, re.MULTILINE)
    return {entry.group(1): entry.group() for entry in found}


def only(names: Collection[str]) -> str:
    """The same list with some of the wheels.

    Raises:
        LookupError: the list has no such wheel.
    """
    known = entries()
    for name in names:
        if name not in known:
            raise LookupError(
                f"{LIST.name} has no wheel {name!r}; it has {', '.join(sorted(known))}."
            )
    return "".join(f"{entry}\n" for name, entry in known.items() if name in names)
