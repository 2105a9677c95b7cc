"""The Linux calls that the jail needs and the standard library lacks, by ctypes.

Every function raises OSError on failure. Numbers are given for x86-64 and arm64. Nothing here
decides anything; `jail.py`, `landlock.py` and `seccomp.py` do.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 1 << 18
MNT_DETACH = 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 1, 2, 4
AT_FDCWD, AT_RECURSIVE = -100, 0x8000

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
# capset(2): version 3, this process; then empty effective, permitted and inheritable sets.
NO_CAPABILITIES = ((0x20080522).to_bytes(4, "little") + bytes(4), bytes(24))

# PyDLL keeps the interpreter lock: these calls return at once, and the fork server has one thread.
_libc = ctypes.PyDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

MACHINE = platform.machine()
_NUMBERS = {
    "x86_64": {
        "pivot_root": 155, "capset": 126, "seccomp": 317, "close_range": 436,
        "mount_setattr": 442, "landlock_create_ruleset": 444, "landlock_add_rule": 445,
        "landlock_restrict_self": 446, "setns": 308, "unshare": 272, "setsid": 112,
        "dup3": 292, "setresuid": 117, "setresgid": 119, "prlimit64": 302, "chdir": 80,
        "getpid": 39,
    },
    "aarch64": {
        "pivot_root": 41, "capset": 91, "seccomp": 277, "close_range": 436,
        "mount_setattr": 442, "landlock_create_ruleset": 444, "landlock_add_rule": 445,
        "landlock_restrict_self": 446, "setns": 268, "unshare": 97, "setsid": 157,
        "dup3": 24, "setresuid": 147, "setresgid": 149, "prlimit64": 261, "chdir": 49,
        "getpid": 172,
    },
}  # fmt: skip
NUMBER = _NUMBERS.get(MACHINE, {})

_long = ctypes.c_long


Argument = int | bytes | None


def syscall(name: str, *args: Argument) -> int:
    """Calls the kernel by name.

    Raises:
        OSError: the call failed, or this processor's numbers are not known (ENOSYS).
    """
    result = int(_libc.syscall(*_prepare(name, args)))
    if result < 0:
        raise _failure(name)
    return result


def _prepare(name: str, args: tuple[Argument, ...]) -> list[Any]:
    number = NUMBER.get(name)
    if number is None:
        raise OSError(38, f"{name} is not known on {MACHINE}")
    return [_long(number), *(_long(a) if isinstance(a, int) else a for a in args)]


def _failure(name: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{name}: {os.strerror(code)}")


class Plan:
    """Calls made ready, to be made one after the other with next to no work between them.

    A fork copies each page of memory that it writes, and Python writes where it reads; a fork
    that only walks through ready calls copies little.
    """

    def __init__(self) -> None:
        self._calls: list[tuple[str, list[Any]]] = []

    def add(self, name: str, *args: Argument) -> None:
        """Adds a call.

        Raises:
            OSError: this processor's number of it is not known.
        """
        self._calls.append((name, _prepare(name, args)))

    def run(self) -> None:
        """Makes the calls.

        Raises:
            OSError: one failed; those after it were not made.
        """
        call = _libc.syscall
        for name, args in self._calls:
            if call(*args) < 0:
                raise _failure(name)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    """Moves the caller into new namespaces (`CLONE_NEW*`)."""
    syscall("unshare", flags)


def setns(fd: int, kind: int) -> None:
    """Joins the namespace of kind `CLONE_NEW*` that `fd` (a pidfd or namespace file) names."""
    syscall("setns", fd, kind)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """mount(2)."""
    _check(
        _libc.mount(
            source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()
        ),
        f"mount {target}",
    )


def umount(target: str) -> None:
    """Takes a mount away at once, even while it is in use (MNT_DETACH)."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def mount_attributes(target: str, attributes: int) -> None:
    """Sets `MOUNT_ATTR_*` on a mount and everything mounted below it (Linux 5.12)."""
    struct = attributes.to_bytes(8, "little") + bytes(24)
    syscall("mount_setattr", AT_FDCWD, target.encode() + b"\0", AT_RECURSIVE, struct, len(struct))


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    syscall("pivot_root", new.encode() + b"\0", old.encode() + b"\0")


def prctl(option: int, value: int, third: int = 0) -> None:
    """prctl(2) with numeric arguments."""
    _check(
        _libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(third), _long(0), _long(0)),
        f"prctl {option}",
    )
