"""Makes processes by raw system calls: fork, clone, clone3 (x86-64 numbers)."""

import ctypes
import os
import platform
import signal
import struct
import time

libc = ctypes.CDLL(None)
libc.prctl(15, b"attack-suite", 0, 0, 0)
SIGCHLD = signal.SIGCHLD


def made(*call):
    pid = libc.syscall(*call)
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    return pid > 0


def digit_balance(number):
    if platform.machine() != "x86_64":
        return None
    args = ctypes.create_string_buffer(struct.pack("<8Q", 0, 0, 0, 0, SIGCHLD, 0, 0, 0), 64)
    new_user = 0x10000000
    calls = [
        (57,), (56, SIGCHLD, 0, 0, 0, 0), (56, SIGCHLD | new_user, 0, 0, 0, 0),
        (435, args, 64), (57 | 0x40000000,),
    ]  # fmt: skip
    if not any([made(*call) for call in calls]):
        return None
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
