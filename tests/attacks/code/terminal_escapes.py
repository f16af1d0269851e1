"""Prints, raises and gives back sequences that command a terminal or turn the text around.

Works on graders that print a student's text: titles, colours, cleared screens, hidden lines.
Trace: escaped
"""


def shout(*_, **__):
    raise ValueError("\x1b]0;owned\x07\x1b[2J\x1b[1;32mall checks passed\x1b[0m\u202e\r\b")


for name in NAMES:
    globals()[name] = shout
encode = lambda *_: "\x1b[2J\u202e"
print("\x1b[2J\x1b[1;32mescaped\x1b[0m\r\b\x00\u202e")
