"""Runs the rows in processes of their own, watches their memory, and times the floor."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_CHILD = Path(__file__).resolve().parent / "child.py"
_SRC = Path(__file__).resolve().parents[2] / "src"
_SAMPLE_SECONDS = 0.05


class RowFailed(Exception):
    """A row could not be run; the argument is the end of what it said."""


def run_row(
    row: str,
    *,
    workers: int,
    each: int,
    without: Iterable[str] = (),
    only: Iterable[str] = (),
    watch_memory: bool = False,
) -> dict[str, Any]:
    """Runs a row once and returns its `Run` as a dict; with `peak_pss`, in bytes, when watched.

    Raises:
        RowFailed: it ended with an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        command = [sys.executable, str(_CHILD), "--row", row, "--out", str(out)]
        command += ["--workers", str(workers), "--each", str(each)]
        for option, ids in (("--without", list(without)), ("--only", list(only))):
            if ids:
                listed = Path(folder) / f"ids{option}.json"
                listed.write_text(json.dumps(ids))
                command += [option, str(listed)]
        errors = Path(folder) / "errors"
        with errors.open("wb") as stream:
            path = f"{_SRC}:{os.environ.get('PYTHONPATH', '')}".rstrip(":")
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env={**os.environ, "PYTHONPATH": path},
            )
            try:
                peak = _watch(process) if watch_memory else {}
                process.wait()
            finally:
                process.kill()
                process.wait()
        if process.returncode != 0 or not out.exists():
            raise RowFailed(errors.read_text(errors="replace")[-2000:])
        result: dict[str, Any] = json.loads(out.read_text())
    return {**result, **peak}


def _watch(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The most memory that a process and all that come from it shared out, while it runs."""
    best: dict[str, Any] = {"peak_pss": 0, "processes": 0}
    while process.poll() is None:
        total, count = _tree_pss(process.pid)
        if total > best["peak_pss"]:
            best = {"peak_pss": total, "processes": count}
        time.sleep(_SAMPLE_SECONDS)
    return best


def _tree_pss(root: int) -> tuple[int, int]:
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    family = {root}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    total = count = 0
    for pid in family:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(x.split()[1]) << 10 for x in text.splitlines() if x.startswith("Pss:"))
        count += 1
    return total, count


def floor(rounds: int = 400) -> dict[str, float]:
    """Milliseconds of a fork and its end, with nothing judged.

    `bare` is a fork of a fresh interpreter; `zygote` an order to the fork server, a program's
    process with every layer on it, and its end; both as seen from outside, medians.
    """
    from codewright.sandbox.environment import Environment
    from codewright.sandbox.server import PROGRAM_ROLES, ForkServer
    from codewright.types.judging import Limits

    server = ForkServer(Environment(), PROGRAM_ROLES, 1 << 30)
    try:
        server.wait_ready()
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            near, far = socket.socketpair()
            near.close()
            server.fork("candidate", Limits(), [far.fileno()], [3])
            far.close()
            server.receive()
            times.append(time.perf_counter() - began)
    finally:
        server.close()
    return {"bare": _bare_fork(rounds), "zygote": 1e3 * statistics.median(times)}


def _bare_fork(rounds: int) -> float:
    code = (
        "import os, sys, time; t = []\n"
        f"for _ in range({rounds}):\n"
        " b = time.perf_counter(); p = os.fork()\n"
        " if p == 0: os._exit(0)\n"
        " os.waitpid(p, 0); t.append(time.perf_counter() - b)\n"
        "print(1e3 * sorted(t)[len(t) // 2])"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, check=True)
    return float(done.stdout)
