"""Sends booleans that are neither true nor false, of which a comparison may say both.

Works on `assert (mask == other).all()` where libraries look at different bits.
Trace: could not be read
"""

import json
import os
import struct

text = json.dumps({"message": {}, "value": {"array": ["bool", [4], [0], 0, True]}}).encode()
os.write(3, struct.pack("<IQ", len(text), 4) + text + b"\x02\x80\xff\x01")
