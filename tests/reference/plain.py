"""A judge that anyone can check by eye: one process per program, tests and program together.

No isolation at all, so it is only for programs that the tests themselves wrote or that a benchmark
ships as references. The fast judge is compared with it, and the harness is developed against it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import time
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from codewright.types.judging import AssertTests, Evidence, Job, Mode, Status, Verdict


class Plain:
    """An `Executor` that forks once per program and judges one after the other.

    `judged` counts the programs that were really run, for tests of what is not run twice.
    """

    def __init__(self) -> None:
        self.judged: list[Job] = []

    @property
    def isolation(self) -> tuple[str, ...]:
        return ("process",)

    def judge(self, jobs: Iterable[Job], *, mode: Mode = "fork") -> Iterator[Verdict]:
        for job in jobs:
            self.judged.append(job)
            yield _judge(job, mode)


def _judge(job: Job, mode: Mode) -> Verdict:
    read, write = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _in_child(job, write)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    _, ended, usage = os.wait4(child, 0)
    status, message = _conclude(said, ended)
    return Verdict(
        status=status,
        evidence=Evidence(message=message),
        mode=mode,
        isolation=("process",),
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        wall_seconds=time.monotonic() - began,
        peak_bytes=usage.ru_maxrss * 1024,
    )


def _conclude(said: bytes, ended: int) -> tuple[Status, str]:
    if os.WIFSIGNALED(ended):
        late = os.WTERMSIG(ended) in (signal.SIGXCPU, signal.SIGALRM, signal.SIGKILL)
        return ("timeout", "too slow") if late else ("crashed", f"signal {os.WTERMSIG(ended)}")
    if not said:
        return "crashed", "left without a word"
    status, message = json.loads(said)
    return status, message


def _in_child(job: Job, write: int) -> None:
    limits = job.limits
    cpu = max(1, round(limits.cpu_seconds + 0.5))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(max(1, round(limits.wall_seconds + limits.cpu_seconds)))
    status, message = _run(job)
    os.write(write, json.dumps([status, message]).encode())
    os._exit(0)


def _run(job: Job) -> tuple[Status, str]:
    assert isinstance(job.tests, AssertTests)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
            names: dict[str, Any] = {"__name__": "program"}
            exec(compile(job.program, "program.py", "exec"), names)
            exec(compile(job.tests.preamble, "preamble.py", "exec"), names)
            exec(compile(job.tests.code, "tests.py", "exec"), names)
    except AssertionError as error:
        return "failed", f"AssertionError: {str(error)[:300]}"
    except MemoryError:
        return "memory", "MemoryError"
    except BaseException as error:
        return "error", f"{type(error).__name__}: {str(error)[:300]}"
    return "passed", ""
