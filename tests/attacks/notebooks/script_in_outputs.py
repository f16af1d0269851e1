"""Puts scripts into outputs of code cells, and into the states of widgets.

Works on stock nbgrader for cells that are not run again, and for widgets.
Trace: is not defined
"""

from nbformat.v4 import new_code_cell, new_output


def make(notebook):
    html = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    data = {"text/html": html, "image/svg+xml": html, "application/javascript": "alert(3)"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("display_data", data=data)]
    notebook.cells.append(new_code_cell("", outputs=[new_output("display_data", data=data)]))
    state = {"application/vnd.jupyter.widget-state+json": {"a": "</script><script>alert(4)"}}
    notebook.metadata["widgets"] = state
    return notebook
