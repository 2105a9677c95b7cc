"""What an attack may have left on the machine: a snapshot before, one after, and what differs.

Everything a hostile program leaves behind carries a mark (`attack-suite` in its name, its text or
its process's name; fixed ports and keys), so that what other programs do on a busy machine at the
same time is not taken for harm. On a quiet machine `strict` counts every change.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "attack-suite"
_WRITTEN = b"attack-suite was here"
MOUTH_PORT = 17654
SYSV_KEY = 0x41545453
_SKIPPED = {".git", ".venv", "__pycache__", "node_modules", ".cache", ".mypy_cache", ".ruff_cache"}
_TEMPORARY = ("/tmp/", "/var/tmp/", "/dev/shm/")
_MOST_ENTRIES = 20_000
_SETTLE_SECONDS = 2.0

Process = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The machine at one moment. Files: path to (inode, mode, size, change time)."""

    processes: dict[Process, str]
    files: dict[str, tuple[int, int, int, int]]
    mounts: frozenset[str]
    sockets: frozenset[str]
    ipc: frozenset[str]
    name: str
    clock_offset: float


def processes() -> dict[Process, str]:
    """(pid, start time) to name and command line, of every process that can be seen."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text()
            command = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        name, _, rest = stat.partition("(")[2].rpartition(")")
        fields = rest.split()
        if fields[0] != "Z":
            found[int(entry), fields[19]] = f"{name} {command.decode(errors='replace')}"
    return found


def watched_folders() -> list[Path]:
    """Where a hostile program would leave something: home, temporary, working, installed."""
    import sysconfig

    names = [
        os.path.expanduser("~"), "/tmp", "/var/tmp", "/dev/shm", os.getcwd(), "/etc", "/", "/opt",
        "/usr/local", "/usr/bin", "/run", "/srv", "/dev/mqueue", sysconfig.get_path("purelib"),
        sysconfig.get_path("stdlib"),
    ]  # fmt: skip
    return sorted({Path(name).resolve() for name in names})


def files(folders: list[Path], depth: int = 2) -> dict[str, tuple[int, int, int, int]]:
    """The entries of folders, down to a depth; symbolic links are not followed."""
    found: dict[str, tuple[int, int, int, int]] = {}
    for top in folders:
        todo = [(str(top), depth if str(top) != "/" else 1)]
        count = 0
        while todo and count < _MOST_ENTRIES:
            folder, left = todo.pop()
            try:
                entries = list(os.scandir(folder))
            except OSError:
                continue
            for entry in entries:
                count += 1
                try:
                    s = entry.stat(follow_symlinks=False)
                    is_folder = entry.is_dir(follow_symlinks=False)
                except OSError:
                    continue
                if is_folder:
                    if left > 1 and entry.name not in _SKIPPED:
                        todo.append((entry.path, left - 1))
                    found[entry.path] = (s.st_ino, s.st_mode, 0, 0)
                else:
                    found[entry.path] = (s.st_ino, s.st_mode, s.st_size, s.st_mtime_ns)
    return found


def _lines(*paths: str) -> Iterator[str]:
    for path in paths:
        with contextlib.suppress(OSError):
            yield from Path(path).read_text().splitlines()[1 if "mountinfo" not in path else 0 :]


def _sockets() -> frozenset[str]:
    """Bound and listening sockets: what somebody could connect to."""
    found = set()
    for line in _lines("/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"):
        fields = line.split()
        if fields[3] in ("0A", "07"):
            found.add(f"{fields[1]} {fields[3]}")
    for line in _lines("/proc/net/unix"):
        fields = line.split()
        if len(fields) > 7:
            found.add(fields[7])
    return frozenset(found)


def take() -> Snapshot:
    """The machine as it is now."""
    ipc = set()
    for kind in ("shm", "msg", "sem"):
        ipc |= {f"{kind} {line.split()[0]}" for line in _lines(f"/proc/sysvipc/{kind}")}
    return Snapshot(
        processes=processes(),
        files=files(watched_folders()),
        mounts=frozenset(line.split(" - ")[0] for line in _lines("/proc/self/mountinfo")),
        sockets=_sockets(),
        ipc=frozenset(ipc),
        name=os.uname().nodename,
        clock_offset=time.clock_gettime(time.CLOCK_REALTIME)
        - time.clock_gettime(time.CLOCK_BOOTTIME),
    )


def _marked(path: str) -> bool:
    if MARK in path:
        return True
    try:
        # Not blocking: it may be a pipe.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            begins = file.read(4096) or b""
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            return _WRITTEN in begins + (file.read(4096) or b"")
    except (OSError, ValueError):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Sentences. Litter is what the harness itself left in temporary folders: unmarked entries."""

    harm: tuple[str, ...] = ()
    litter: tuple[str, ...] = ()


def compare(
    before: Snapshot, after: Snapshot, *, strict: bool, own: Callable[[Process, str], bool]
) -> Difference:
    """What is different.

    Args:
        strict: count every change, not only those that carry the mark.
        own: whether a process belongs to the harness.
    """
    harm, litter = _compare_files(before.files, after.files, strict=strict)
    harm += _compare_processes(before.processes, after.processes, strict=strict, own=own)
    harm += _compare_objects(before, after, strict=strict)
    if before.name != after.name:
        harm.append("the host name changed")
    if abs(before.clock_offset - after.clock_offset) > 30:
        harm.append("the clock changed")
    return Difference(harm=tuple(harm), litter=tuple(litter))


def _compare_processes(
    before: dict[Process, str],
    after: dict[Process, str],
    *,
    strict: bool,
    own: Callable[[Process, str], bool],
) -> list[str]:
    left = {
        key: command
        for key, command in after.items()
        if key not in before and (strict or MARK in command) and not own(key, command)
    }
    if not left:
        return []
    shown = sorted({c.split()[0] for c in left.values() if c.split()})[:3]
    return [f"{len(left)} processes left ({', '.join(shown)})"]


def _compare_files(
    before: dict[str, tuple[int, int, int, int]],
    after: dict[str, tuple[int, int, int, int]],
    *,
    strict: bool,
) -> tuple[list[str], list[str]]:
    changed = [path for path, stat in after.items() if before.get(path) != stat]
    marked = [path for path in changed if _marked(path)]
    rest = sorted(set(changed) - set(marked)) if strict else []
    litter = [p for p in rest if p.startswith(_TEMPORARY)]
    written = sorted(marked + [p for p in rest if not p.startswith(_TEMPORARY)])
    if strict:
        written += sorted(p for p in before if p not in after and not p.startswith(_TEMPORARY))
    harm = [f"{len(written)} files written ({', '.join(written[:3])})"] if written else []
    return harm, [f"{len(litter)} left in temporary folders"] if litter else []


def _compare_objects(before: Snapshot, after: Snapshot, *, strict: bool) -> list[str]:
    harm = []
    for what, old, new in (
        ("mounts", before.mounts, after.mounts),
        ("sockets", before.sockets, after.sockets),
        ("System V objects", before.ipc, after.ipc),
    ):
        more = sorted(new - old) if what != "mounts" else sorted(new ^ old)
        if what == "sockets" and not strict:
            more = [s for s in more if MARK in s or f":{MOUTH_PORT:04X} " in s]
        if what == "System V objects" and not strict:
            more = [s for s in more if s.endswith(f" {SYSV_KEY}")]
        if more:
            harm.append(f"{len(more)} {what} changed ({', '.join(more[:3])})")
    return harm


def settle(look: Callable[[], Difference], seconds: float = _SETTLE_SECONDS) -> Difference:
    """Looks again until nothing is wrong or the time is over; returns the last look."""
    until = time.monotonic() + seconds
    while (found := look()) != Difference() and time.monotonic() < until:
        time.sleep(0.1)
    return found
