"""Runs the tools that are compared, each in a process of its own: seconds, memory, and a limit.

Memory is the largest sum of what all processes of a run take (proportional set size, so that shared
pages count once), looked at ten times a second: in a run of its own, because looking costs time.
aider gets a virtual environment of its own, since its pins are not ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from bench.pages import say

AIDER = "aider-chat==0.86.2"
CTAGS = "/usr/bin/ctags"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What one run took. seconds: until its end or its limit. peak: bytes, 0 where not looked."""

    seconds: float
    peak: int
    stopped: bool
    output: str


def ran(
    command: Sequence[str],
    *,
    cores: int,
    limit: float,
    memory: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Runs a command on so many cores.

    Raises:
        SystemExit: it failed otherwise than by its limit.
    """
    chosen = ",".join(map(str, sorted(os.sched_getaffinity(0))[:cores]))
    began = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", chosen, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    watch = Watch(process.pid) if memory else None
    stopped = False
    try:
        out, talk = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, talk = process.communicate()
        stopped = True
    seconds = time.perf_counter() - began
    peak = watch.stop() if watch else 0
    if process.returncode and not stopped:
        raise SystemExit(f"{' '.join(command)} failed:\n{talk[-2000:]}")
    return Ran(seconds=seconds, peak=peak, stopped=stopped, output=out)


class Watch:
    """Looks at the memory of a process and of those that it started."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._done = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._done.wait(0.1):
            self._peak = max(self._peak, memory(self._pid))

    def stop(self) -> int:
        """Returns the most that was seen, in bytes."""
        self._done.set()
        self._thread.join()
        return self._peak


def memory(pid: int) -> int:
    """Returns the proportional set size of a process and its descendants; 0 where it has gone."""
    total = 0
    try:
        process = psutil.Process(pid)
        for each in [process, *process.children(recursive=True)]:
            rolled = Path(f"/proc/{each.pid}/smaps_rollup").read_text()
            total += sum(
                int(line.split()[1]) * 1024
                for line in rolled.splitlines()
                if line.startswith("Pss:")
            )
    except (psutil.Error, OSError):
        return total
    return total


def reading(files: Sequence[Path]) -> float:
    """Returns the seconds that one core takes to read and hash all files: no index is faster."""
    began = time.perf_counter()
    for path in files:
        hashlib.sha1(path.read_bytes()).digest()
    return time.perf_counter() - began


def ctags(root: Path, out: Path, limit: float, *, memory: bool = False) -> Ran:
    """Runs universal-ctags over a tree."""
    command = [CTAGS, "--languages=Python", "-R", "-f", str(out), str(root)]
    return ran(command, cores=2, limit=limit, memory=memory)


def aider_python(scratch: Path) -> Path:
    """Returns aider's own Python, with its environment made where it is not there yet."""
    folder = scratch / "aider"
    python = folder / "bin" / "python"
    if not (folder / ".installed").is_file():
        say(f"installing {AIDER} into {folder}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install", AIDER]
        subprocess.run(pip, check=True, stdout=sys.stderr)
        (folder / ".installed").write_text(AIDER)
    return python


def aider(
    python: Path, root: Path, opened: Sequence[str], tokens: Path, out: Path, limit: float
) -> tuple[Ran, list[dict[str, Any]]]:
    """Draws a map of 1,024 tokens for each opened file; returns what was done by its limit."""
    out.unlink(missing_ok=True)
    child = Path(__file__).resolve().parent / "aider_child.py"
    command = [str(python), str(child), "speed", "--root", str(root), "--tokens", str(tokens)]
    for name in opened:
        command += ["--open", name]
    done = ran([*command, "--out", str(out)], cores=2, limit=limit)
    return done, json.loads(out.read_text()) if out.is_file() else []
