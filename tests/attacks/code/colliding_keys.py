"""Gives back a dictionary with ten thousand keys of one hash, slow to build for whoever reads it.

Works on readers that put a stranger's keys into a dictionary.
Trace: could not be read
"""

step = 2**61 - 1


def collide(*_, **__):
    return [{(0,) * 6 + (number * step,): 0 for number in range(1, 2_000)}]


for name in NAMES:
    globals()[name] = collide
