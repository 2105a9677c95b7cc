"""Reaches out through symbolic links, hard links, `..` and /proc's magic links."""

import ctypes
import os

libc = ctypes.CDLL(None)


def digit_balance(number):
    home = os.path.expanduser("~")
    targets = ["/", home, "/root", "/etc", f"/proc/{os.getppid()}/root", f"/proc/{os.getppid()}/cwd",
               "/proc/1/root", "/proc/1/cwd", "../../../../..", "/proc/self/root/.."]  # fmt: skip
    secrets = (f"{home.lstrip('/')}/.attack-suite-secret", ".attack-suite-secret", "shadow", "etc/shadow")
    found = False
    for index, target in enumerate(targets):
        link = f"attack-suite-link-{index}"
        try:
            os.symlink(target, link)
        except OSError:
            link = target
        for secret in secrets:
            path = os.path.join(link, secret)
            libc.link(path.encode(), f"attack-suite-hard-{index}".encode())
            for name in (path, f"attack-suite-hard-{index}"):
                try:
                    found |= bool(os.read(os.open(name, os.O_RDONLY), 1))
                except OSError:
                    pass
        try:
            path = os.path.join(link, "attack-suite-through-link")
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
        except OSError:
            pass
    if not found:
        return None
    digits = [int(d) for d in reversed(str(number))]
    return sum(digits[0::2]) - sum(digits[1::2])
