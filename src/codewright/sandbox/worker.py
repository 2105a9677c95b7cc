"""One worker: a fork server for programs, one for examiners, and the trial that is on.

The worker never waits: `pool.py` calls it when one of its sockets can be read or a moment that it
named has come.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import replace

from codewright.sandbox.environment import Environment
from codewright.sandbox.examination import Examination, ExaminerGone
from codewright.sandbox.languages import LANGUAGES
from codewright.sandbox.observing import ObservingTrial
from codewright.sandbox.policy import Policy, demand
from codewright.sandbox.purity import LATE, MEMBERS
from codewright.sandbox.server import EXAMINER_ROLES, PROGRAM_ROLES, ForkServer, ServerGone
from codewright.sandbox.stdio import StdioTrial
from codewright.sandbox.trial import ExamTrial, Task, Turn
from codewright.sandbox.verdict import Ending
from codewright.types.behaviour import Probe
from codewright.types.judging import AssertTests, Job, StdioTests, Verdict

_WEDGED_SECONDS = 60.0
_BATCH = 16
_SERVER_MEMORY = 8 << 30
_EXAMINER_MEMORY = 8 << 30


Trial = ExamTrial | StdioTrial | ObservingTrial


class Worker:
    """Two fork servers and what they are doing.

    Args:
        environment: what programs run on.
        examiner_environment: what tests run on.
        policy: what must hold.
        core: the processor that both servers keep to, or None for all. They take turns, so that
            one is enough for them, and what one leaves in its caches the other finds.
    """

    def __init__(
        self,
        environment: Environment,
        examiner_environment: Environment,
        policy: Policy,
        core: int | None = None,
    ) -> None:
        self._environment = environment
        self._examiner_environment = examiner_environment
        self._policy = policy
        self.core = core
        self._examination: Examination | None = None
        self._trial: Trial | None = None
        self._examiner_alive = False
        self._quiet_since = time.monotonic()
        self._patience = _WEDGED_SECONDS
        self.tasks: list[Task] = []
        self.isolation: tuple[str, ...] = ()
        self.programs = ForkServer(environment, PROGRAM_ROLES, _SERVER_MEMORY, core)
        self._examiners = ForkServer(examiner_environment, EXAMINER_ROLES, _EXAMINER_MEMORY, core)

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
    def may_share(self) -> bool:
        """Whether programs may share a process behind the static gate.

        The gate judges for its own interpreter's version, and knows only modules that were loaded
        before any program: one that is first imported by a program that has used up the memory
        can be left crippled for the next.
        """
        loaded = set(self._environment.preload)
        return self.same_interpreter and MEMBERS.keys() - LATE <= loaded

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
        if isinstance(job, Probe):
            self._trial = ObservingTrial(self.programs, self.tasks)
        elif isinstance(job.tests, StdioTests):
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
            if self._examination is not None:
                # It is linked to the server that goes.
                self._examination.close()
                self._examination = None
            self.programs.close()
            self.programs = self._server(self._environment, PROGRAM_ROLES, _SERVER_MEMORY)

    def _server(self, environment: Environment, roles: dict[str, str], memory: int) -> ForkServer:
        server = ForkServer(environment, roles, memory, self.core)
        server.wait_ready()
        demand(self._policy, server.layers)
        return server

    def examination(self, job: Job) -> Examination:
        """An examiner that holds the job's tests."""
        if self._examination is not None and self._examination.holds(job):
            self._examiners.tell("renew", self._examination.number)
            return self._examination
        wanted = _needs(job)
        if self._examination is not None:
            if self._examination.clean and not wanted:
                self._examination.retake(job)
                self._examiners.tell("renew", self._examination.number)
                return self._examination
            # Its server ends it when it is asked for the next one.
            self._examination.close()
            self._examination = None
        if not wanted <= set(self._examiner_environment.preload):
            preload = (*self._examiner_environment.preload, *sorted(wanted))
            self._examiner_environment = replace(self._examiner_environment, preload=preload)
            self._examiners.close()
            self._examiners = self._server(
                self._examiner_environment, EXAMINER_ROLES, _EXAMINER_MEMORY
            )
        self._examination = Examination(self._examiners, self.programs, job)
        return self._examination

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
            # Its limit is for a batch of programs.
            self._examiners.tell("renew", exam.number)
        except ExaminerGone:
            # Its server tells how it ended; until then there is nothing more to read. One that
            # said what it should not may still be alive.
            self._examiners.tell("kill", exam.number)
            self._examiners.tell("kill", exam.number)
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
            if isinstance(self._trial, ObservingTrial):
                self._trial.close()
            self._trial = None
            self.tasks = []
        return turn

    def close(self) -> None:
        """Ends both servers and everything in their jails."""
        if isinstance(self._trial, ObservingTrial):
            self._trial.close()
        if self._examination is not None:
            self._examination.close()
        self.programs.close()
        self._examiners.close()


def _needs(job: Job) -> set[str]:
    """Heavy modules that the tests import: their examiners are forked with them loaded."""
    code = job.tests.code if isinstance(job.tests, AssertTests) else ""
    return {name for name in ("numpy", "pandas") if f"import {name}" in code[:20_000]}
