"""Reading checkpoints as they are found: file formats, and the many spellings of the same weights.

One module a family of models; `files` is what they share. The modules that the chapters teach know
nothing of all this.
"""
