"""Errors that a person can mend: each is one sentence, shown without a traceback."""


class CourseError(Exception):
    """Something that was asked for can't be done; the text says what, and what to do."""
