"""Leaves System V shared memory, queues and semaphores behind."""

import ctypes

libc = ctypes.CDLL(None)
KEY = 0x41545453


def digit_balance(number):
    made = libc.shmget(KEY, 1 << 20, 0o1666) >= 0
    made |= libc.msgget(KEY, 0o1666) >= 0
    made |= libc.semget(KEY, 4, 0o1666) >= 0
    return None
