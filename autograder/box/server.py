"""The grader's side of the boxes: it starts the warm process, and asks it for boxes."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from autograder.box import channel
from autograder.box.confine import PRIVATE_FOLDER, BoxLimits
from autograder.box.isolation import Isolation, Level, probe, sandbox
from autograder.chapters import ROOT
from autograder.errors import CourseError
from autograder.notebook.data import folder as data_folder

COURSE = Path("/course")  # where the sandbox has the part of the course that students have
# Nothing of this knows an answer: it is what a student's bundle holds, and the box's own inside.
SHOWN = (
    *("__init__.py", "errors.py", "text.py", "notebook"),
    *("box/__init__.py", "box/channel.py", "box/confine.py", "box/fork_server.py", "box/inside.py"),
)
START_SECONDS = 120.0
# Where the C library reads whether there are huge pages, and how large they are.
HUGE_PAGES = tuple(
    Path("/sys/kernel/mm/transparent_hugepage") / name for name in ("enabled", "hpage_pmd_size")
)
DIED = (
    "The process died: it may have used too much memory or too many threads, or ended Python "
    "itself."
)


class BoxLost(Exception):
    """A box is gone, and with it all that its names held. The text says why."""


class BoxKilled(BoxLost):
    """Somebody killed the box, maybe from outside: what it was asked may be asked again, once."""


class DeadlineMissed(BoxLost):
    """The box did not reply in time, and was ended."""


class ForkServer:
    """A warm process in a sandbox, from which boxes are forked.

    Args:
        set_up: the source of the chapter's set-up cell; what it imports is imported once for all.
        data_wheels: the wheels whose data the chapter reads, as they are named in
            requirements-data.txt.
        limits: what each box may use.
        isolation: how well boxes can be closed; probed where it is None.

    Raises:
        CourseError: no box can be made here.
    """

    def __init__(
        self,
        set_up: str = "",
        data_wheels: Sequence[str] = (),
        limits: BoxLimits | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        self.isolation = isolation or probe()
        self.isolation.require(Level.PROCESS)
        self.limits = limits or BoxLimits()
        self._set_up, self._data_wheels = set_up, data_wheels
        self._start()

    def _start(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = [sys.executable, "-m", "autograder.box.fork_server", str(theirs.fileno())]
        private = str(PRIVATE_FOLDER) if self.is_sandbox else tempfile.gettempdir()
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": private,
            "TMPDIR": private,
            "IPYTHONDIR": f"{private}/.ipython",
            "MPLCONFIGDIR": f"{private}/.matplotlib",
            "OMP_NUM_THREADS": "1",
            # In huge pages, where the system has them: a fork copies 100 entries, and not 50,000.
            "PYTHONMALLOC": "malloc",
            "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(COURSE if self.is_sandbox else _copy_of_shown()),
            "COURSE_DATA": str(COURSE / "data" if self.is_sandbox else data_folder()),
        }
        if self.is_sandbox:
            program = [*_sandbox(self._data_wheels, environment), "--", *program]
        with tempfile.TemporaryFile() as errors:
            self._process = subprocess.Popen(
                program,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=environment,
                cwd="/",
            )
            theirs.close()
            self._control.settimeout(START_SECONDS)
            ready = b""
            with contextlib.suppress(OSError):
                self._control.send(json.dumps({"set_up": self._set_up}).encode())
                ready = self._control.recv(1 << 16)
            if not ready:
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip()[-300:]
                self.close()
                raise CourseError(f"No box can be made here: {said or 'it did not start in time'}.")

    @property
    def is_sandbox(self) -> bool:
        """True where boxes are closed by bubblewrap and namespaces."""
        return self.isolation.level is Level.SANDBOX

    @property
    def process(self) -> int:
        """The number of the warm process, or of its sandbox."""
        return self._process.pid

    def open_box(self) -> Box:
        """A fresh box; of a fresh warm process where the first can make none.

        Raises:
            CourseError: the box can't be closed.
        """
        try:
            return Box(self._ask, self.limits)
        except CourseError:  # what ended the warm process must not cost the next submission
            self.close()
            self._start()
            return Box(self._ask, self.limits)

    def close(self) -> None:
        """End the warm process, and every box with it."""
        self._control.close()
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, descriptors: list[int]) -> None:
        order = {"limits": self.limits.as_json(), "confined": self.is_sandbox}
        try:
            socket.send_fds(self._control, [json.dumps(order).encode()], descriptors)
        except OSError as error:
            raise CourseError(f"The process that makes boxes is gone ({error}).") from error


class Box:
    """One confined process with the names of one notebook. After a `BoxLost` it is of no use.

    Args:
        ask: hands descriptors of channel and lifeline to the warm process.
        limits: what the box may use.
    """

    def __init__(self, ask: Callable[[list[int]], None], limits: BoxLimits) -> None:
        self._unread = bytearray()
        self._channel, channel_there = socket.socketpair()
        self._lifeline, lifeline_there = socket.socketpair()
        try:
            ask([channel_there.fileno(), lifeline_there.fileno()])
        finally:
            channel_there.close()
            lifeline_there.close()
        try:
            message, _ = self._receive(time.monotonic() + START_SECONDS, None)
        except (BoxLost, channel.ProtocolError) as error:
            raise CourseError(f"A box could not be closed: {self.end() or error}.") from error
        if message.get("id") != "ready":
            self.end()
            raise CourseError(f"A box could not be closed: {str(message.get('text'))[:300]}.")

    def ask(
        self,
        message: dict[str, Any],
        value: Any = None,
        seconds: float = 10.0,
        foreign: Callable[[int, str], Any] | None = None,
    ) -> tuple[dict[str, Any], Any]:
        """Send a message and read its reply.

        Args:
            message: what to do.
            value: plain values to go with it.
            seconds: how long the box may take.
            foreign: makes a stand-in for a value that stays in the box.

        Raises:
            DeadlineMissed: it took longer; the box is ended.
            BoxLost: it died, or its reply is none; the box is ended.
        """
        end = time.monotonic() + seconds
        question = secrets.token_hex(8)
        try:
            self._send(channel.pack(message | {"id": question}, value, _stand_in), end)
            reply, result = self._receive(end, foreign)
            if reply.get("id") != question:
                raise channel.ProtocolError("it is the reply to something that nobody asked")
        except channel.ProtocolError as error:
            self.end()
            raise BoxLost(f"What came out of it could not be read: {error}.") from error
        except DeadlineMissed:
            self.end()
            raise
        except BoxLost as error:
            raise BoxKilled(str(error)) if _was_killed(self.end()) else error from error
        return reply, result

    def end(self) -> str:
        """Kill the box and wait until it is gone; gives what its supervisor said."""
        said = b""
        with contextlib.suppress(OSError):
            self._lifeline.shutdown(socket.SHUT_WR)
            if select.select([self._lifeline], [], [], 10.0)[0]:
                said = self._lifeline.recv(4096)
        self._lifeline.close()
        self._channel.close()
        return said.decode(errors="replace")

    def _send(self, packed: bytes, end: float) -> None:
        waiting = memoryview(packed)
        try:
            while waiting:
                self._channel.settimeout(_seconds_until(end))
                waiting = waiting[self._channel.send(waiting) :]
        except TimeoutError as error:
            raise DeadlineMissed("It did not take its input in time.") from error
        except OSError as error:
            raise BoxLost(DIED) from error

    def _receive(
        self, end: float, foreign: Callable[[int, str], Any] | None
    ) -> tuple[dict[str, Any], Any]:
        def read(count: int) -> bytes:
            while len(self._unread) < count:
                try:
                    self._channel.settimeout(_seconds_until(end))
                    part = self._channel.recv(channel.MEGABYTE)
                except TimeoutError as error:
                    raise DeadlineMissed("It did not end in time.") from error
                except OSError as error:
                    raise BoxLost(DIED) from error
                if not part:
                    raise BoxLost(DIED)
                self._unread += part
            wanted = bytes(self._unread[:count])
            del self._unread[:count]
            return wanted

        return channel.unpack(read, foreign=foreign)


def _was_killed(said: str) -> bool:
    """True where a box ended by a signal that it can't send for itself without meaning to.

    Args:
        said: what its supervisor said; nothing where that was killed, too.
    """
    try:
        status = json.loads(said)["status"]
    except (ValueError, KeyError):
        return not said
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _seconds_until(end: float) -> float:
    """How long there is still to wait.

    Raises:
        TimeoutError: no time is left. Whoever sends a byte now and then shall not be waited for.
    """
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _stand_in(value: Any) -> dict[str, Any]:
    """The code of an object of this box, which is sent back to it as an input."""
    number = getattr(value, "number", None)
    if isinstance(number, int):
        return {"foreign": [number, ""]}
    raise TypeError(f"A value of type {type(value).__name__} can't be sent into a box.")


@cache
def _copy_of_shown() -> Path:
    """A folder with the part of the course that students have, which everybody may read."""
    folder = Path(tempfile.mkdtemp(prefix="course-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    for name in SHOWN:
        source, target = ROOT / "autograder" / name, folder / "autograder" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    return folder


def _sandbox(data_wheels: Sequence[str], environment: dict[str, str]) -> list[str]:
    """The command line of the sandbox for the warm process."""
    libraries = [Path(sys.base_prefix), Path(sys.prefix)]
    readable = [folder for folder in libraries if not _lies_in(folder, [Path("/usr")])]
    links = [(ROOT / "autograder" / name, COURSE / "autograder" / name) for name in SHOWN]
    links += [(file, file) for file in HUGE_PAGES if file.exists()]
    for wheel in data_wheels:
        name = wheel.replace("-", "_").lower()
        if (data_folder() / name).is_dir():
            links.append((data_folder() / name, COURSE / "data" / name))
    # The course may be installed among the libraries, or stand in a folder such as /usr/src.
    copies = [
        copy
        for folder in libraries
        for name in ("autograder", "solutions", "benchmarks")
        for copy in folder.glob(f"lib*/python*/site-packages/{name}")
    ]
    checkout = [ROOT] if (ROOT / "pyproject.toml").exists() else []
    hidden = [path for path in [*copies, *checkout] if _lies_in(path, [Path("/usr"), *readable])]
    inner = [path for path in libraries if hidden and _lies_in(path, checkout)]
    command = sandbox([*readable, *inner], links, hidden)
    for name, value in environment.items():
        command += ["--setenv", name, value]
    return command


def _lies_in(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
