"""How well a box can be closed on this machine: levels, probed and not guessed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from autograder.box.confine import NOBODY, PRIVATE_FOLDER
from autograder.errors import CourseError

CONTAINER_MARK = "GRADING_CONTAINER"  # the environment variable that docs/Containerfile sets


class Level(IntEnum):
    """How far a submission is kept from everything else; the higher, the better.

    `NONE`: nothing can be run here. `PROCESS`: a process with limits and few system calls, which
    can read the files of whoever grades. `CONTAINER`: the same, in a container that holds only the
    course and the submissions. `SANDBOX`: bubblewrap and namespaces; the box sees the interpreter,
    the libraries and the chapter's data, and nothing else.
    """

    NONE = 0
    PROCESS = 1
    CONTAINER = 2
    SANDBOX = 3

    @classmethod
    def named(cls, name: str) -> Level:
        """The level of that name.

        Raises:
            CourseError: there is none.
        """
        for level in cls:
            if level.name.lower() == name.lower() and level is not cls.NONE:
                return level
        known = ", ".join(level.name.lower() for level in cls if level is not cls.NONE)
        raise CourseError(f"There is no level of isolation {name!r}; there are {known}.")


@dataclass(frozen=True)
class Isolation:
    """What this machine can do.

    Args:
        level: the best that it can do.
        reason: why it is not better, and what to do; empty at the best level.
    """

    level: Level
    reason: str = ""

    def require(self, least: Level) -> None:
        """Make sure that boxes are closed at least that well.

        Raises:
            CourseError: they aren't; says why, and what to do.
        """
        if self.level < least:
            raise CourseError(
                f"Submissions can't be graded here: the isolation is "
                f"{self.level.name.lower()!r}, and at least {least.name.lower()!r} is asked for. "
                f"{self.reason}"
            )


@cache
def probe() -> Isolation:
    """Find out how well a box can be closed here, by closing one."""
    if sys.platform != "linux":
        return Isolation(
            Level.NONE,
            "Boxes need Linux: grade in the container of docs/Containerfile, or in WSL 2.",
        )
    if find_spec("pyseccomp") is None or not _has_library():
        return Isolation(
            Level.NONE,
            "Python's pyseccomp or the system's library libseccomp is missing: install "
            "requirements.txt, and the package libseccomp2 (libseccomp on Fedora).",
        )
    lesser = Level.CONTAINER if os.environ.get(CONTAINER_MARK) else Level.PROCESS
    program = shutil.which("bwrap")
    if program is None:
        return Isolation(lesser, "The program bwrap is missing: install the package bubblewrap.")
    done = subprocess.run(
        [*sandbox(()), "--", "/usr/bin/true"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        return Isolation(
            lesser,
            f"bubblewrap can't make a sandbox here ({done.stderr.strip()[:200]}): unprivileged "
            "user namespaces have to be allowed.",
        )
    return Isolation(Level.SANDBOX)


def sandbox(
    readable: Sequence[Path],
    links: Sequence[tuple[Path, Path]] = (),
    hidden: Sequence[Path] = (),
) -> list[str]:
    """The command line of bubblewrap, up to the program to run.

    Args:
        readable: files and folders that are there inside, at the same place, and can't be changed.
        links: pairs of what is there, and where it is to be seen.
        hidden: folders that are empty inside, though a readable one holds them. Of two folders the
            deeper one is what counts, readable or hidden.
    """
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    nobody = str(NOBODY)  # root, too, is nobody in there
    command += ["--uid", nobody, "--gid", nobody, "--cap-drop", "ALL"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", str(PRIVATE_FOLDER)]
    command += ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib64"):
        folder = Path(name)
        if folder.is_symlink():
            command += ["--symlink", str(folder.readlink()), name]
        elif folder.exists():
            command += ["--ro-bind", name, name]
    cache_of_libraries = "/etc/ld.so.cache"
    if Path(cache_of_libraries).exists():
        command += ["--ro-bind", cache_of_libraries, cache_of_libraries]
    for path in sorted({*readable, *hidden}, key=lambda path: len(path.parts)):
        if path in hidden:
            command += ["--tmpfs", str(path), "--remount-ro", str(path)]
        else:
            command += ["--ro-bind", str(path), str(path)]
    for source, target in links:
        command += ["--ro-bind", str(source), str(target)]
    seen = [*readable, *(target for _, target in links)]
    if not any(path.is_relative_to("/tmp") for path in seen):  # a course may well lie there
        command += ["--symlink", str(PRIVATE_FOLDER), "/tmp"]
    return [*command, "--remount-ro", "/", "--remount-ro", "/dev"]


def _has_library() -> bool:
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, RuntimeError, OSError):
        return False
    return True
