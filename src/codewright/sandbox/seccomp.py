"""System-call filters, as classic BPF.

Two filters stack. `zygote_filter` is taken on once by the fork server and inherited for nothing:
it refuses what neither the server nor any program needs. `program_filter` is short, because each
program's process takes it on anew: it refuses what only the server may do (mounts, namespaces)
and, unless the program may have processes of its own, every new process and every exec.

A refused call returns an error number, so that an honest program gets an ordinary OSError.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from codewright.sandbox.syscalls import MACHINE, syscall

_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_COLUMN = {"x86_64": 0, "aarch64": 1}

# name: (x86-64, arm64); None where the processor has no such call.
_Calls = dict[str, tuple[int, int | None]]
_NEVER: _Calls = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "pidfd_getfd": (438, 438),
    "kcmp": (312, 272), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "iopl": (172, None), "ioperm": (173, None),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
    "adjtimex": (159, 171), "syslog": (103, 116), "lookup_dcookie": (212, 18),
    "vhangup": (153, 58), "modify_ldt": (154, None), "nfsservctl": (180, 42),
    "uselib": (134, None), "ustat": (136, None), "sysfs": (139, None), "_sysctl": (156, None),
    "personality": (135, 92), "mbind": (237, 235), "move_pages": (279, 239),
    "migrate_pages": (256, 238), "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450), "msgget": (68, 186), "semget": (64, 190),
    "shmget": (29, 194), "mq_open": (240, 180), "fanotify_init": (300, 262),
    "memfd_secret": (447, 447),
}  # fmt: skip
_SERVER_ONLY: _Calls = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "setns": (308, 268), "unshare": (272, 97),
    "sethostname": (170, 161), "setdomainname": (171, 162),
}  # fmt: skip
_NEW_PROCESS: _Calls = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
}  # fmt: skip
_CLONE, _CLONE3, _SOCKET, _IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)
_NEWEST_KNOWN = 470
_X32_BIT = 0x40000000
_CLONE_THREAD = 0x00010000
_CLONE_NEW_ANY = 0x7E020080
_AF_UNIX = 1
_TERMINAL_INJECTIONS = (0x5412, 0x541C, 0x541D)  # TIOCSTI, TIOCLINUX, TIOCCONS

_LOAD, _JUMP_EQ, _JUMP_GE, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT, _SECOND_ARGUMENT_AT = 0, 4, 16, 24


def supported() -> bool:
    """Whether the filters are known for this processor."""
    return MACHINE in _ARCH


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _refuse(error: int) -> bytes:
    return _op(_RETURN, _ERRNO | error)


def _refuse_each(calls: _Calls, error: int) -> bytes:
    column = _COLUMN[MACHINE]
    numbers = sorted(n for pair in calls.values() if (n := pair[column]) is not None)
    last = len(numbers) - 1
    # A match jumps to the refusal behind the last comparison, which alone jumps over it.
    ops = [_op(_JUMP_EQ, n, last - i, 1 if i == last else 0) for i, n in enumerate(numbers)]
    return b"".join(ops) + _refuse(error)


def _when(number: int, body: bytes) -> bytes:
    """`body` runs for one system call and must return; other calls jump over it."""
    return _op(_JUMP_EQ, number, 0, len(body) // 8) + body


def zygote_filter() -> bytes:
    """The filter of the fork server, inherited by all it forks."""
    head = _op(_LOAD, _ARCH_AT) + _op(_JUMP_EQ, _ARCH[MACHINE], 1, 0) + _op(_RETURN, _KILL)
    number = _op(_LOAD, _NUMBER_AT)
    unknown = _op(_JUMP_GE, _NEWEST_KNOWN, 0, 1) + _refuse(errno.ENOSYS)
    return head + number + unknown + _refuse_each(_NEVER, errno.EPERM) + _op(_RETURN, _ALLOW)


def program_filter(*, processes: bool) -> bytes:
    """The filter of one program's process.

    Args:
        processes: whether the program may start processes and run other executables.
    """
    column = _COLUMN[MACHINE]
    refused = _SERVER_ONLY if processes else {**_SERVER_ONLY, **_NEW_PROCESS}
    flags = _op(_LOAD, _FIRST_ARGUMENT_AT)
    if processes:
        clone = flags + _op(_JUMP_SET, _CLONE_NEW_ANY, 0, 1)
    else:
        clone = flags + _op(_JUMP_SET, _CLONE_THREAD, 1, 0)
    clone += _refuse(errno.EPERM) + _op(_RETURN, _ALLOW)
    domain = _op(_LOAD, _FIRST_ARGUMENT_AT) + _op(_JUMP_EQ, _AF_UNIX, 1, 0)
    socket = domain + _refuse(errno.EACCES) + _op(_RETURN, _ALLOW)
    count = len(_TERMINAL_INJECTIONS)
    ioctl = _op(_LOAD, _SECOND_ARGUMENT_AT)
    for i, request in enumerate(_TERMINAL_INJECTIONS):
        ioctl += _op(_JUMP_EQ, request, count - i, 0)
    ioctl += _op(_RETURN, _ALLOW) + _refuse(errno.EPERM)
    return (
        _op(_LOAD, _NUMBER_AT)
        + _refuse_each(refused, errno.EPERM)
        + _when(_CLONE[column], clone)
        + _when(_CLONE3[column], _refuse(errno.ENOSYS))
        + _when(_SOCKET[column], socket)
        + _when(_IOCTL[column], ioctl)
        + _op(_RETURN, _ALLOW)
    )


class Filter:
    """A filter made ready, so that taking it on is one system call."""

    def __init__(self, ops: bytes) -> None:
        self._ops = ctypes.create_string_buffer(ops, len(ops))
        address = ctypes.addressof(self._ops)
        self._program = struct.pack("<HxxxxxxQ", len(ops) // 8, address)

    @property
    def call(self) -> tuple[str, int, int, bytes]:
        """The system call that takes the filter on, for good (see `syscalls.Plan`)."""
        return "seccomp", 1, 0, self._program

    def install(self) -> None:
        """Takes the filter on, for this process and its descendants, for good.

        Raises:
            OSError: the kernel has no seccomp filters, or no_new_privs is not set.
        """
        syscall(*self.call)
