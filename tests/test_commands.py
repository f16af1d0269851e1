"""Bad input to any command: one sentence, an exit code that is not zero, and nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from autograder.chapters import ROOT, Chapter
from autograder.commands import run
from autograder.grading.course import CONFIG_FILE, Course
from autograder.weave.notebook import instructor_notebook, student_notebook

BAD_INPUT = 2

Command = Callable[..., "Done"]


@dataclass
class Done:
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command of `python -m autograder` in this process."""
    monkeypatch.setenv("COLUMNS", "200")

    def run_it(*words: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["autograder", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            run()
            sys.exit(0)
        code = stopped.value.code
        return Done(code if isinstance(code, int) else int(bool(code)), *capsys.readouterr())

    return run_it


def in_a_process(*words: str, cwd: Path, **environment: str) -> Done:
    """Run a command as its users do."""
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200", **environment},
    )
    return Done(done.returncode, done.stdout, done.stderr)


def assert_one_sentence(done: Done, *parts: str) -> None:
    assert done.returncode == BAD_INPUT, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for part in parts:
        assert part in done.stderr


@pytest.mark.parametrize("name", ["grade", "feedback", "export", "sample"])
def test_a_missing_course_folder(command: Command, name: str, tmp_path: Path) -> None:
    assert_one_sentence(command(name, "--course", tmp_path / "none"), "There is no course folder")


@pytest.mark.parametrize("name", ["grade", "feedback", "export", "sample"])
def test_a_folder_that_is_no_course(command: Command, name: str, tmp_path: Path) -> None:
    assert_one_sentence(command(name, "--course", tmp_path), "is no course folder")
    assert list(tmp_path.iterdir()) == []


def test_nobody_has_handed_in(command: Command, released: Path, chapter: Chapter) -> None:
    assert_one_sentence(command("grade", "--course", released), "Nobody has handed in")
    assert_one_sentence(command("feedback", "--course", released), "run `grade` first")
    done = command("grade", chapter.slug, "--student", "zoe", "--course", released)
    assert_one_sentence(done, "zoe has handed in nothing")


@pytest.mark.parametrize("words", [("release",), ("grade",), ("feedback",)])
def test_a_chapter_that_the_course_does_not_have(
    command: Command, words: tuple[str], released: Path
) -> None:
    done = command(*words, "99-nothing", "--course", released)
    assert_one_sentence(done, "no chapter '99-nothing'", "01-one-hot")


def test_an_exporter_that_does_not_exist(command: Command, released: Path) -> None:
    for name in ("excel", "os.path", "nowhere.at.All"):
        assert_one_sentence(command("export", "--exporter", name, "--course", released), name)


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self").exists(), reason="needs /proc")
def test_a_target_that_can_t_be_written(command: Command, released: Path, chapter: Chapter) -> None:
    # Not even root may write below /proc.
    done = command("release", "--course", "/proc/self/course")
    assert done.returncode == BAD_INPUT
    assert "Traceback" not in done.stderr
    for words in (("weave", "/proc/self/x"), ("bundle", "/proc/self/x", "--chapter", chapter.slug)):
        assert command(*words).returncode == BAD_INPUT
    assert command("export", "--to", "/proc/x.csv", "--course", released).returncode == BAD_INPUT


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"cells": 3}'])
def test_validating_a_file_that_is_no_notebook(command: Command, text: str, tmp_path: Path) -> None:
    file = tmp_path / "x.ipynb"
    file.write_text(text)
    assert_one_sentence(command("validate", file), "x.ipynb is not a notebook")


def test_validating_nothing_a_folder_and_a_notebook_of_another_course(
    command: Command, tmp_path: Path
) -> None:
    assert_one_sentence(command("validate", tmp_path / "none.ipynb"), "There is no file")
    assert_one_sentence(command("validate", tmp_path), "is a folder")
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    file = tmp_path / "other.ipynb"
    file.write_text(nbformat.writes(other))
    assert_one_sentence(command("validate", file), "is not a notebook of this course")


def test_an_unknown_command_shows_how_to_ask(command: Command) -> None:
    done = command("nonsense")
    assert done.returncode == BAD_INPUT
    assert "No such command" in done.stderr


def test_a_broken_configuration_file_is_named(
    command: Command, released: Path, tmp_path: Path
) -> None:
    course = Course(shutil.copytree(released, tmp_path / "course"))
    (course.root / CONFIG_FILE).write_text("this is no Python")
    (course.folder("submitted", "zoe", "01-one-hot")).mkdir(parents=True)
    done = command("grade", "--course", course.root)
    assert_one_sentence(done, CONFIG_FILE, "can't be loaded")


def test_weave_and_bundle_write_what_they_say(
    command: Command, tmp_path: Path, chapter: Chapter
) -> None:
    assert command("weave", tmp_path / "s", "--chapter", "1").returncode == 0
    assert command("weave", tmp_path / "i", "--chapter", "1", "--answers").returncode == 0
    for folder, expected in (("s", student_notebook(chapter)), ("i", instructor_notebook(chapter))):
        text = (tmp_path / folder / f"{chapter.slug}.ipynb").read_text(encoding="utf-8")
        assert nbformat.reads(text, as_version=4).cells == expected.cells
    assert command("bundle", tmp_path / "b", "--chapter", "1").returncode == 0
    assert [file.name for file in (tmp_path / "b").iterdir()] == [f"{chapter.slug}.zip"]


def test_doctor_tells_what_is_there_and_what_is_missing(command: Command, tmp_path: Path) -> None:
    done = command("doctor")
    for part in ("torch", "nbgrader", "alembic", "data wheels", "Python"):
        assert part in done.stdout
    without = in_a_process("doctor", cwd=ROOT, COURSE_DATA=str(tmp_path))
    assert without.returncode == 1
    assert "make data" in without.stdout
