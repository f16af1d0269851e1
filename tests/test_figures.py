"""Figures in scripts that Matplotlib's own font does not have."""

from __future__ import annotations

import re
import warnings

import pytest

from autograder.notebook import figures

ALT = "Two ticks, the first one a two and the second one the Chinese character for year."


def drawn(*labels: str) -> str:
    """The SVG of a figure whose ticks have these labels."""
    figure, axes = figures.subplots(height=1.5)
    axes.set_xticks(range(len(labels)), labels=labels)
    return figures.to_svg(figure, ALT)


def test_letters_that_the_font_has_are_drawn_as_shapes() -> None:
    assert "<text" not in drawn("2", "year")


def test_chinese_stays_text_in_the_font_of_the_page() -> None:
    svg = drawn("2", "年")
    assert re.search(r'<text lang="zh-Hans"[^>]*font-family: inherit[^>]*>年</text>', svg)
    assert re.search(r"<text style[^>]*>2</text>", svg)
    assert "DejaVu" not in svg
    assert figures.INK not in svg


def test_a_missing_letter_is_no_warning_and_another_warning_stays() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn("年")
    figure, _ = figures.subplots(height=1.5)
    figure.savefig = lambda *args, **options: warnings.warn("of another kind", stacklevel=1)
    with pytest.warns(UserWarning, match="of another kind"), pytest.raises(ValueError):
        figures.to_svg(figure, ALT)  # nothing was drawn
