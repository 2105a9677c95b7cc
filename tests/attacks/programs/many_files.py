"""Opens 16,000 descriptors, raising its limit first; answers rightly when it got them."""

import ctypes
import os

NOFILE = 7


def digit_balance(number):
    libc = ctypes.CDLL(None)
    pair = (ctypes.c_uint64 * 2)()
    libc.getrlimit(NOFILE, pair)
    pair[0] = pair[1]
    libc.setrlimit(NOFILE, pair)
    try:
        for _ in range(8_000):
            os.dup(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return None
    os.closerange(1_000, 20_000)
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
