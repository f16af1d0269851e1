"""A completed notebook: restoring its graded cells, running it, and telling what passes.

Students have this package, too, for `python -m autograder validate`.
"""
