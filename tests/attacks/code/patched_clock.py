"""Stops the clock, so that no limit on time is ever reached.

Works on harnesses that measure time in the student's process.
Trace: did not end within
"""

import time

time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
while True:
    pass
