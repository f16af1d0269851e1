"""Puts an endless file in the place of the channel.

Works on harnesses that read their questions from a descriptor by number.
Trace: The process died
"""

import os

zero = os.open("/dev/zero", os.O_RDWR)
os.dup2(zero, 3)
