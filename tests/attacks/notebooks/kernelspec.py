"""Asks for a kernel of its own, which would run the graded cells.

Works on stock nbgrader without OverwriteKernelspec: a "bash" kernel passes every check.
Trace: is not defined
"""


def make(notebook):
    notebook.metadata["kernelspec"] = {"name": "../../tmp/evil", "display_name": "evil"}
    notebook.metadata["language_info"] = {"name": "bash"}
    return notebook
