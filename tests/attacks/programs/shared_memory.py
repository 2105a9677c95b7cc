"""Leaves POSIX shared memory and a message queue behind."""

import ctypes
import os

libc = ctypes.CDLL(None)


def digit_balance(number):
    for path in ("/dev/shm/attack-suite-shm", "/dev/mqueue/attack-suite-queue"):
        try:
            os.write(os.open(path, os.O_CREAT | os.O_RDWR, 0o666), b"attack-suite")
        except OSError:
            pass
    libc.syscall(240, b"attack-suite-queue", os.O_CREAT | os.O_RDWR, 0o666, None)  # mq_open
    return None
