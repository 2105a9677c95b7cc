"""What glibc does with memory that a step gives back: kept, not returned and zeroed again.

A step frees tensors of tens of megabytes and asks for them anew. By default glibc maps each from
the kernel, which clears every page first: with rows of 2,048 tokens that took two fifths of a step.
"""

from __future__ import annotations

import ctypes
import platform

# The names and numbers of malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEPT = (
    (M_MMAP_THRESHOLD, 1 << 30),
    (M_TRIM_THRESHOLD, (1 << 31) - 1),
    (M_TOP_PAD, 256 << 20),
)


def keep() -> bool:
    """Tells this process's allocator to keep what is freed; False where it is not glibc's."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    taken = [mallopt(name, value) == 1 for name, value in KEPT]
    return all(taken)
