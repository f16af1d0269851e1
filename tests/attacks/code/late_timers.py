"""Sets timers, exit handlers and finalisers that strike while the grader is asking.

Works where the harness shares the student's process.
Trace: armed
"""

import atexit
import signal
import weakref


def strike(*_):
    raise AssertionError("all checks passed")


signal.signal(signal.SIGALRM, strike)
signal.setitimer(signal.ITIMER_REAL, 0.2, 0.001)
atexit.register(strike)
keeper = type("Keeper", (), {})()
weakref.finalize(keeper, strike)
print("armed")
