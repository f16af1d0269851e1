"""A warm process that has the libraries in memory, and forks a confined child for each box.

Started by `server.ForkServer` in a sandbox of its own, with the file descriptor of a socket as its
argument. Each message on the socket asks for one box: JSON, and two more descriptors, the box's
channel and its lifeline. When the grader closes the lifeline, or dies, the box is killed.

This process never runs a student's code, so nothing of one box is left for the next.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
import warnings
from dataclasses import dataclass
from typing import Any

from autograder.box import confine, inside

LONGEST_REQUEST = 1 << 16
GLANCE_SECONDS = 0.05  # how often a supervisor looks at its box
PATIENCE_SECONDS = 5.0  # how long a fork is tried while the kernel has no process to give


@dataclass(frozen=True)
class Warm:
    """What takes long to make, and is there in each box from the start.

    Args:
        shell: IPython, with the libraries imported.
        system_calls: the filter of system calls.
    """

    shell: inside.Shell
    system_calls: Any


def main() -> None:
    """Warm up, say so, and fork boxes until the grader is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    order = json.loads(control.recv(LONGEST_REQUEST))
    warnings.simplefilter("ignore")
    warm = Warm(inside.warm_up(order["set_up"]), confine.system_call_filter())
    gc.collect()
    gc.freeze()  # so that a child does not copy the pages of what it will never free
    control.send(json.dumps({"ready": os.getpid()}).encode())
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, LONGEST_REQUEST, 2)
        if not request:
            return
        if _fork() == 0:
            control.close()
            channel, lifeline = descriptors
            _supervise(channel, lifeline, json.loads(request), warm)
        for descriptor in descriptors:
            os.close(descriptor)
        _bury_the_dead()


def _bury_the_dead() -> None:
    """Take note of supervisors that ended, as somebody has to."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _supervise(channel: int, lifeline: int, order: dict[str, Any], warm: Warm) -> None:
    """Start the box in namespaces of its own, and end it when the lifeline does. Never returns."""
    try:
        if order["confined"]:
            confine.enter_namespaces()
        proc = os.open("/proc", os.O_PATH)  # the box will hide that folder from this process, too
        ended, open_while_alive = os.pipe()
        child = _fork()
        if child == 0:
            os.close(lifeline)
            _become_box(channel, open_while_alive, order, warm)
        os.close(channel)
        os.close(open_while_alive)
        limits = confine.BoxLimits(**order["limits"])
        while not select.select([lifeline, ended], [], [], GLANCE_SECONDS)[0]:
            if confine.has_too_many_threads(child, limits, proc):
                break
        # The box is the first process of its namespace: with it everything in there ends.
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.write(lifeline, json.dumps({"status": status}).encode())
    except Exception as error:
        with contextlib.suppress(OSError):
            os.write(lifeline, json.dumps({"failure": repr(error)[:300]}).encode())
    finally:
        os._exit(0)


def _fork() -> int:
    """Fork, as soon as the kernel lets us: somebody else may have used up its processes."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return os.fork()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(GLANCE_SECONDS)


def _become_box(channel: int, alive: int, order: dict[str, Any], warm: Warm) -> None:
    """Confine this process, and serve the grader. Never returns."""
    try:
        os.setsid()
        limits = confine.BoxLimits(**order["limits"])
        kept = [os.dup(number) for number in (channel, alive)]  # out of the way of what follows
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        for place, number in enumerate(kept, start=inside.CHANNEL):
            os.dup2(number, place)
        os.closerange(inside.CHANNEL + len(kept), 4096)
        confine.be_first_to_go()
        confine.set_limits(limits)
        if order["confined"]:
            confine.limit_threads(limits)
            confine.hide_files(limits)
        else:
            confine.become_nobody()
        confine.drop_rights()
        warm.system_calls.load()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that is too long is an OSError
        inside.serve(warm.shell)
    except BaseException as error:
        inside.report_death(error)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
