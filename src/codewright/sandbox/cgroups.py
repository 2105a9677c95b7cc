"""A memory and process ceiling over a whole fork server, where cgroups can be written.

It backs up the limits of single processes: scratch files, and programs of many processes. Version
1 and version 2 are used, whichever has the controllers.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PREFIX = "codewright-"
_REMOVAL_TRIES = 50


class Cgroup:
    """The groups of one fork server. `missing` says why there are none; empty where they hold.

    Args:
        name: unique on this machine.
        memory_bytes: ceiling over all processes and scratch files.
        processes: ceiling over processes and threads.
    """

    def __init__(self, name: str, memory_bytes: int, processes: int) -> None:
        self._folders: list[Path] = []
        self.missing = ""
        try:
            for folder, limits in _places(name, memory_bytes, processes):
                folder.mkdir()
                self._folders.append(folder)
                for file, value in limits.items():
                    (folder / file).write_text(value)
            if not self._folders:
                self.missing = "no memory controller is mounted here"
        except OSError as error:
            self.missing = f"{error.strerror} ({error.filename})"
            self.remove()

    def add(self, pid: int) -> None:
        """Puts a process, and what it forks later, under the ceiling."""
        try:
            for folder in self._folders:
                (folder / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            self.missing = f"{error.strerror} ({error.filename})"

    def remove(self) -> None:
        """Removes the groups; their processes must have ended or be ending."""
        for folder in self._folders:
            for _ in range(_REMOVAL_TRIES):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)
        self._folders = []


def _places(name: str, memory: int, processes: int) -> list[tuple[Path, dict[str, str]]]:
    own = dict(
        line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines()
    )
    places = []
    if (_ROOT / "cgroup.controllers").exists():
        here = _ROOT / own.get("", "/").lstrip("/")
        controllers = (here / "cgroup.subtree_control").read_text().split()
        if "memory" in controllers:
            limits = {"memory.max": str(memory), "memory.swap.max": "0"}
            if "pids" in controllers:
                limits["pids.max"] = str(processes)
            places.append((here / f"{_PREFIX}{name}", limits))
        return places
    for controller, limits in (
        ("memory", {"memory.limit_in_bytes": str(memory)}),
        ("pids", {"pids.max": str(processes)}),
    ):
        if controller in own and (_ROOT / controller).is_dir():
            here = _ROOT / controller / own[controller].lstrip("/")
            places.append((here / f"{_PREFIX}{name}", limits))
    return places


def sweep() -> None:
    """Removes groups of fork servers whose starter was killed before it could."""
    with contextlib.suppress(OSError, ValueError):
        for folder, _ in _places("x", 0, 0):
            for stale in folder.parent.glob(f"{_PREFIX}*"):
                pid = int(stale.name.removeprefix(_PREFIX).split("-")[0])
                if not os.path.exists(f"/proc/{pid}"):
                    with contextlib.suppress(OSError):
                        stale.rmdir()
