"""Sends its reply one byte at a time, each just before the reader would give up.

Works on readers whose time limit begins anew with every byte.
Trace: did not end within
"""

import os
import struct
import time

os.write(3, struct.pack("<IQ", 4_000_000, 0))
while True:
    os.write(3, b" ")
    time.sleep(0.0002)
