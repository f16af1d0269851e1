"""What a box is: closed, limited, asked for answers, and lost without costing the rest."""

from __future__ import annotations

import builtins
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.box.confine import BoxLimits
from autograder.box.isolation import Isolation, Level, probe, sandbox
from autograder.box.remote import RemoteFunction, RemoteObject, as_exception
from autograder.box.server import BoxLost, DeadlineMissed, ForkServer
from autograder.box.session import Session, TimeLimits
from autograder.errors import CourseError
from autograder.notebook.check import Check
from autograder.notebook.check.outcome import Outcome

MEGABYTE = 1 << 20
CLASSES = [name for name in dir(builtins) if isinstance(getattr(builtins, name), type)]


@pytest.mark.parametrize("name", CLASSES)
def test_an_exception_from_a_box_never_has_a_meaning_of_its_own(name: str) -> None:
    raised = as_exception(Outcome(error=name, error_bases=(name, "ValueError"), text="text"))
    assert isinstance(raised, Exception) and str(raised) == "text"
    assert not isinstance(raised, StopIteration | StopAsyncIteration | ExceptionGroup)


def test_of_two_folders_the_deeper_one_counts() -> None:
    command = sandbox([Path("/a"), Path("/a/b/c")], hidden=[Path("/a/b")])
    places = [command.index(path) for path in ("/a", "/a/b", "/a/b/c")]
    assert places == sorted(places)
    assert command[places[1] - 1] == "--tmpfs"


def test_a_weaker_isolation_is_refused_with_the_reason() -> None:
    with pytest.raises(CourseError, match=r"'process', and at least 'sandbox'.* install bwrap"):
        Isolation(Level.PROCESS, "install bwrap").require(Level.SANDBOX)
    assert Level.named("container") is Level.CONTAINER
    with pytest.raises(CourseError, match="no level of isolation 'none'"):
        Level.named("none")


# What follows needs boxes: one warm process for all of it.

in_a_sandbox = pytest.mark.skipif(
    probe().level < Level.SANDBOX, reason=f"No sandbox can be made here. {probe().reason}"
)


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    limits = BoxLimits(memory=256 * MEGABYTE, folder_bytes=8 * MEGABYTE, file_bytes=4 * MEGABYTE)
    with ForkServer("import torch", limits=limits) as server:
        yield server


@pytest.fixture
def session(server: ForkServer) -> Iterator[Session]:
    with Session(server, TimeLimits(cell=5, notebook=60)) as session:
        yield session


def said(session: Session, source: str) -> str:
    """What a cell prints, or what it raised."""
    result = session.run(source)
    return result.output.strip() or f"{result.error}: {result.text}"


def test_the_user_of_a_box_is_nobody(session: Session) -> None:
    assert said(session, "import os; print(os.getuid(), os.getgid())") == "65534 65534"


@in_a_sandbox
def test_only_interpreter_libraries_and_the_chapter_s_part_are_readable(session: Session) -> None:
    source = """
import os, sys
found = []
for folder, folders, files in os.walk("/"):
    if folder.startswith(("/usr/", "/dev", sys.prefix, sys.base_prefix)):
        folders.clear()
        continue
    found += [os.path.join(folder, name) for name in files]
print("\\n".join(found), "the end", sep="\\n")
"""
    *places, last = said(session, source).splitlines()
    assert last == "the end"
    assert "/course/autograder/box/inside.py" in places
    courses = [path for path in places if path.startswith("/course/")]
    for secret in ("reference", "solutions", "misconceptions", "alternatives", "grading", ".ipynb"):
        assert [path for path in courses if secret in path] == []
    prefixes = (
        "/course/",
        "/bin",
        "/sbin",
        "/lib",
        "/etc/ld.so.cache",
        "/sys/kernel/mm/transparent_hugepage/enabled",
        "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
    )
    assert [path for path in places if not path.startswith(prefixes)] == []


def test_a_box_has_no_descriptors_but_its_own(session: Session) -> None:
    source = """
import os
def is_open(number):
    try:
        return bool(os.fstat(number))
    except OSError:
        return False
print([number for number in range(4096) if is_open(number)])
"""
    assert said(session, source) == "[0, 1, 2, 3, 4]"  # the channel, and a pipe to its supervisor


@in_a_sandbox
def test_every_device_is_harmless(session: Session) -> None:
    devices = said(session, "import os; print(*sorted(os.listdir('/dev')))").split()
    harmless = {"core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin"}
    assert set(devices) <= harmless | {"stdout", "tty", "urandom", "zero", "console"}


@pytest.mark.parametrize(
    ("source", "reply"),
    [
        ("bytearray(1 << 29)", "MemoryError"),
        ("import tempfile; tempfile.TemporaryFile().write(bytes(5 << 20))", "File too large"),
        ("import os; [os.pipe() for _ in range(99)]", "Too many open files"),
        ("import os; os.fork()", "Operation not permitted"),
        ("import subprocess; subprocess.run(['/bin/true'])", "Operation not permitted"),
        ("import socket; socket.socket()", "Operation not permitted"),
        ("import resource; resource.setrlimit(0, (-1, -1))", "ValueError|Operation not permitted"),
        ("import ctypes; print(ctypes.CDLL(None).ptrace(16, 1, None, None))", "-1"),
        ("import os, tempfile; os.mknod(tempfile.mktemp())", "Operation not permitted"),
    ],
)
def test_a_limit_is_an_exception_in_the_box(session: Session, source: str, reply: str) -> None:
    answer = said(session, source)
    assert any(part in answer for part in reply.split("|")), answer
    assert said(session, "print('alive')") == "alive"


@in_a_sandbox
@pytest.mark.parametrize(
    ("source", "reply"),
    [
        ("for n in range(9): open(f'{n}', 'wb').write(bytes(1 << 20))", "No space left"),
        ("open('/course/new', 'w')", "Read-only file system"),
        ("open('/dev/shm/new', 'w')", "Read-only file system"),
        ("open('/proc/1/status')", "No such file"),
    ],
)
def test_the_files_of_a_sandbox_are_its_own(session: Session, source: str, reply: str) -> None:
    assert reply in said(session, source)


@in_a_sandbox
def test_libraries_may_lie_in_the_folder_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As they do where the course was unpacked in /tmp: a box imports some only when asked to."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        library = Path(folder, "library.py")
        library.write_text("ANSWER = 42")
        # One of the files that are seen inside at the place that they have outside.
        monkeypatch.setattr("autograder.box.server.HUGE_PAGES", (library,))
        with ForkServer() as warm, Session(warm) as session:
            assert said(session, f"print(open({str(library)!r}).read())") == "ANSWER = 42"
            assert "Read-only file system" in said(session, f"open({folder + '/new'!r}, 'w')")
            assert said(session, "print(open('new', 'w').write('12'))") == "2"
            temporary = "import tempfile; print(tempfile.TemporaryFile().write(b'123'))"
            assert said(session, temporary) == "3"


def test_there_are_not_too_many_threads(server: ForkServer, session: Session) -> None:
    source = """
import threading, time
threading.stack_size(65536)
refused = 0
for _ in range(80):
    try:
        threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
    except RuntimeError:
        refused += 1
time.sleep(3)
print("refused:", refused)
"""
    limited = said(session, "import threading; threading.Thread(target=print).start(); print(1)")
    assert limited == "1"
    answer = session.run(source)
    # The kernel holds an ordinary user to the limit; root's box is ended.
    refused = answer.output.partition("refused: ")[2].strip()
    assert answer.error == "KernelDied" or int(refused) >= 80 - server.limits.threads
    assert said(session, "print('alive')") == "alive"


def test_a_loss_costs_only_the_culprit(session: Session) -> None:
    session.run("a = 1")
    assert "did not come to its end" in said(session, "a = 2; import os; os._exit(0)")
    session.run("b = a + 1")
    with pytest.raises(BoxLost):
        session.run("def die(): import os; os._exit(0)") and RemoteFunction(session, "die")()
    assert said(session, "print(a, b)") == "1 2"
    assert session.number == 3


def test_a_handle_is_dead_with_its_box(session: Session) -> None:
    session.run("class Model:\n    def double(self, x): return 2 * x\ndef make(): return Model()")
    model = RemoteFunction(session, "make")()
    assert isinstance(model, RemoteObject) and repr(model) == "<Model in the box>"
    assert model.double(4) == 8
    session.run("import os; os._exit(0)")
    with pytest.raises(ReferenceError, match="gone with the box"):
        model.double(4)


A_MODEL = """
from torch import nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 3), nn.Linear(3, 2)
        self.idle = nn.Parameter(torch.ones(5))
        self.second.bias.requires_grad_(False)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))

def build():
    torch.manual_seed(3)
    return Model()
"""


def test_a_model_in_a_box_is_asked_by_name(session: Session) -> None:
    """What it answers is what the same model answers here."""
    session.run("import torch" + A_MODEL)
    names: dict[str, Any] = {"torch": torch, "__name__": "__main__"}
    exec(A_MODEL, names)
    check, x = Check(), torch.tensor([[0.5, -1.0], [2.0, 0.25]])
    there, here = RemoteFunction(session, "build")(), names["build"]()
    assert isinstance(there, RemoteObject)
    assert check.parameter_count(there) == check.parameter_count(here) == 9 + 6 + 5
    for question in (
        check.state_dict,
        lambda model: check.parameter_gradients(model, x),
        lambda model: check.optimiser_step(model, x, optimiser="AdamW", lr=0.01, steps=3),
        lambda model: check.optimiser_step(model, x),
    ):
        told, known = question(there), question(here)
        assert set(told) == set(known)
        for name in known:
            torch.testing.assert_close(told[name], known[name])
    assert torch.equal(check.parameter_gradients(there, x)["idle"], torch.zeros(5))
    before = check.state_dict(here)
    assert not torch.equal(check.optimiser_step(here, x)["first.weight"], before["first.weight"])
    with pytest.raises(KeyError):
        there.ask("__class__")
    session.run("import os; os._exit(0)")
    with pytest.raises(ReferenceError, match="gone with the box"):
        check.state_dict(there)


def test_what_is_no_model_answers_with_its_error(session: Session) -> None:
    session.run("class Other: pass\ndef build(): return Other()")
    with pytest.raises(AttributeError, match="parameters"):
        Check().parameter_count(RemoteFunction(session, "build")())


def test_a_reply_drop_by_drop_is_not_waited_for(server: ForkServer) -> None:
    source = """
import os, struct, time
os.write(3, struct.pack("<IQ", 4_000_000, 0))
while True:
    os.write(3, b" ")
"""
    with Session(server, TimeLimits(cell=1)) as session:
        begun = time.monotonic()
        assert session.run(source).error == "CellTimeout"
        assert time.monotonic() - begun < 15


def test_a_box_that_does_not_listen_is_not_waited_for(server: ForkServer) -> None:
    box = server.open_box()
    os_stop = {"do": "run", "source": "import time; time.sleep(60)"}
    with pytest.raises(DeadlineMissed):
        box.ask(os_stop, seconds=0.5)
    full = server.open_box()
    with pytest.raises(BoxLost):
        full.ask(os_stop | {"pad": "x" * 3_000_000}, [torch.zeros(9_000_000)], seconds=0.5)


def test_a_lost_warm_process_is_replaced(server: ForkServer) -> None:
    os.kill(server.process, signal.SIGKILL)
    with Session(server) as session:
        assert said(session, "print('alive')") == "alive"


@pytest.mark.slow
def test_nothing_survives_a_grader_that_is_killed() -> None:
    program = """
import sys, time
from autograder.box.server import ForkServer
from autograder.box.session import Session
session = Session(ForkServer())
session.run("1")
print("ready", flush=True)
session.run("while True: pass")
"""
    grader = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert grader.stdout is not None and grader.stdout.readline() == "ready\n"
    time.sleep(0.5)
    family = descendants(grader.pid)
    assert len(family) >= 3  # bubblewrap, the warm process, a supervisor, a box
    grader.kill()
    grader.wait()
    end = time.monotonic() + 10
    while any(map(is_alive, family)) and time.monotonic() < end:
        time.sleep(0.1)
    assert [process for process in family if is_alive(process)] == []


def descendants(process: int) -> list[int]:
    """The numbers of all processes below one."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                about = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(about[1]) == process:
                found += [int(folder.name), *descendants(int(folder.name))]
    return found


def is_alive(process: int) -> bool:
    """True where a process has that number and is no zombie."""
    try:
        about = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return about.rpartition(")")[2].split()[0] != "Z"
