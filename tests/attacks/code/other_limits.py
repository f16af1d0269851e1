"""Lifts its own limits, and lowers those of others.

Works where limits are soft, or the process runs as root.
Trace: limits stay
"""

import resource

changed = []
for kind in (
    resource.RLIMIT_AS,
    resource.RLIMIT_CPU,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_NOFILE,
):
    for process in (0, 1, 2):
        for limit in ((-1, -1), (1, 1)):
            try:
                resource.prlimit(process, kind, limit)
                changed.append((process, kind))
            except (OSError, ValueError):
                continue
print("limits stay" if not changed else changed)
