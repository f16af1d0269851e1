"""Is a file in UTF-16, with null bytes.

Works on graders that let UnicodeDecodeError through.
Trace: not a notebook that can be read
"""

import nbformat


def make(notebook):
    return nbformat.writes(notebook).encode("utf-16")
