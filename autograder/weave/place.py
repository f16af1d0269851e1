"""Where a chapter is on the map of the Transformer: a small copy of the map, its parts marked.

The map itself, `book/_static/transformer-map.svg`, says which chapter builds which part: each part
is a link to its chapter.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from xml.etree import ElementTree

from autograder.chapters import BOOK

MAP = BOOK / "_static" / "transformer-map.svg"
SVG = "{http://www.w3.org/2000/svg}"
PALE, STRONG = "0.12", "0.85"


def place_on_map(slug: str, file: Path = MAP) -> str:
    """The small map of one chapter, as HTML that links to the large one.

    Args:
        slug: the chapter's file name without its ending.
        file: the map.

    Returns:
        A `<figure>` with a caption that names the chapter's parts; empty where it builds none.
    """
    root = ElementTree.parse(file).getroot()
    boxes, parts = [], []
    for link in root.iter(f"{SVG}a"):
        box = link.find(f"{SVG}rect")
        words = [text.text or "" for text in link.iter(f"{SVG}text")]
        label = " ".join(word for word in words if not word.isdigit()).removeprefix("+ ")
        here = link.get("href") == f"{slug}.html"
        if here and label not in parts:
            parts.append(label)
        if box is not None:
            kept = {key: value for key, value in box.attrib.items() if key != "fill-opacity"}
            boxes.append(_tag("rect", kept | {"fill-opacity": STRONG if here else PALE}))
    if not parts:
        return ""
    plan = next(group for group in root.iter(f"{SVG}g") if group.get("stroke"))
    lines = [_tag(line.tag.removeprefix(SVG), _plain(line.attrib)) for line in plan]
    drawing = _tag("g", dict(plan.attrib), "".join(lines)) + "".join(boxes)
    svg = _tag("svg", {"viewBox": root.get("viewBox", ""), "aria-hidden": "true"}, drawing)
    names = ", ".join(parts)
    return (
        f'<figure class="place-on-map"><a href="map.html" aria-label="The map of the Transformer">'
        f"{svg}</a><figcaption>On the map: {escape(names)}</figcaption></figure>"
    )


def _plain(attributes: dict[str, str]) -> dict[str, str]:
    """Attributes without the arrow heads, which are too small to see here."""
    return {key: value for key, value in attributes.items() if not key.startswith("marker")}


def _tag(name: str, attributes: dict[str, str], inner: str = "") -> str:
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{inner}</{name}>"
