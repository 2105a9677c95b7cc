"""Starts processes by every door of the standard library; answers rightly when one opens."""

import ctypes
import multiprocessing
import os
import pty
import subprocess

ctypes.CDLL(None).prctl(15, b"attack-suite", 0, 0, 0)
SLEEP = ["/bin/sh", "-c", "sleep 60", "attack-suite"]


def doors():
    yield lambda: subprocess.Popen(SLEEP)
    yield lambda: os.posix_spawn(SLEEP[0], SLEEP, {})
    yield lambda: os.spawnv(os.P_NOWAIT, SLEEP[0], SLEEP)
    yield lambda: os.popen("sleep 60 # attack-suite")
    yield lambda: multiprocessing.get_context("fork").Process(target=os.getpid).start()
    yield lambda: multiprocessing.get_context("spawn").Process(target=os.getpid).start()
    yield lambda: pty.fork() or os._exit(0)


def digit_balance(number):
    opened = 0
    for door in doors():
        try:
            door()
            opened += 1
        except Exception:
            continue
    if not opened:
        return None
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
