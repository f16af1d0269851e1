"""Has each key twice in its JSON, for readers that disagree on which one counts.

Works where one program validates a file, and another one runs it.
Trace: is not defined
"""

import nbformat


def make(notebook):
    text = nbformat.writes(notebook)
    return text.replace('"source": [', '"source": ["pass"], "source": [').encode()
