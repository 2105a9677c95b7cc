"""Leaves a process behind: double fork, a session of its own, no descriptors."""

import ctypes
import os
import time

libc = ctypes.CDLL(None)
libc.prctl(15, b"attack-suite", 0, 0, 0)


def digit_balance(number):
    if libc.fork() == 0:
        os.setsid()
        if libc.fork() == 0:
            os.closerange(0, 1024)
            time.sleep(120)
        os._exit(0)
    time.sleep(0.2)
    return None
