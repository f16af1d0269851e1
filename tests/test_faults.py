"""Whatever stops the grading: the next run goes on, counts nothing twice, and loses nothing."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.chapters import ROOT, Chapter
from autograder.errors import CourseError
from autograder.grading import grade as grade_module
from autograder.grading.course import Course, Running
from autograder.grading.grade import grade
from autograder.grading.preprocessors import VERDICTS
from autograder.grading.record import TABLE
from autograder.grading.release import release
from autograder.grading.verdict import Verdicts
from autograder.sample_class import write_sample_class
from tests.test_box import descendants, is_alive
from tests.test_record import rows

pytestmark = pytest.mark.slow

HOW = Running(20, isolation="process", workers=1)
STUDENTS = ("ada-all-right", "cleo-stubs-only", "dan-half-done")
DUE = (20.0, 0.0, 9.0)


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory, chapter: Chapter) -> Path:
    """A class that has handed in and is not graded; not to be changed."""
    course = Course(tmp_path_factory.mktemp("faults") / "course")
    release(course, [chapter])
    write_sample_class(course)
    for folder in course.folder("submitted").iterdir():
        if folder.name not in STUDENTS:
            shutil.rmtree(folder)
    return course.root


@pytest.fixture(scope="module")
def graded(handed_in: Path, chapter: Chapter) -> Course:
    """The same class, graded without any fault; not to be changed."""
    course = Course(shutil.copytree(handed_in, handed_in.parent / "graded"))
    assert_all_is_well(course, chapter)
    return course


@pytest.fixture
def course(handed_in: Path, graded: Course, tmp_path: Path) -> Course:
    """The class with its verdicts, which are not in the gradebook yet."""
    course = Course(shutil.copytree(handed_in, tmp_path / "course"))
    shutil.copytree(graded.root / VERDICTS, course.root / VERDICTS)
    return course


def assert_all_is_well(course: Course, chapter: Chapter, known: Course | None = None) -> None:
    """Grade, and hold what comes against what is due, and the gradebook against another."""
    marks = grade(course, chapter.slug, how=HOW)
    assert [mark.failure for mark in marks] == [""] * len(STUDENTS)
    assert tuple(mark.earned for mark in marks) == DUE
    if known is not None:
        assert rows(course) == rows(known)
    with sqlite3.connect(course.gradebook_file) as connection:
        [[recorded]] = connection.execute(f"SELECT count(*) FROM {TABLE}")
    assert recorded == len(STUDENTS)
    left = [file for file in course.root.rglob(".half*")]
    assert left == []


KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
import autograder.grading.record as record
from autograder.grading.course import Course, Running
from autograder.grading.grade import grade

place, turn, calls = sys.argv[1], int(sys.argv[2]), 0
owner, name = {
    "files": (record.Path, "rename"),
    "commit": (record.Recorder, "_note"),
}[place]
usual = getattr(owner, name)

def dies(*inputs, **options):
    global calls
    calls += 1
    if calls == turn:
        os.kill(os.getpid(), signal.SIGKILL)
    return usual(*inputs, **options)

setattr(owner, name, dies)
if __name__ == "__main__":
    grade(Course(Path(sys.argv[3])), sys.argv[4], how=Running(20, isolation="process", workers=1))
"""


@pytest.mark.parametrize(("place", "turn"), [("files", 1), ("commit", 2)])
def test_a_grader_that_is_killed_while_it_records_counts_nothing_twice_and_loses_nothing(
    place: str, turn: int, course: Course, graded: Course, chapter: Chapter
) -> None:
    command = [sys.executable, "-c", KILLED, place, str(turn), str(course.root), chapter.slug]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    assert_all_is_well(course, chapter, graded)


WORKS = """
import time
from autograder.grading.verify import _workers
if __name__ == "__main__":
    executor = _workers.executor(1)
    executor.submit(time.sleep, 0).result()
    print("ready", flush=True)
    executor.submit(time.sleep, 600).result()
"""


def test_no_worker_survives_a_grader_that_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "works.py"
    program.write_text(WORKS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(program)]
    grader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert grader.stdout is not None and grader.stdout.readline() == "ready\n"
    family = descendants(grader.pid)
    assert family
    grader.kill()
    grader.wait()
    end = time.monotonic() + 20
    while any(map(is_alive, family)) and time.monotonic() < end:
        time.sleep(0.1)
    assert [process for process in family if is_alive(process)] == []


def while_it_runs(do: Callable[[], bool]) -> threading.Thread:
    """Try something again and again in the background, until it is done."""

    def again() -> None:
        end = time.monotonic() + 60
        while not do() and time.monotonic() < end:
            time.sleep(0.01)

    thread = threading.Thread(target=again)
    thread.start()
    return thread


def kill_one(word: str, killed: list[int], which: int = 0) -> bool:
    """Kill the process among ours whose command line holds a word, if there is one."""
    found = []
    for process in descendants(os.getpid()):
        try:
            line = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if word in line:
            found.append(process)
    if len(found) <= which:
        return False
    killed.append(sorted(found)[which])
    os.kill(killed[-1], signal.SIGKILL)
    return True


@pytest.mark.parametrize(
    ("word", "which"),
    [("spawn_main", 0), ("box.fork_server", 4)],
    ids=["worker", "box"],
)
def test_a_worker_or_a_box_that_is_killed_costs_nobody_a_point(
    word: str, which: int, handed_in: Path, graded: Course, chapter: Chapter, tmp_path: Path
) -> None:
    course = Course(shutil.copytree(handed_in, tmp_path / "course"))
    killed: list[int] = []
    thread = while_it_runs(lambda: kill_one(word, killed, which))
    assert_all_is_well(course, chapter, graded)
    thread.join()
    assert len(killed) == 1


def test_a_verdict_that_was_half_written_is_made_again(
    course: Course, graded: Course, chapter: Chapter
) -> None:
    for file in (course.root / VERDICTS).iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert_all_is_well(course, chapter, graded)


def test_a_full_disk_is_told_and_the_next_run_goes_on(
    course: Course, graded: Course, chapter: Chapter
) -> None:
    """Files may not grow here: writing fails as on a full disk, of every process alike."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for most in (60_000, 0):
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, usual[1]))
            marks = grade(course, chapter.slug, how=HOW)
            assert all(mark.failure for mark in marks)
    except CourseError as error:
        assert "gradebook can't be written" in str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        signal.signal(signal.SIGXFSZ, before)
    assert_all_is_well(course, chapter, graded)


ON_A_SMALL_DISK = """
import os, shutil, subprocess, sys
from pathlib import Path

disk, given, kept, chapter = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
course, ballast = Path(disk, "course"), Path(disk, "ballast")
shutil.copytree(given, course)
grade = [sys.executable, "-m", "autograder", "grade", chapter, "--course", str(course)]
grade += ["--require-isolation", "process", "--workers", "1"]
for kilobytes in (0, 60, 250):
    ballast.unlink(missing_ok=True)
    with ballast.open("wb", buffering=0) as file:
        left = os.statvfs(disk)
        size = left.f_bavail * left.f_frsize - kilobytes * 1024
        file.write(bytes(size))
    done = subprocess.run(grade, capture_output=True, text=True)
    said = " ".join((done.stdout + done.stderr).split())
    print(kilobytes, done.returncode, "Traceback" in said, said[-600:], sep="|", flush=True)
ballast.unlink()
shutil.copytree(course, kept)
"""


def test_a_disk_that_is_really_full_is_told_and_the_next_run_goes_on(
    handed_in: Path, graded: Course, chapter: Chapter, tmp_path: Path
) -> None:
    """A small file system of its own, full to the last block, or with room for half of it all."""
    (tmp_path / "disk").mkdir()
    program = tmp_path / "program.py"
    program.write_text(ON_A_SMALL_DISK)
    alone = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*alone, "true"], check=False).returncode != 0:
        pytest.skip("no file system can be mounted here: unprivileged namespaces are not allowed")
    places = [tmp_path / "disk", handed_in, tmp_path / "kept", chapter.slug]
    done = subprocess.run(
        [*alone, sys.executable, program, *map(str, places)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    runs = [line.split("|") for line in done.stdout.splitlines()]
    assert len(runs) == 3 and runs[0][1] != "0"
    for _, code, has_traceback, said in runs:
        assert has_traceback == "False", said
        assert code == "0" or "No space left" in said or "can't be written" in said, said
    assert_all_is_well(Course(tmp_path / "kept"), chapter, graded)


def test_a_locked_gradebook_is_told_and_the_next_run_goes_on(
    course: Course, graded: Course, chapter: Chapter
) -> None:
    for lock in ("BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"):
        connection = sqlite3.connect(course.gradebook_file, isolation_level=None)
        connection.execute(lock)
        with pytest.raises(CourseError, match="locked"):
            grade(course, chapter.slug, how=HOW)
        connection.execute("ROLLBACK")
        connection.close()
    assert_all_is_well(course, chapter, graded)


def test_a_gradebook_that_is_lost_or_older_gets_all_marks_again_and_nothing_is_run(
    graded: Course, handed_in: Path, chapter: Chapter, tmp_path: Path, monkeypatch: Any
) -> None:
    course = Course(shutil.copytree(graded.root, tmp_path / "course"))

    def nothing_to_run(waiting: dict[str, Path], *_: object) -> dict[str, str]:
        assert waiting == {}
        return {}

    monkeypatch.setattr(grade_module, "verify_all", nothing_to_run)
    shutil.copyfile(handed_in / "gradebook.db", course.gradebook_file)  # a backup
    assert_all_is_well(course, chapter, graded)
    course.gradebook_file.unlink()
    with pytest.raises(CourseError, match="run `release`"):
        grade(course, chapter.slug, how=HOW)
    release(course, [chapter])
    assert_all_is_well(course, chapter, graded)


def test_a_clock_that_jumps_changes_nothing(
    graded: Course, chapter: Chapter, tmp_path: Path, monkeypatch: Any
) -> None:
    course = Course(shutil.copytree(graded.root, tmp_path / "course"))
    now = iter(range(2_000_000_000, 0, -1_000))  # each look at the clock is earlier than the last
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    for number, file in enumerate(sorted(course.root.rglob("*"))):
        when = 4_000_000_000 if number % 2 else 1
        os.utime(file, (when, when))
    assert [mark.again for mark in grade(course, chapter.slug, how=HOW)] == [False] * 3
    changed = course.folder("submitted", "cleo-stubs-only", chapter.slug) / f"{chapter.slug}.ipynb"
    better = course.folder("submitted", "ada-all-right", chapter.slug) / changed.name
    shutil.copyfile(better, changed)
    os.utime(changed, (1, 1))
    marks = grade(course, chapter.slug, how=HOW)
    assert [(mark.again, mark.earned) for mark in marks] == [
        (False, 20.0),
        (True, 20.0),
        (False, 9.0),
    ]


def test_a_run_leaves_no_verdict_half_written(tmp_path: Path, monkeypatch: Any) -> None:
    verdicts = Verdicts(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    from autograder.grading.verdict import Verdict

    with pytest.raises(OSError):
        verdicts.write(Verdict("a", "sandbox", 1.0, []))
    assert list(tmp_path.iterdir()) == []
