"""Gives back texts with halves of letters, which can be read but not written to a file.

Works on graders that write a student's text as UTF-8: the exception ends them.
Trace: half
"""

for name in NAMES:
    globals()[name] = lambda *_, **__: ["\ud800", {"\udfff": "\x00"}]
print("half \ud800 a letter")
raise ValueError("half \udfff a letter")
