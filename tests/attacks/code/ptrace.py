"""Attaches to other processes, and reads their memory.

Works where a tracer may be any process of the same user.
Trace: errors: [1, 1, 1]
"""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)
numbers = []
for call in (
    lambda: libc.ptrace(16, 1, None, None),
    lambda: libc.process_vm_readv(1, None, 0, None, 0, 0),
    lambda: libc.syscall(434, 1, 0),  # pidfd_open
):
    call()
    numbers.append(ctypes.get_errno())
print("errors:", numbers)
