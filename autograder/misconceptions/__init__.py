"""Named wrong answers, one module a chapter.

Each is a function entered with `@misconception("exercise")`. Its docstring is the hint that a
student gets whose output equals it. The tests show that each one loses points.
"""

from autograder.registry import Registry

misconception = Registry(__name__)
