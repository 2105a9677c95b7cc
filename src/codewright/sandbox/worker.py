"""One worker: a fork server for programs, one for examiners, and the trial that is on.

The worker never waits: `pool.py` calls it when one of its sockets can be read or a moment that it
named has come. A trial is one program, or in mode `session` many statically gated programs of one
problem; whatever dies or runs out of time in company is handed back to be judged alone.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from codewright.sandbox.environment import Environment
from codewright.sandbox.examination import Examination, ExaminerGone
from codewright.sandbox.languages import LANGUAGES
from codewright.sandbox.policy import Policy, demand
from codewright.sandbox.server import EXAMINER_ROLES, PROGRAM_ROLES, ForkServer, ServerGone
from codewright.sandbox.stdio import StdioTrial
from codewright.sandbox.verdict import Ending, evidence, form
from codewright.types import AssertTests, Job, Mode, StdioTests, SuiteTests, Verdict

_QUICK_CPU, _CPU_EACH = 0.06, 0.01
_WEDGED_SECONDS = 60.0
_BATCH = 16
_SERVER_MEMORY = 8 << 30
_EXAMINER_MEMORY = 8 << 30


@dataclass(slots=True)
class Task:
    """A job on its way: its place in the order, and how often a worker died under it."""

    number: int
    job: Job
    mode: Mode
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What a trial gave: verdicts, tasks to be judged again, and whether that is all."""

    judged: list[tuple[Task, Verdict]]
    again: list[Task]
    over: bool = True


class ExamTrial:
    """Programs that meet an examiner: each in a fork of its own, or in a session all in one."""

    def __init__(self, worker: Worker, tasks: list[Task]) -> None:
        self._worker = worker
        self._tasks = tasks
        self._session = tasks[0].mode == "session"
        limits = tasks[0].job.limits
        if self._session:
            quick = min(limits.cpu_seconds, _QUICK_CPU) + _CPU_EACH * len(tasks)
            limits = replace(limits, cpu_seconds=quick)
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
        exam = self._worker.examination(self._tasks[0].job)
        self._worker.programs.series(self._limits)
        exam.examine(
            [t.job.program for t in self._tasks],
            gated=self._session,
            compiled=self._worker.same_interpreter,
            patience=self._limits.wall_seconds,
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

    def _judged(self, over: bool) -> list[tuple[Task, Verdict]]:
        """Verdicts on the programs whose report and ending are both known by now."""
        judged: list[tuple[Task, Verdict]] = []
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
        self, judged: list[tuple[Task, Verdict]]
    ) -> tuple[list[tuple[Task, Verdict]], list[Task]]:
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
        tests = self._tasks[0].job.tests
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


_NEVER_RAN = Ending(code=0, why="", cpu=0.0, wall=0.0, peak=0)

Trial = ExamTrial | StdioTrial


class Worker:
    """Two fork servers and what they are doing.

    Args:
        environment: what programs run on.
        examiner_environment: what tests run on.
        policy: what must hold.
    """

    def __init__(
        self, environment: Environment, examiner_environment: Environment, policy: Policy
    ) -> None:
        self._environment = environment
        self._examiner_environment = examiner_environment
        self._policy = policy
        self._examination: Examination | None = None
        self._trial: Trial | None = None
        self._examiner_alive = False
        self._quiet_since = time.monotonic()
        self._patience = _WEDGED_SECONDS
        self.tasks: list[Task] = []
        self.isolation: tuple[str, ...] = ()
        self.programs = ForkServer(environment, PROGRAM_ROLES, _SERVER_MEMORY)
        self._examiners = ForkServer(examiner_environment, EXAMINER_ROLES, _EXAMINER_MEMORY)

    def wait_ready(self) -> None:
        """Waits for both servers and checks the policy.

        Raises:
            WorkerError, IsolationError: see `ForkServer` and `demand`.
        """
        for server in (self.programs, self._examiners):
            server.wait_ready()
            self.isolation = demand(self._policy, server.layers)

    @property
    def same_interpreter(self) -> bool:
        """Whether code compiled by the examiners runs in the programs' interpreter."""
        return self.programs.version == self._examiners.version

    @property
    def layers(self) -> dict[str, str]:
        """Layer to why it is missing."""
        return self.programs.layers

    @property
    def idle(self) -> bool:
        """Whether it can take a trial."""
        return self._trial is None

    @property
    def moment(self) -> float:
        """Monotonic time at which it wants to be called even if nothing can be read."""
        if self._trial is None:
            return float("inf")
        return self._quiet_since + self._patience

    def sockets(self) -> list[socket.socket]:
        """What to watch for reading."""
        watched = [self.programs.control, self._examiners.control]
        if self._examination is not None:
            watched.append(self._examination.orders)
        return watched

    def start(self, tasks: Sequence[Task]) -> Turn | None:
        """Begins a trial of tasks that have the same tests; some are over at once.

        Raises:
            ServerGone: a server has died.
        """
        assert self._trial is None
        self.tasks = list(tasks)
        self._quiet_since = time.monotonic()
        job = tasks[0].job
        # Reports come in batches: the longest silence is a batch of programs at their limits.
        longest = 15 * job.limits.wall_seconds + 4 * job.limits.cpu_seconds
        self._patience = _WEDGED_SECONDS + longest * min(len(tasks), _BATCH)
        if isinstance(job.tests, StdioTests):
            self._show_toolchain(job.language)
            self._trial = StdioTrial(self.programs, job, self.isolation)
        else:
            self._trial = ExamTrial(self, self.tasks)
        try:
            self._trial.start()
        except ExaminerGone as error:
            raise ServerGone from error
        return self._over()

    def _show_toolchain(self, name: str) -> None:
        """Makes a language's own folders visible to programs, from here on."""
        language = LANGUAGES.get(name)
        extra = set(language.extra()) if language is not None else set()
        if not extra <= set(self._environment.extra):
            shown = (*self._environment.extra, *sorted(extra - set(self._environment.extra)))
            self._environment = replace(self._environment, extra=shown)
            self.programs.close()
            self.programs = self._server(self._environment, PROGRAM_ROLES, _SERVER_MEMORY)

    def _server(
        self, environment: Environment, roles: dict[str, str], memory: int
    ) -> ForkServer:
        server = ForkServer(environment, roles, memory)
        server.wait_ready()
        demand(self._policy, server.layers)
        return server

    def examination(self, job: Job) -> Examination:
        """An examiner that holds the job's tests."""
        if self._examination is not None:
            if self._examination.holds(job):
                self._examiners.tell("renew", self._examination.number)
                return self._examination
            self._dismiss()
        wanted = _needs(job)
        if not wanted <= set(self._examiner_environment.preload):
            preload = (*self._examiner_environment.preload, *sorted(wanted))
            self._examiner_environment = replace(self._examiner_environment, preload=preload)
            self._examiners.close()
            self._examiners = self._server(
                self._examiner_environment, EXAMINER_ROLES, _EXAMINER_MEMORY
            )
        self._examination = Examination(self._examiners, self.programs, job)
        return self._examination

    def _dismiss(self) -> None:
        """Lets the examiner go and waits until its server has seen it off."""
        exam, self._examination = self._examination, None
        if exam is None:
            return
        exam.close()
        self._examiners.tell("kill", exam.number)
        self._await_examiner(exam.number)

    def _await_examiner(self, number: int) -> str:
        """Waits until the examiners' server has seen one off; returns why it was killed."""
        while True:
            for ended in self._examiners.receive()["forks"]:
                if ended[0] == number:
                    return str(ended[2])

    def on_readable(self, ready: socket.socket) -> Turn | None:
        """Takes in what can be read; returns what came of the trial once it is over.

        Raises:
            ServerGone: a server has died.
        """
        self._quiet_since = time.monotonic()
        trial, exam = self._trial, self._examination
        if ready is self.programs.control:
            message = self.programs.receive()
            if trial is not None:
                endings = [Ending.of(ended) for ended in message["forks"]]
                trial.on_ended(endings, over=message["over"])
        elif ready is self._examiners.control:
            for ended in self._examiners.receive()["forks"]:
                if exam is not None and ended[0] == exam.number:
                    self._lose_examiner(ended[2])
        elif exam is not None and ready is exam.orders:
            self._hear(exam)
        return self._over()

    def _hear(self, exam: Examination) -> None:
        try:
            for message in exam.receive():
                if isinstance(self._trial, ExamTrial):
                    self._trial.on_report(message)
        except ExaminerGone:
            # Its server tells how it ended; until then there is nothing more to read.
            self._lose_examiner(self._await_examiner(exam.number))

    def _lose_examiner(self, why: str) -> None:
        """The examiner has ended.

        Args:
            why: the reason for which its server killed it; empty where it died by itself.
        """
        if self._examination is not None:
            self._examination.close()
            self._examination = None
        if isinstance(self._trial, ExamTrial):
            self._trial.on_examiner_death(f"the tests' process ended ({why or 'it died'})")

    def on_moment(self) -> Turn | None:
        """A named moment has come.

        Raises:
            ServerGone: nothing was heard for so long that the servers must be stuck.
        """
        if self._trial is not None and time.monotonic() >= self._quiet_since + self._patience:
            raise ServerGone
        return None

    def _over(self) -> Turn | None:
        turn = self._trial.turn() if self._trial is not None else None
        if isinstance(turn, Verdict):
            turn = Turn([(self.tasks[0], turn)], [])
        if turn is None:
            return None
        judged = {id(task) for task, _ in turn.judged}
        self.tasks = [task for task in self.tasks if id(task) not in judged]
        if turn.over:
            self._trial = None
            self.tasks = []
        return turn

    def close(self) -> None:
        """Ends both servers and everything in their jails."""
        if self._examination is not None:
            self._examination.close()
        self.programs.close()
        self._examiners.close()


def _needs(job: Job) -> set[str]:
    """Heavy modules that the tests import: their examiners are forked with them loaded."""
    code = job.tests.code if isinstance(job.tests, AssertTests) else ""
    return {name for name in ("numpy", "pandas") if f"import {name}" in code[:20_000]}
