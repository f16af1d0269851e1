"""Writes where the next student's code, or the grader's, would read.

Works on stock nbgrader: a `torch.py` in the folder, or a patched package, outlives the kernel.
Trace: written outside: []
"""

import os
import site
import sys
import tempfile

written = []
for folder in {*sys.path, *site.getsitepackages(), "/course", "/course/autograder", "/", "/dev"}:
    for name in ("torch.py", "sitecustomize.py", "evil.pth"):
        try:
            with open(os.path.join(folder or "/", name), "w") as file:
                file.write("raise SystemExit")
            written.append(os.path.join(folder, name))
        except OSError:
            continue
own = tempfile.gettempdir()
open(f"{own}/numpy.py", "w").write("raise SystemExit")
print("written outside:", [path for path in written if not path.startswith(own)])
