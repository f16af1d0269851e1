"""Lifts Python's own limit on recursion, and recurses until the stack overflows.

Works on graders in the same process: it dies with a segmentation fault.
Trace: The process died
"""

import sys

sys.setrecursionlimit(10**9)


def down(*inputs, **options):
    return repr(sorted([0], key=lambda _: down()))


for name in NAMES:
    globals()[name] = down
