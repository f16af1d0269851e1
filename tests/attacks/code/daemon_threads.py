"""Leaves threads behind that patch and disturb whatever runs after the cell.

Works on stock nbgrader: the threads live in the kernel in which the graded cells run.
Trace: threads started
"""

import sys
import threading
import time


def disturb():
    while True:
        check = sys.modules.get("autograder.notebook.check")
        if check:
            check.Check.__call__ = lambda *_, **__: None
        time.sleep(0.01)


for _ in range(3):
    threading.Thread(target=disturb, daemon=True).start()
print("threads started")
