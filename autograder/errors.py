"""Errors that a person can mend: each is one sentence, shown without a traceback."""


class CourseError(Exception):
    """Something that was asked for can't be done; the text says what, and what to do."""


def as_sentence(error: Exception) -> str:
    """Why something failed, as an instructor is told it: a sentence where there is one."""
    if isinstance(error, CourseError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:  # such as a full disk
        return f"{error.strerror}."
    return repr(error)
