"""Writes 300 MB to descriptors 1 and 2 themselves, past every redirection of sys.stdout."""

import os


def digit_balance(number):
    block = b"attack-suite " * 8_000
    for _ in range(1_500):
        for fd in (1, 2):
            try:
                os.write(fd, block)
            except OSError:
                pass
    return None
