"""From the MyST Markdown of a page to the plain Markdown that any notebook program shows.

A chapter may use a small part of MyST; what this module does not know is refused, so that no
notebook shows raw markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NoReturn

from pybtex.backends.plaintext import Backend as PlainText
from pybtex.database import BibliographyData, Person, parse_file
from pybtex.richtext import Text
from pybtex.style.formatting.plain import Style

from autograder.chapters import BOOK, Chapter, SourceError, line_of

ADMONITIONS = {"note": "Note", "tip": "Tip", "warning": "Warning", "important": "Important"}

LABEL = re.compile(r"^\(([\w-]+)\)=\s*$")
HEADING = re.compile(r"^#+ (.+)$")
DIRECTIVE = re.compile(r"^(:{3,})\{([\w-]+)\}\s*(.*)$")
FENCE = re.compile(r"^(`{3,}|~{3,})(.*)$")
EQUATION_END = re.compile(r"^(.*)\$\$\s*\(([\w-]+)\)\s*$")
ROLE = re.compile(r"\{([\w:]+)\}`([^`]+)`")
BROKEN_ROLE = re.compile(r"\{[\w:]+\}`[^`]*$")
WITH_TARGET = re.compile(r"^(.*?)\s*<([^>]+)>$")
PAGE_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:)[^)]*\)")


@dataclass
class Labels:
    """What a chapter's labels stand for.

    Args:
        equations: the number of each labelled equation, such as "1.2".
        sections: the heading that follows each target.
    """

    equations: dict[str, str] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)


def labels_of(chapter: Chapter) -> Labels:
    """The labelled equations and sections of a chapter, numbered as the page numbers them."""
    labels = Labels()
    for cell in chapter.notebook.cells:
        if cell.cell_type != "markdown":
            continue
        waiting: list[str] = []
        for line in cell.source.splitlines():
            if end := EQUATION_END.match(line):
                labels.equations[end.group(2)] = f"{chapter.number}.{len(labels.equations) + 1}"
            elif target := LABEL.match(line):
                waiting.append(target.group(1))
            elif heading := HEADING.match(line):
                labels.sections.update(dict.fromkeys(waiting, heading.group(1)))
                waiting = []
    return labels


def plain_markdown(source: str, chapter: Chapter, cell: int, labels: Labels | None = None) -> str:
    """A markdown cell of a chapter as plain Markdown.

    Args:
        source: the cell's text.
        chapter: the chapter.
        cell: index of the cell, for messages.
        labels: what the chapter's labels stand for, where they are known already.

    Raises:
        SourceError: the cell uses MyST that a notebook can't show.
    """
    return _Converter(chapter, cell, labels or labels_of(chapter)).convert(source)


class _Converter:
    def __init__(self, chapter: Chapter, cell: int, labels: Labels) -> None:
        self.chapter, self.labels = chapter, labels
        self.first_line = line_of(chapter.notebook, cell)
        self.line = self.first_line

    def convert(self, source: str) -> str:
        return "\n".join(self._block(source.splitlines(), self.first_line)).strip()

    def _block(self, lines: list[str], first_line: int) -> list[str]:
        result: list[str] = []
        at = 0
        while at < len(lines):
            line = lines[at]
            self.line = first_line + at
            if fence := FENCE.match(line):
                end = self._closing(
                    lines, at, rf"^{fence.group(1)[0]}{{{len(fence.group(1))},}}\s*$"
                )
                if fence.group(2).startswith("{"):
                    self._refuse(f"The directive {fence.group(2)} can't be shown in a notebook")
                result += lines[at : end + 1]
                at = end + 1
            elif directive := DIRECTIVE.match(line):
                end = self._closing(lines, at, rf"^{directive.group(1)}\s*$")
                inner = self._block(lines[at + 1 : end], first_line + at + 1)
                self.line = first_line + at
                result += self._directive(directive.group(2), directive.group(3), inner)
                at = end + 1
            else:
                if not LABEL.match(line):
                    result.append(self._text(line))
                at += 1
        return result

    def _closing(self, lines: list[str], start: int, pattern: str) -> int:
        for at in range(start + 1, len(lines)):
            if re.match(pattern, lines[at]):
                return at
        return self._refuse(f"`{lines[start]}` is never closed")

    def _directive(self, name: str, title: str, inner: list[str]) -> list[str]:
        if name == "dropdown":
            summary = f"<details><summary>{title or 'More'}</summary>"
            return ["", summary, "", *inner, "", "</details>", ""]
        if name in ADMONITIONS or name == "admonition":
            heading = title if name == "admonition" else ADMONITIONS[name]
            quoted = [f"> **{heading}**", ">", *(f"> {line}".rstrip() for line in inner)]
            return ["", *quoted, ""]
        return self._refuse(f"The directive {{{name}}} can't be shown in a notebook")

    def _text(self, line: str) -> str:
        if end := EQUATION_END.match(line):
            number = self.labels.equations[end.group(2)]
            return f"{end.group(1)}\\tag{{{number}}}$$"
        plain = ROLE.sub(self._role, line)
        if left := BROKEN_ROLE.search(plain):
            self._refuse(f"A role must stand on one line, and {left.group(0)} goes on in the next")
        return PAGE_LINK.sub(r"\1", plain)

    def _role(self, match: re.Match[str]) -> str:
        name, text = match.groups()
        with_target = WITH_TARGET.match(text)
        shown, target = with_target.groups() if with_target else ("", text)
        roles: dict[str, Callable[[], str]] = {
            "term": lambda: f"*{shown or target}*",
            "eq": lambda: f"({self._known(self.labels.equations, target, 'equation')})",
            "ref": lambda: shown or self._known(self.labels.sections, target, "section"),
            "doc": lambda: shown or f"*{self._title(target)}*",
            "cite:p": lambda: f"[{self._citation(target)}]",
            "cite:t": lambda: self._citation(target),
        }
        roles["numref"] = roles["ref"]
        if name not in roles:
            self._refuse(f"The role {{{name}}} can't be shown in a notebook")
        return roles[name]()

    def _known(self, names: dict[str, str], name: str, kind: str) -> str:
        if name not in names:
            self._refuse(f"There is no {kind} with the label {name!r} in this chapter")
        return names[name]

    def _title(self, target: str) -> str:
        file = BOOK / f"{Path(target).name.removesuffix('.md')}.md"
        heading = None
        if file.exists():
            heading = re.search(r"^# (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        if heading is None:
            self._refuse(f"There is no page {target!r} in the book")
        return heading.group(1)

    def _citation(self, keys: str) -> str:
        known = _citations()
        for key in (key.strip() for key in keys.split(",")):
            if key not in known:
                self._refuse(f"references.bib has no entry {key!r}")
        return "; ".join(known[key.strip()] for key in keys.split(","))

    def _refuse(self, sentence: str) -> NoReturn:
        raise SourceError(self.chapter.file, self.line, f"{sentence}.")


def references(chapter: Chapter) -> str:
    """The works that a chapter cites, as a section of Markdown; empty where it cites none."""
    cells = [cell.source for cell in chapter.notebook.cells if cell.cell_type == "markdown"]
    roles = [match for source in cells for match in ROLE.findall(source)]
    cited = {
        key.strip() for name, keys in roles if name.startswith("cite:") for key in keys.split(",")
    }
    entries = _bibliography().entries
    works = Style(abbreviate_names=True).format_entries(entries[key] for key in sorted(cited))
    lines = [f"- {work.text.render(PlainText())}" for work in works]
    return "## References\n\n" + "\n".join(lines) if lines else ""


@cache
def _bibliography() -> BibliographyData:
    return parse_file(BOOK / "references.bib")


@cache
def _citations() -> dict[str, str]:
    """Each key of the bibliography as author and year: "Mikolov et al. 2013"."""
    result = {}
    for key, entry in _bibliography().entries.items():
        people: list[Person] = entry.persons.get("author") or entry.persons.get("editor") or []
        names = [_last_name(person) for person in people]
        who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        result[key] = f"{who} {entry.fields.get('year', '')}".strip()
    return result


def _last_name(person: Person) -> str:
    """A person's last name, its TeX accents as the letters that they mean."""
    return str(Text.from_latex(" ".join(person.prelast_names + person.last_names)))
