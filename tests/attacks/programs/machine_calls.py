"""Asks for what only an administrator may do, in forms that change nothing even when allowed.

reboot with a wrong magic number, a kernel module from no file, the clock set to what it shows,
the host name to what it is.
"""

import ctypes
import errno
import socket
import time

libc = ctypes.CDLL(None, use_errno=True)


def allowed(result, wanted):
    return result == 0 or ctypes.get_errno() in wanted


def digit_balance(number):
    got = allowed(libc.syscall(169, 0, 0, 0, 0), (errno.EINVAL,))  # reboot, x86-64
    got |= allowed(libc.syscall(313, -1, b"", 0), (errno.EBADF,))  # finit_module
    name = socket.gethostname().encode()
    got |= libc.sethostname(name, len(name)) == 0
    got |= libc.swapoff(b"/attack-suite") == 0
    try:
        time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME))
        got = True
    except OSError:
        pass
    if not got:
        return None
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
