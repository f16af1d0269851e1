"""Leaves something in shared memory, semaphores and message queues for an accomplice.

Works where submissions of one class are graded on one machine.
Trace: 3 of 3 refused
"""

import ctypes
import multiprocessing.shared_memory

libc = ctypes.CDLL(None, use_errno=True)
refused = libc.shmget(1234, 4096, 0o1777) == -1
refused += libc.semget(1234, 1, 0o1777) == -1
try:
    multiprocessing.shared_memory.SharedMemory("answers", create=True, size=4096)
except OSError:
    refused += 1
print(f"{int(refused)} of 3 refused")
