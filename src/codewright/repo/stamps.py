"""Whether a file is still the one that was read, by its size, times and inode.

What was changed a moment ago may change again within one tick of the file's clock ("racy clean"):
of that, nothing is to be remembered.
"""

from __future__ import annotations

import os
import time
from hashlib import blake2b

RACY = 100_000_000
"""Nanoseconds within which a file's clock may not tell two changes apart."""

Stamp = tuple[int, int, int, int]


def stamp_of(path: str) -> Stamp | None:
    """Returns what changes with a file, links followed; None where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return _stamp(status)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def number_of(status: os.stat_result) -> int:
    """Returns a number that changes with a file's size, times and inode; never 0."""
    told = " ".join(map(str, _stamp(status)))
    return int.from_bytes(blake2b(told.encode(), digest_size=7).digest(), "big") + 1


def settled(stamp: Stamp | None) -> bool:
    """Tells whether a file that is read from now on can be known again by its stamp."""
    return stamp is None or time.time_ns() - max(stamp[1], stamp[2]) >= RACY
