"""Differently written right answers, one module a chapter.

Each is a function entered with `@alternative("exercise")`. The tests show that each one gets all
the points; the sample class hands some of them in.
"""

from autograder.registry import Registry

alternative = Registry(__name__)
