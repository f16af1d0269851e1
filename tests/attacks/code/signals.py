"""Sends signals to its parent, to its group, to everybody, and sets timers that strike later.

Works where the student's process can see the grader's.
Trace: signals sent
"""

import contextlib
import os
import signal

for target in (os.getppid(), -1, 0, 1, 2, 3):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        with contextlib.suppress(OSError):
            if target > 1:
                os.kill(target, number)
with contextlib.suppress(OSError):
    os.kill(-1, signal.SIGKILL)
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_IGN)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
print("signals sent")
