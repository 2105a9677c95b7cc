"""The user's own tests as a sieve: a candidate that fails them is not offered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codewright.types.judging import AssertTests, Candidate, Executor, Job, Limits, Verdict

LIMITS = Limits(cpu_seconds=5.0, wall_seconds=5.0)
"""What one program may use for all of the user's tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """The candidates that pass (their numbers), and the verdict on each candidate."""

    passed: tuple[int, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def finding(self) -> str:
        """What was seen, as a sentence."""
        total = len(self.verdicts)
        failed = [verdict for verdict in self.verdicts if verdict.status != "passed"]
        if not failed:
            return f"all {total} candidates pass your tests"
        told = f"{len(failed)} of {total} candidates fail your tests and are not offered"
        return f"{told} (most often: {Counter(map(_why, failed)).most_common(1)[0][0]})"


def screen(
    candidates: Sequence[Candidate],
    tests: str,
    entry_point: str,
    executor: Executor,
    watch: Callable[[str, int, int], None],
) -> Screened:
    """Judges each distinct program by `tests`, asserting code of the user's.

    Args:
        candidates: the programs; a candidate's own entry point goes before `entry_point`.
        tests: source text, run in the examiner.
        entry_point: the function that the tests call.
        executor: who judges.
        watch: told the stage, how many programs are done, and of how many.
    """
    jobs: dict[tuple[str, str], Job] = {}
    keys = []
    for candidate in candidates:
        name = candidate.entry_point or entry_point
        key = (candidate.program, name)
        keys.append(key)
        jobs[key] = Job(
            program=candidate.program,
            tests=AssertTests(code=tests),
            entry_point=name,
            limits=LIMITS,
        )
    verdicts: dict[tuple[str, str], Verdict] = {}
    watch("testing", 0, len(jobs))
    for key, verdict in zip(jobs, executor.judge(jobs.values()), strict=True):
        verdicts[key] = verdict
        watch("testing", len(verdicts), len(jobs))
    return Screened(
        passed=tuple(i for i, key in enumerate(keys) if verdicts[key].status == "passed"),
        verdicts=tuple(verdicts[key] for key in keys),
    )


def _why(verdict: Verdict) -> str:
    said = verdict.evidence
    if verdict.status == "failed":
        told = said.test or said.message
        return " ".join(told.split())[:100] or "a test that failed"
    last = said.traceback.strip().rpartition("\n")[2] or said.message
    return " ".join(last.split())[:100] or verdict.status
