"""Says that it is of a format of the past, or of the future.

Works on graders that convert what they can't read.
Trace: not a notebook that can be read
"""

import json


def make(notebook):
    future = dict(notebook, nbformat=3, nbformat_minor=99)
    return json.dumps(future).encode()
