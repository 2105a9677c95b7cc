"""Kills its parent."""

import ctypes
import os
import signal

libc = ctypes.CDLL(None)


def digit_balance(number):
    if os.getppid() > 1:
        libc.kill(os.getppid(), int(signal.SIGKILL))
    return None
