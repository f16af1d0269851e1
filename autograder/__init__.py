"""What turns the book and the reference solutions into graded work.

`autograder.notebook` is what a notebook may import, and all that a student receives; the rest
stays with the instructor.
"""
