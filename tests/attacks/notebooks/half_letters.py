"""Has halves of letters in sources, ids and metadata: JSON can hold them, UTF-8 can't.

Works on graders that write the notebook again: the exception ends the class.
Trace: half ? a letter
"""

import json

from nbformat.v4 import new_code_cell, new_markdown_cell


def make(notebook):
    cells = [new_markdown_cell("half XX a letter"), new_code_cell("# half XX a letter")]
    notebook.cells[1:1] = cells
    notebook.metadata["half"] = "XX"
    return json.dumps(notebook).replace("XX", "\\udead").encode()
