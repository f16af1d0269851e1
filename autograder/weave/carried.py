"""What a chapter takes along from an earlier one, as a cell of its notebook."""

from __future__ import annotations

from typing import Any

from autograder.chapters import Carried, Chapter, find_chapter
from autograder.reference import SOLUTIONS
from autograder.submission.carry import METADATA, definitions
from autograder.submission.restore import CARRIED_PREFIX
from autograder.weave.stubs import BEGIN_SOLUTION, END_SOLUTION


def carried_cell(chapter: Chapter, carried: Carried) -> tuple[str, str, dict[str, Any]]:
    """The answer cell for what is carried: without points, for a student's own functions.

    Args:
        chapter: the chapter that needs them.
        carried: what it needs, and from where.

    Returns:
        The cell's source with the references between nbgrader's solution markers, its grade id, and
        the metadata from which `carry` knows what belongs there.
    """
    origin = find_chapter(carried.module)
    source = (SOLUTIONS / f"{carried.module}.py").read_text(encoding="utf-8")
    functions = [
        part
        for part in definitions([source], carried.names)
        if not part.startswith(("import ", "from "))  # the set-up cell has the imports
    ]
    names = ", ".join(carried.names)
    earlier = f"../{origin.slug}/{origin.slug}.ipynb"
    lines = [
        f"# Put your functions of chapter {origin.number} here, with all that they call:",
        f"#     {names}",
        "# To copy them from your notebook of that chapter, save and close this one, and run in a",
        "# terminal, in this notebook's folder (with the path of yours):",
        f"#     python -m autograder carry {earlier} {chapter.slug}.ipynb",
        BEGIN_SOLUTION,
        "\n\n\n".join(functions),
        END_SOLUTION,
    ]
    about = {METADATA: {"from": origin.slug, "names": list(carried.names)}}
    return "\n".join(lines), CARRIED_PREFIX + carried.module, about
