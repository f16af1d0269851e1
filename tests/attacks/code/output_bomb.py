"""Prints without end.

Works on stock nbgrader with its default settings: notebook and feedback grow by all of it.
Trace: flood
"""

for _ in range(2_000):
    print("flood" * 2_000)
