"""Fills the file system.

Works on graders that give the student's process a folder on the grader's disk.
Trace: files were refused
"""

import tempfile

written = 0
try:
    for number in range(100):
        with open(f"{tempfile.gettempdir()}/full{number}", "wb") as file:
            for _ in range(15):
                written += file.write(bytes(1 << 20))
except OSError:
    print("files were refused", written < 70 << 20)
try:
    open("/dev/shm/full", "wb").write(bytes(1 << 20))
except OSError:
    print("shared memory was refused")
