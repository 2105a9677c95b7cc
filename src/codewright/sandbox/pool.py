"""Many workers, one order of results.

`Pool` is driven by one selector and has no threads: `submit` and `step` are the whole machine,
`judge` is the plain loop over them, and `aio.py` lets an event loop turn the same crank. Jobs are
read only as fast as verdicts are taken; a worker whose server dies is replaced and its programs
are tried once more.
"""

from __future__ import annotations

import contextlib
import functools
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from codewright.errors import UserError
from codewright.sandbox import cgroups, policy
from codewright.sandbox.environment import Environment
from codewright.sandbox.server import ServerGone
from codewright.sandbox.trial import Result, Task, Turn
from codewright.sandbox.worker import Worker
from codewright.types.behaviour import Inputs, Observation, Outcome, Probe
from codewright.types.judging import Evidence, Job, Mode, StdioTests, Tests, Verdict

_GROUP = 100
_HELPING = 10
_MAX_TRIES = 2
_NEVER = float("inf")


class Pool:
    """Workers that judge programs.

    Args:
        workers: how many programs are judged at once; the number of cores where 0.
        isolation: the policy's name (`policy.POLICIES`).
        environment: what programs run on.
        examiner_environment: what tests run on; by default every package of this interpreter.

    Raises:
        UnknownName: there is no such policy.
        IsolationError: this machine does not offer what the policy requires.
        WorkerError: a fork server did not start.
    """

    def __init__(
        self,
        *,
        workers: int = 0,
        isolation: str = "default",
        environment: Environment | None = None,
        examiner_environment: Environment | None = None,
    ) -> None:
        if workers < 0:
            raise UserError(f"{workers} workers cannot be had", hint="0 means one per core")
        self._policy = policy.find(isolation)
        self._environment = environment or Environment()
        self._examiner_environment = examiner_environment or Environment(system_packages=True)
        self._selector = selectors.EpollSelector()
        self._watched: dict[Worker, list[socket.socket]] = {}
        self._mine: dict[Worker, deque[Task]] = {}
        self._groups: deque[deque[Task]] = deque()
        self._finished: dict[int, Result] = {}
        self._submitted = 0
        self._open = 0
        cgroups.sweep()
        self._workers: list[Worker] = []
        try:
            for core in _cores(workers):
                self._workers.append(self._worker(core))
            for worker in self._workers:
                worker.wait_ready()
                self._watch(worker)
            self._held = self._workers[0].isolation
        except BaseException:
            self.close()
            raise

    def _worker(self, core: int | None) -> Worker:
        return Worker(self._environment, self._examiner_environment, self._policy, core)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def isolation(self) -> tuple[str, ...]:
        """The layers that hold."""
        return self._held

    @property
    def layers(self) -> dict[str, str]:
        """Layer to why it is missing; empty where it holds."""
        return dict(self._workers[0].layers)

    @property
    def workers(self) -> int:
        """How many programs are judged at once."""
        return len(self._workers)

    def judge(self, jobs: Iterable[Job], *, mode: Mode = "fork") -> Iterator[Verdict]:
        """Yields one verdict per job, in order.

        Jobs are read as they are needed. Closing the iterator cancels what is still open.

        Args:
            mode: `fork` gives each program a process of its own. `session` lets statically gated
                programs of one problem share one, for evaluations of many samples.
        """
        for verdict in self._work(jobs, mode):
            assert isinstance(verdict, Verdict)
            yield verdict

    def observe(self, probes: Iterable[Probe]) -> Iterator[Observation]:
        """Yields what each program did on its inputs, in order.

        Probes are read as they are needed; neighbours with the same `Inputs` object go faster.
        Closing the iterator cancels what is still open.

        Raises:
            WireError: an input is no plain data.
        """
        for seen in self._work(probes, "fork"):
            assert isinstance(seen, Observation)
            yield seen

    def _work(self, jobs: Iterable[Job | Probe], mode: Mode) -> Iterator[Result]:
        window = 4 * _GROUP * len(self._workers)
        waiting: deque[int] = deque()
        source = iter(jobs)
        more = True
        try:
            while more or waiting:
                while more and len(waiting) < window:
                    job = next(source, None)
                    if job is None:
                        more = False
                    else:
                        waiting.append(self.submit(job, mode=mode))
                while waiting and waiting[0] in self._finished:
                    yield self._finished.pop(waiting.popleft())
                if waiting and not (more and len(waiting) < window):
                    self.step()
        finally:
            if waiting:
                self.cancel()

    def submit(self, job: Job | Probe, *, mode: Mode = "fork") -> int:
        """Queues work and returns the number under which its result will be `finished`."""
        task = Task(self._submitted, job, mode)
        self._submitted += 1
        self._open += 1
        last = self._groups[-1] if self._groups else None
        if last and len(last) < _GROUP and _together(last[0], task):
            last.append(task)
        else:
            self._groups.append(deque([task]))
        return task.number

    def step(self, timeout: float | None = None) -> None:
        """Lets the workers go on until one has something to say.

        Args:
            timeout: seconds to wait at most; None waits as long as work is open.
        """
        self._assign()
        if not self._open:
            return
        pause = None if self.moment == _NEVER else max(self.moment - time.monotonic(), 0.0)
        if timeout is not None:
            pause = timeout if pause is None else min(pause, timeout)
        for key, _ in self._selector.select(pause):
            worker, ready = key.data
            if worker in self._watched:
                self._drive(worker, functools.partial(worker.on_readable, ready))
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.moment <= now:
                self._drive(worker, worker.on_moment)
        self._assign()

    @property
    def finished(self) -> dict[int, Result]:
        """Results that are ready, by number; whoever takes one removes it."""
        return self._finished

    def fileno(self) -> int:
        """A descriptor that can be read when `step(0)` has something to do."""
        return self._selector.fileno()

    @property
    def moment(self) -> float:
        """Monotonic time at which `step(0)` is due even if nothing can be read; inf for never."""
        return min((worker.moment for worker in self._workers), default=_NEVER)

    def _assign(self) -> None:
        for worker in list(self._workers):
            while worker.idle and worker in self._watched:
                tasks = self._next_tasks(worker)
                if not tasks:
                    break
                self._drive(worker, functools.partial(worker.start, tasks))

    def _next_tasks(self, worker: Worker) -> list[Task]:
        """Neighbours with the same tests; they stay with one worker."""
        group = self._mine.get(worker)
        if not group:
            group = self._groups.popleft() if self._groups else self._half_of_another()
            if not group:
                return []
            self._mine[worker] = group
        if isinstance(_matter(group[0]), StdioTests):
            return [group.popleft()]
        size = len(group)
        if group[0].mode == "fork" and not self._groups:
            # Towards the end small helpings, so that no worker is left with the last of them.
            size = max(1, min(size, _HELPING))
        return [group.popleft() for _ in range(size)]

    def _half_of_another(self) -> deque[Task]:
        largest = max(self._mine.values(), key=len, default=deque[Task]())
        return deque(largest.pop() for _ in range(len(largest) // 2))

    def _drive(self, worker: Worker, action: Callable[[], Turn | None]) -> None:
        """Lets a worker act, takes in what came of it, and replaces it if it died."""
        try:
            turn = action()
        except ServerGone:
            self._retry(self._replace(worker))
            return
        if turn is not None:
            for task, verdict in turn.judged:
                self._finish(task, verdict)
            self._again(turn.again)
        self._watch(worker)

    def _finish(self, task: Task, result: Result) -> None:
        self._finished[task.number] = result
        self._open -= 1

    def _again(self, tasks: Sequence[Task]) -> None:
        """Queues tasks once more, first those that are to be judged alone."""
        for mode in ("session", "fork"):
            group = deque(task for task in tasks if task.mode == mode)
            if group:
                self._groups.appendleft(group)

    def _retry(self, tasks: list[Task]) -> None:
        for task in tasks:
            task.tries += 1
            task.mode = "fork"
            if task.tries >= _MAX_TRIES:
                why = "its worker died under it, and the next one too"
                self._finish(task, _lost(task, why, self._held))
        self._again([task for task in tasks if task.tries < _MAX_TRIES])

    def _replace(self, worker: Worker) -> list[Task]:
        """Puts a new worker in the place of one; returns what the old one was at."""
        tasks = worker.tasks
        self._unwatch(worker)
        worker.close()
        fresh = self._worker(worker.core)
        self._workers[self._workers.index(worker)] = fresh
        self._mine[fresh] = self._mine.pop(worker, deque())
        fresh.wait_ready()
        self._watch(fresh)
        return tasks

    def _watch(self, worker: Worker) -> None:
        """Watches the sockets that a worker has now."""
        now, before = worker.sockets(), self._watched.get(worker, [])
        if now == before:
            return
        self._unwatch(worker)
        for ready in now:
            self._selector.register(ready, selectors.EVENT_READ, (worker, ready))
        self._watched[worker] = now

    def _unwatch(self, worker: Worker) -> None:
        for ready in self._watched.pop(worker, []):
            # A socket that was closed meanwhile is known to the selector by its object alone.
            with contextlib.suppress(KeyError):
                self._selector.unregister(ready)

    def cancel(self) -> None:
        """Drops everything that is open."""
        self._groups.clear()
        self._mine.clear()
        for worker in list(self._workers):
            if not worker.idle:
                self._replace(worker)
        self._finished.clear()
        self._open = 0

    def close(self) -> None:
        """Ends all workers; nothing of theirs stays behind."""
        for worker in self._workers:
            self._unwatch(worker)
            worker.close()
        self._workers = []
        self._selector.close()


def _cores(workers: int) -> list[int | None]:
    """The processor that each worker keeps to.

    A lone worker keeps to none, for there may be other pools; nor do more workers than cores.
    """
    cores = sorted(os.sched_getaffinity(0))
    workers = workers or len(cores)
    if workers == 1 or workers > len(cores):
        return [None] * workers
    return [*cores[:workers]]


def _together(first: Task, other: Task) -> bool:
    """Whether two tasks can meet the same examiner under the same limits."""
    one, two = first.job, other.job
    if _matter(first) is not _matter(other) or first.mode != other.mode:
        return False
    if isinstance(one, Probe) or isinstance(two, Probe):
        return True
    return (
        one.entry_point == two.entry_point
        and one.language == two.language
        and one.limits == two.limits
    )


def _matter(task: Task) -> Tests | Inputs:
    """What a program meets."""
    return task.job.inputs if isinstance(task.job, Probe) else task.job.tests


def _lost(task: Task, why: str, isolation: tuple[str, ...]) -> Result:
    """The result of a program under which workers die."""
    if isinstance(task.job, Probe):
        outcomes = (Outcome(kind="crashed", wire=b"crashed"),) * len(task.job.inputs.calls)
        return Observation(outcomes=outcomes, message=why)
    return Verdict(status="crashed", evidence=Evidence(message=why), isolation=isolation)
