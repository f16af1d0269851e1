"""Writes a reply with a number of four million digits, whose conversion takes time with its square.

Works on readers that convert numbers of any length.
Trace: could not be read
"""

import os
import struct

text = b'{"message": {}, "value": ' + b"7" * 4_000_000 + b"}"
waiting = memoryview(struct.pack("<IQ", len(text), 0) + text)
while waiting:
    waiting = waiting[os.write(3, waiting) :]
