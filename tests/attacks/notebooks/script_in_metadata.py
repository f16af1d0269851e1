"""Puts scripts into titles, tags, names of languages and lexers, which templates write into pages.

Works on templates that escape the source and forget the metadata.
Trace: is not defined
"""

HTML = '"><script>alert(1)</script>'


def make(notebook):
    notebook.metadata.update(
        title=HTML,
        authors=[{"name": HTML}],
        language_info={"name": HTML, "pygments_lexer": HTML, "codemirror_mode": HTML},
        kernelspec={"name": HTML, "display_name": HTML, "language": HTML},
    )
    for cell in notebook.cells:
        cell.metadata.update(tags=["a" + HTML.replace(",", "")], magics_language=HTML, alt=HTML)
    return notebook
