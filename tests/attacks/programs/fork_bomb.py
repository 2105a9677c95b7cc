"""Forks as fast as it can (300 times at most); answers rightly when 64 children live."""

import ctypes
import os
import time

libc = ctypes.CDLL(None)
libc.prctl(15, b"attack-suite", 0, 0, 0)  # PR_SET_NAME


def digit_balance(number):
    born = 0
    for _ in range(300):
        pid = libc.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        born += pid > 0
        if pid < 0 and born < 64:
            break
    if born < 64:
        return None
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
