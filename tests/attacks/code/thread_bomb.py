"""Starts threads on small stacks until nothing can be started any more.

Works on graders without a limit on threads: root has none, and all neighbours fail to fork.
Trace: The process died
"""

import os
import threading

threading.stack_size(32768)
waiting = threading.Event()
for _ in range(5_000):
    try:
        threading.Thread(target=waiting.wait, daemon=True).start()
    except RuntimeError:
        os._exit(0)  # an ordinary user is refused the next one; root is ended before that
