"""Figures that are legible in light and in dark: inline SVG whose ink is the page's text colour.

Matplotlib draws text and axes in a colour of their own, `INK`; in the finished SVG that colour is
replaced by `currentColor`, so the figure follows the page when its theme changes.

Letters are drawn as shapes, so that a figure looks the same everywhere. Matplotlib's own font has
no Chinese, though. A figure with characters that it lacks keeps its words as text, in the page's
font.
"""

from __future__ import annotations

import io
import re
import warnings
import zlib
from html import escape
from typing import Any

import matplotlib.pyplot as plt
from cycler import cycler
from IPython.display import display
from matplotlib.figure import Figure

INK = "#010203"

# Each has a contrast of at least 3:1 against white and against the dark page (#121212).
COLORS = ["#0b7fab", "#d1570f", "#3f8f3f", "#b0549c", "#b8860b", "#7a6fd0", "#c2453f", "#6b8791"]

STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "font.size": 11,
    "hatch.color": INK,
    "legend.edgecolor": INK,
    "legend.facecolor": "none",
    "legend.framealpha": 0.0,
    "patch.edgecolor": INK,
    "svg.fonttype": "path",
    "svg.hashsalt": "one-hot",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}

MISSING = re.compile(r"Glyph \d+ .* missing from font")

MINIMUM_ALT = 40
MAXIMUM_WIDTH = 5.2  # inches: wider figures have unreadable text on a phone


def subplots(
    rows: int = 1, cols: int = 1, width: float = MAXIMUM_WIDTH, height: float = 3.4, **options: Any
) -> tuple[Figure, Any]:
    """A figure in the book's style, and its axes.

    Args:
        rows: number of rows of axes.
        cols: number of columns of axes.
        width: width of the figure in inches, at most 5.2.
        height: height of the figure in inches.
        options: what else `matplotlib.pyplot.subplots` takes.

    Returns:
        The figure, and one axes or an array of axes, as `matplotlib.pyplot.subplots` gives them.

    Raises:
        ValueError: the figure is too wide for a phone.
    """
    if width > MAXIMUM_WIDTH:
        raise ValueError(f"A figure {width} inches wide does not fit a phone: at most 5.2.")
    # For good and not for this call alone: what is drawn into the figure later takes it, too.
    plt.rcParams.update(STYLE)
    return plt.subplots(rows, cols, figsize=(width, height), **options)


def show(figure: Figure, alt: str) -> None:
    """Show a figure as inline SVG, and close it.

    Args:
        figure: the figure, made by `subplots`.
        alt: what is seen in it, for a reader who can't see it; at least 40 characters.

    Raises:
        ValueError: `alt` says too little.
    """
    if len(alt.strip()) < MINIMUM_ALT:
        raise ValueError(
            f"The alternative text {alt!r} says too little: tell what is seen, in at least "
            f"{MINIMUM_ALT} characters."
        )
    # Both forms in one display: a page takes the HTML, a terminal the text.
    html = f'<figure class="course-figure">{to_svg(figure, alt)}</figure>'
    display({"text/html": html, "text/plain": f"[Figure: {alt}]"}, raw=True)


def to_svg(figure: Figure, alt: str) -> str:
    """The figure as an `<svg>` element that can stand in a page; closes the figure."""
    plt.rcParams.update(STYLE)
    svg, complete = _drawn(figure, "path")
    if not complete:
        svg = re.sub(r" font-family: [^;]*;", " font-family: inherit;", _drawn(figure, "none")[0])
        svg = re.sub(r"<text (?=[^>]*>[^<]*[\u2e80-\u9fff])", '<text lang="zh-Hans" ', svg)
    plt.close(figure)
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor")
    svg = _prefix_ids(svg, f"f{zlib.crc32(alt.encode()):08x}-")
    width = re.search(r'width="([\d.]+)pt"', svg)
    size = (
        f"width:100%;max-width:{float(width.group(1)) * 4 / 3:.0f}px;height:auto" if width else ""
    )
    return svg.replace(
        "<svg", f'<svg role="img" aria-label="{escape(alt, quote=True)}" style="{size}"', 1
    )


def _drawn(figure: Figure, letters: str) -> tuple[str, bool]:
    """The figure as SVG, and whether Matplotlib's font has all of its characters.

    Args:
        figure: the figure.
        letters: "path" draws them as shapes, "none" leaves them as text.
    """
    drawn = io.StringIO()
    with warnings.catch_warnings(record=True) as caught, plt.rc_context({"svg.fonttype": letters}):
        warnings.simplefilter("always")
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    missing = [one for one in caught if MISSING.match(str(one.message))]
    for other in caught:
        if other not in missing:
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    return drawn.getvalue(), not missing


def _prefix_ids(svg: str, prefix: str) -> str:
    """Make the ids of one figure its own: several figures stand in one page."""
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}", svg)
    return re.sub(r'href="#', f'href="#{prefix}', svg)
