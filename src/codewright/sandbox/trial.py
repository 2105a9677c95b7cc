"""A trial: programs that meet an examiner, and what comes of it.

In mode `fork` each program has a process of its own. In mode `session` statically gated programs of
one problem share one; whatever dies or runs out of time in company is handed back to be judged
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from codewright.sandbox.examination import Examination, ExaminerGone
from codewright.sandbox.server import ForkServer
from codewright.sandbox.verdict import Ending, evidence, form
from codewright.types.behaviour import Observation, Probe
from codewright.types.judging import Job, Mode, SuiteTests, Verdict

_LEAST_BUDGET = 1.0
# A session must not wait long for one program: what is slow in company gets its full time alone.
_SESSION_PATIENCE, _HURRY, _CPU_EACH = 0.04, 0.02, 0.01


Result = Verdict | Observation


@dataclass(slots=True)
class Task:
    """Work on its way: its place in the order, and how often a worker died under it."""

    number: int
    job: Job | Probe
    mode: Mode
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What a trial gave: results, tasks to be tried again, and whether that is all."""

    judged: Sequence[tuple[Task, Result]]
    again: Sequence[Task]
    over: bool = True


class Court(Protocol):
    """What a trial needs of the worker that it takes place at."""

    @property
    def programs(self) -> ForkServer: ...

    @property
    def isolation(self) -> tuple[str, ...]: ...

    @property
    def same_interpreter(self) -> bool: ...

    @property
    def may_share(self) -> bool: ...

    def examination(self, job: Job) -> Examination: ...


class ExamTrial:
    """Programs that meet an examiner: each in a fork of its own, or in a session all in one."""

    def __init__(self, worker: Court, tasks: list[Task]) -> None:
        self._worker = worker
        self._tasks = tasks
        self._session = tasks[0].mode == "session" and worker.may_share
        self._job = _job(tasks[0])
        limits = self._job.limits
        if self._session:
            whole = limits.cpu_seconds + _CPU_EACH * len(tasks)
            limits = replace(limits, cpu_seconds=whole)
        self._limits = limits
        self._reports: list[dict[str, Any]] = []
        self._endings: list[Ending] = []
        self._told = 0
        self._paired = 0
        self._over = False
        self._done = False
        self._examiner_died = ""

    def start(self) -> None:
        """Lets the examiner ask for processes, and sends it the programs."""
        exam = self._worker.examination(self._job)
        hurry, patience = 0.0, self._limits.wall_seconds
        if self._session:
            hurry, patience = _HURRY, min(patience, _SESSION_PATIENCE)
        self._worker.programs.series(self._limits, hurry=hurry)
        exam.examine(
            [t.job.program for t in self._tasks],
            gated=self._session,
            compiled=self._worker.same_interpreter,
            patience=patience,
            budget=max(self._job.limits.cpu_seconds, _LEAST_BUDGET),
        )

    def on_ended(self, endings: list[Ending], *, over: bool) -> None:
        """Programs' processes have ended."""
        self._endings += endings
        self._over = self._over or over

    def on_report(self, message: list[Any]) -> None:
        """The examiner speaks."""
        match message:
            case ["reports", list() as reports]:
                self._reports += [r for r in reports if isinstance(r, dict)]
            case ["done"]:
                self._done = True
            case _:
                raise ExaminerGone("the examiner said something unknown")

    def on_examiner_death(self, why: str) -> None:
        """The examiner is gone: the program that it was weighing brought it to its limit."""
        self._examiner_died = why
        self._done = True
        self._worker.programs.stop()

    def turn(self) -> Turn | None:
        """What has come of it since the last time; None where there is nothing new."""
        over = self._over and self._done
        judged = [] if self._session and not over else self._judged(over)
        if not over:
            return Turn(judged, [], over=False) if judged else None
        again = self._tasks[self._told :]
        if self._session:
            judged, again = self._sorted(judged)
        elif self._examiner_died and again:
            judged.append((again[0], self._verdict({"found": "lost"}, None, "fork")))
            again = again[1:]
        return Turn(judged, again, over=True)

    def _judged(self, over: bool) -> list[tuple[Task, Result]]:
        """Verdicts on the programs whose report and ending are both known by now."""
        judged: list[tuple[Task, Result]] = []
        mode: Mode = "session" if self._session else "fork"
        while self._told < len(self._reports):
            report = self._reports[self._told]
            ending: Ending | None = None
            if report.get("ran"):
                if self._session:
                    ending = self._share()
                elif self._paired < len(self._endings):
                    ending = self._endings[self._paired]
                    self._paired += 1
                elif not over:
                    break
            task = self._tasks[self._told]
            judged.append((task, self._verdict(report, ending, mode)))
            self._told += 1
        return judged

    def _share(self) -> Ending | None:
        """Each program's share of what the session used."""
        if not self._endings:
            return None
        whole = self._endings[0]
        ran = sum(1 for report in self._reports if report.get("ran"))
        return replace(whole, cpu=whole.cpu / ran, wall=whole.wall / ran)

    def _sorted(
        self, judged: list[tuple[Task, Result]]
    ) -> tuple[list[tuple[Task, Result]], list[Task]]:
        """In a session only clear reports count; the rest is tried again."""
        clear, again = [], []
        for i, task in enumerate(self._tasks):
            report = self._reports[i] if i < len(self._reports) else {}
            if report.get("found") in ("passed", "failed", "error"):
                clear.append(judged[i])
                continue
            # Whatever is unclear, or was up when the session ended, is judged alone from now on.
            if i < len(self._reports) or (self._examiner_died and i == len(self._reports)):
                task.mode = "fork"
            again.append(task)
        return clear, again

    def _verdict(self, report: dict[str, Any], ending: Ending | None, mode: Mode) -> Verdict:
        tests = self._job.tests
        formed = form(
            report,
            ending or _NEVER_RAN,
            self._limits,
            level="shared" if isinstance(tests, SuiteTests) else "isolated",
            mode=mode,
            isolation=self._worker.isolation,
        )
        if ending is None and report.get("found") == "lost":
            why = f"comparing what the program answered did not end: {self._examiner_died}"
            return replace(formed, status="timeout", evidence=evidence({}, message=why))
        return formed


def _job(task: Task) -> Job:
    assert isinstance(task.job, Job)
    return task.job


_NEVER_RAN = Ending(code=0, why="", cpu=0.0, wall=0.0, peak=0)
