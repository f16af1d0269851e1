"""The built book: complete, offline, readable by everyone, and without a single answer in it."""

from __future__ import annotations

import functools
import http.server
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from autograder.bundle import bundle
from autograder.chapters import BOOK, ROOT, Chapter
from autograder.grading.feedback import section_before
from autograder.reference import SOLUTIONS
from autograder.weave.markdown import labels_of
from tests.test_weave import secrets_of, shown_to_students

pytestmark = [pytest.mark.slow, pytest.mark.data]

PHONE, DESKTOP, HEIGHT = 360, 1280, 900

# A page has ten thousand spans of coloured code. Axe takes minutes for all of them, and they look
# alike: of each class in each kind of box one stays, the others become plain text.
ONE_SPAN_OF_EACH_KIND = """() => {
    const seen = new Set();
    for (const span of document.querySelectorAll(".highlight span:not(:has(*))")) {
        const box = span.closest(".cell_output, .cell_input, .highlight");
        const kind = `${span.className} in ${box.className}`;
        if (seen.has(kind)) span.replaceWith(span.textContent);
        seen.add(kind);
    }
}"""

PAGES = [f"book/{file.stem}" for file in sorted(BOOK.glob("*.md"))]


@pytest.fixture(scope="module")
def site() -> Path:
    """The built site; building it is the first claim."""
    done = subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "-n", "--keep-going"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    assert "Executing notebook using" not in done.stdout + done.stderr, "a page was executed twice"
    return ROOT / "_build" / "html"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site, served on this machine."""
    handler = functools.partial(QuietHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass
class Visit:
    """A page that stays open for several tests.

    Args:
        page: the page, as wide as a desktop, in the light.
        asked: the addresses that it asked for.
        missing: those that are not there.
    """

    page: Page
    asked: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@pytest.fixture(scope="module", params=PAGES)
def visit(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Visit]:
    """Each page of the book, loaded once."""
    visit = Visit(new_page(browser))
    visit.page.on("request", lambda request: visit.asked.append(request.url))
    visit.page.on(
        "response", lambda reply: visit.missing.append(reply.url) if reply.status >= 400 else None
    )
    load(visit.page, f"{address}/{request.param}.html")
    yield visit
    visit.page.close()


def opened(browser: Browser, url: str, theme: str) -> Page:
    """A page in light or dark."""
    page = new_page(browser, theme)
    load(page, url)
    return page


def new_page(browser: Browser, theme: str = "light") -> Page:
    """An empty page, as wide as a desktop."""
    return browser.new_page(viewport={"width": DESKTOP, "height": HEIGHT}, color_scheme=theme)


def load(page: Page, url: str) -> None:
    """Load a page to its end, its maths set."""
    page.goto(url, wait_until="networkidle")
    page.wait_for_function("!window.MathJax || MathJax.startup?.promise !== undefined")
    page.evaluate("window.MathJax?.startup?.promise")


def test_every_page_is_built(site: Path) -> None:
    for name in PAGES:
        assert (site / f"{name}.html").exists()


def test_no_file_of_the_site_holds_an_answer_or_a_hidden_check(
    site: Path, chapters: tuple[Chapter, ...]
) -> None:
    # What one chapter shows is no secret of another.
    shown = "\n".join(map(shown_to_students, chapters))
    seeds = "generator = torch.Generator()"  # lines that a page may share with a hidden check
    secrets = [
        secret
        for chapter in chapters
        for secret in secrets_of(chapter)
        if secret not in shown and not secret.startswith(seeds)
    ]
    assert len(secrets) > 100
    files = [f for f in site.rglob("*") if f.suffix in (".html", ".js", ".txt", ".json", ".ipynb")]
    assert len(files) > len(PAGES)
    for file in files:
        if "mathjax" in file.parts:
            continue
        text = file.read_text(encoding="utf-8")
        plain = re.sub(r"<[^>]+>", "", text)
        for form in (text, plain, plain.replace("&quot;", '"').replace("&#39;", "'")):
            assert "HIDDEN TESTS" not in form, file
            assert [secret for secret in secrets if secret in form] == [], file


def test_no_source_lies_in_the_site(site: Path) -> None:
    assert [f for f in site.rglob("*") if f.suffix in (".md", ".py")] == []
    assert not (site / "_sources").exists()


def test_each_chapter_offers_its_bundle(site: Path, chapters: tuple[Chapter, ...]) -> None:
    for chapter in chapters:
        html = (site / "book" / f"{chapter.slug}.html").read_text(encoding="utf-8")
        assert f'href="../downloads/{chapter.slug}.zip"' in html
        assert (site / "downloads" / f"{chapter.slug}.zip").read_bytes() == bundle(chapter)


def test_feedback_leads_to_sections_that_are_there(
    site: Path, chapters: tuple[Chapter, ...]
) -> None:
    for chapter in chapters:
        page = (site / "book" / f"{chapter.slug}.html").read_text(encoding="utf-8")
        for exercise in chapter.exercises:
            heading, anchor = section_before(chapter, exercise.name)
            assert f'id="{anchor}"' in page, (chapter.slug, exercise.name, heading)


def test_pages_number_equations_as_the_notebooks_do(
    site: Path, chapters: tuple[Chapter, ...]
) -> None:
    for chapter in chapters:
        html = (site / "book" / f"{chapter.slug}.html").read_text(encoding="utf-8")
        for label, number in labels_of(chapter).equations.items():
            found = re.search(rf'<span class="eqno">\(([\d.]+)\).{{0,80}}#equation-{label}"', html)
            assert found, label
            assert found.group(1) == number, label


def test_every_figure_says_what_is_seen(site: Path, chapters: tuple[Chapter, ...]) -> None:
    for chapter in chapters:
        html = (site / "book" / f"{chapter.slug}.html").read_text(encoding="utf-8")
        figures = re.findall(r'<figure class="course-figure">\s*<svg[^>]*>', html)
        assert len(figures) >= 2
        labels = [re.search(r'aria-label="([^"]{40,})"', figure) for figure in figures]
        assert all(labels)
        assert len({label.group(1) for label in labels if label}) == len(figures)


def test_a_change_of_the_reference_reads_its_page_again(
    site: Path, chapters: tuple[Chapter, ...]
) -> None:
    environments = list((ROOT / "_build").rglob("environment.pickle"))
    assert environments
    with environments[0].open("rb") as file:
        environment = pickle.load(file)
    for chapter in chapters:
        paths = map(str, environment.dependencies[f"book/{chapter.slug}"])
        known = {(ROOT / path).resolve() for path in paths}
        assert SOLUTIONS / f"{chapter.module}.py" in known


@pytest.mark.browser
def test_a_page_asks_no_other_host_for_anything(visit: Visit, address: str) -> None:
    own = (address, "data:", "blob:")
    assert [url for url in visit.asked if not url.startswith(own)] == []
    assert [url for url in visit.missing if not url.endswith("favicon.ico")] == []
    if visit.page.locator(".math").count():
        assert visit.page.locator("mjx-container").count() > 0, "the maths is not set"


@pytest.mark.browser
def test_nothing_is_wider_than_a_phone(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": PHONE, "height": HEIGHT})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE
    visit.page.set_viewport_size({"width": DESKTOP, "height": HEIGHT})


@pytest.mark.browser
def test_a_screen_reader_finds_its_way(visit: Visit) -> None:
    assert what_axe_says(visit.page) == []


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_a_screen_reader_finds_its_way_in_the_dark(
    browser: Browser, address: str, name: str
) -> None:
    page = opened(browser, f"{address}/{name}.html", "dark")
    assert what_axe_says(page) == []
    page.close()


def what_axe_says(page: Page) -> list[str]:
    """What is wrong with a page, which it changes."""
    page.evaluate(ONE_SPAN_OF_EACH_KIND)
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"][:3]
    ]


@pytest.mark.browser
def test_figures_take_the_colour_of_the_text(browser: Browser, address: str) -> None:
    url = f"{address}/{PAGES[0]}.html"
    inks = {}
    for theme in ("light", "dark"):
        page = opened(browser, url, theme)
        inks[theme] = page.evaluate(
            "getComputedStyle(document.querySelector('figure.course-figure svg')).color"
        )
        html = page.locator("figure.course-figure svg").first.inner_html()
        assert "#000000" not in html
        page.close()
    assert inks["light"] != inks["dark"]
