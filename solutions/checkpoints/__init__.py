"""Reading checkpoints as they are found: file formats, and the many spellings of the same weights.

One module for each family of models or format of files; `files` is what all share. The modules that
the chapters teach know nothing of all this but the name of their loader.
"""
