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
_LEAVE_SECONDS = 0.05
_WEDGED_SECONDS = 60.0
_SERVER_MEMORY = 2 << 30
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
    """What a trial gave: verdicts, and tasks to be judged again."""

    judged: list[tuple[Task, Verdict]]
    again: list[Task]


class ExamTrial:
    """Programs that meet an examiner in one fork."""

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
        self._ending: Ending | None = None
        self._done = False
        self._examiner_died = ""
        self.moment = float("inf")

    def start(self) -> None:
        """Forks the program's process and hands its channel to the examiner."""
        worker, job = self._worker, self._tasks[0].job
        exam = worker.examination(job)
        near, far = socket.socketpair()
        with near, far:
            self._number = worker.programs.fork("candidate", self._limits, [far.fileno()], [3])
            exam.examine(
                [t.job.program for t in self._tasks],
                near,
                gated=self._session,
                compiled=worker.same_interpreter,
                patience=self._limits.wall_seconds,
            )

    def on_exit(self, ending: Ending) -> None:
        """The program's process has ended."""
        self._ending = ending

    def on_report(self, message: list[Any]) -> None:
        """The examiner speaks."""
        match message:
            case ["report", dict() as report]:
                self._reports.append(report)
            case ["stalled"]:
                self._worker.programs.tell("stalled", self._number)
            case ["done"]:
                self._done = True
                self.moment = time.monotonic() + _LEAVE_SECONDS
            case _:
                raise ExaminerGone("the examiner said something unknown")

    def on_examiner_death(self, why: str) -> None:
        """The examiner is gone: the program that it was weighing brought it to its limit."""
        self._examiner_died = why
        self._done = True
        self.on_moment()

    def on_moment(self) -> None:
        """The program's process had its time to leave."""
        self.moment = float("inf")
        if self._ending is None:
            self._worker.programs.tell("kill", self._number)

    def turn(self) -> Turn | None:
        """What came of it, once it is over."""
        if self._ending is None or not self._done:
            return None
        if not self._session:
            return Turn([(self._tasks[0], self._verdict(0, "fork"))], [])
        judged, again = [], []
        for i, task in enumerate(self._tasks):
            report = self._reports[i] if i < len(self._reports) else {}
            if report.get("found") in ("passed", "failed", "error"):
                judged.append((task, self._verdict(i, "session")))
            else:
                # Only the first without a clear report spoilt the session; the rest go on.
                alone = i < len(self._reports) or i == len(self._reports)
                task.mode = "fork" if alone else "session"
                again.append(task)
        return Turn(judged, again)

    def _verdict(self, index: int, mode: Mode) -> Verdict:
        task, ending = self._tasks[index], self._ending
        assert ending is not None
        report = self._reports[index] if index < len(self._reports) else {"found": "lost"}
        if self._session:
            ending = replace(ending, cpu=ending.cpu / len(self._tasks))
        level = "shared" if isinstance(task.job.tests, SuiteTests) else "isolated"
        formed = form(
            report, ending, self._limits,
            level=level, mode=mode, isolation=self._worker.isolation,
        )  # fmt: skip
        if self._examiner_died and index >= len(self._reports):
            why = f"comparing what the program answered did not end: {self._examiner_died}"
            return replace(formed, status="timeout", evidence=evidence({}, message=why))
        return formed


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
        return min(self._trial.moment, self._quiet_since + self._patience())

    def _patience(self) -> float:
        limits = self.tasks[0].job.limits
        return _WEDGED_SECONDS + 15 * limits.wall_seconds + 4 * limits.cpu_seconds * len(self.tasks)

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
        self._examination = Examination(self._examiners, job)
        return self._examination

    def _dismiss(self) -> None:
        """Lets the examiner go and waits until its server has seen it off."""
        exam, self._examination = self._examination, None
        if exam is None:
            return
        exam.close()
        self._examiners.tell("kill", exam.number)
        while self._examiners.receive()["id"] != exam.number:
            pass

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
                trial.on_exit(Ending.of(message))
        elif ready is self._examiners.control:
            message = self._examiners.receive()
            if exam is not None and message["id"] == exam.number:
                self._lose_examiner(f"the tests' process ended ({message['why'] or 'died'})")
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
            ending = self._examiners.receive()
            self._lose_examiner(f"the tests' process ended ({ending['why'] or 'died'})")

    def _lose_examiner(self, why: str) -> None:
        if self._examination is not None:
            self._examination.close()
            self._examination = None
        if isinstance(self._trial, ExamTrial):
            self._trial.on_examiner_death(why)

    def on_moment(self) -> Turn | None:
        """A named moment has come.

        Raises:
            ServerGone: nothing was heard for so long that the servers must be stuck.
        """
        now = time.monotonic()
        if self._trial is not None:
            if now >= self._quiet_since + self._patience():
                raise ServerGone
            if now >= self._trial.moment:
                self._trial.on_moment()
        return self._over()

    def _over(self) -> Turn | None:
        turn = self._trial.turn() if self._trial is not None else None
        if turn is None:
            return None
        self._trial = None
        if isinstance(turn, Verdict):
            turn = Turn([(self.tasks[0], turn)], [])
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
