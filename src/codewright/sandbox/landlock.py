"""Landlock: which files a program may read and write, whatever the file system's modes say.

The ruleset is made once; each program's process takes it on with `landlock_restrict_self`. It
covers files, TCP, and, where the kernel has them, signals and abstract sockets beyond the program.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from codewright.sandbox.syscalls import syscall

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | (1 << 14) | (1 << 15)
# Rights known to each ABI: 13 at first, then refer (2), truncate (3), ioctl on devices (5).
_FS_BITS = {1: 13, 2: 14, 3: 15, 4: 15}
_NET_RIGHTS = 0b11
_SCOPES = 0b11


def abi() -> int:
    """The kernel's Landlock version; 0 where there is none."""
    try:
        return syscall("landlock_create_ruleset", None, 0, 1)
    except OSError:
        return 0


def _rights(version: int) -> int:
    return (1 << _FS_BITS.get(version, 16)) - 1


def ruleset(readable: Iterable[str], writable: Iterable[str]) -> int:
    """Makes a ruleset and returns its descriptor.

    Args:
        readable: files and folders that may be read and executed, with what is below them.
        writable: files and folders that may be read, written, made and removed.

    Raises:
        OSError: Landlock is not there, or a path is not.
    """
    version = abi()
    handled = _rights(version)
    attributes = handled.to_bytes(8, "little")
    if version >= 4:
        attributes += _NET_RIGHTS.to_bytes(8, "little")
    if version >= 6:
        attributes += _SCOPES.to_bytes(8, "little")
    fd = syscall("landlock_create_ruleset", attributes, len(attributes), 0)
    try:
        for path in readable:
            _allow(fd, path, _READ)
        for path in writable:
            _allow(fd, path, handled)
    except OSError:
        os.close(fd)
        raise
    return fd


def _allow(ruleset_fd: int, path: str, rights: int) -> None:
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):
            rights &= _FILE_RIGHTS
        rights &= _rights(abi())
        rule = rights.to_bytes(8, "little") + fd.to_bytes(4, "little")
        syscall("landlock_add_rule", ruleset_fd, 1, rule, 0)
    finally:
        os.close(fd)
