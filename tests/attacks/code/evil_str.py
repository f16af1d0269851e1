"""Raises exceptions whose text raises, never ends, is no text, or holds half of a letter.

Works on harnesses that print a stranger's exception.
Trace: The result of decode is not right yet
"""


class Evil(Exception):
    def __init__(self, say):
        self.say = say

    def __str__(self):
        return self.say()


def raiser(say):
    def function(*_, **__):
        raise Evil(say)

    return function


decode = raiser(lambda: "\ud800\x00\x1b[2J" * 1000)
encode = raiser(lambda: 1)
one_hot = raiser(lambda: "x" * 10**7)
build_vocab = raiser(lambda: str(Evil(decode)))
bag_of_words = raiser(lambda: [].pop())
