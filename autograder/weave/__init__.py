"""One source, three views: the page, the instructor's notebook, the student's notebook."""

from autograder.weave.page import read_page

__all__ = ["read_page"]
