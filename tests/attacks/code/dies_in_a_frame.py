"""Announces a long reply, sends half of it, and dies.

Works on readers that wait for the rest.
Trace: The process died
"""

import os
import struct


def half(*_, **__):
    os.write(3, struct.pack("<IQ", 1000, 1000) + b'{"message": {"id": ')
    os._exit(0)


for name in NAMES:
    globals()[name] = half
