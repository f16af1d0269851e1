"""Looks for secrets and for places of the course in the environment and in the interpreter.

Works on stock nbgrader: the kernel inherits the grader's environment.
Trace: told by the environment: nothing
"""

import os
import sys

told = [name for name in os.environ if "TOKEN" in name or "SECRET" in name or "NBGRADER" in name]
told += [value for value in (*os.environ.values(), *sys.argv) if "gradebook" in value]
told += [name for name in ("SSH_AUTH_SOCK", "USER", "LOGNAME", "SUDO_USER") if name in os.environ]
print("told by the environment:", told or "nothing")
