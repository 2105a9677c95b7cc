"""The pool for programs that live in an event loop.

It turns the same crank as `Pool.judge`, from the loop instead of a wait: the pool's descriptor
tells when, and a timer when a moment comes that the pool has named.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Any, Self

from codewright.sandbox.pool import Pool
from codewright.types.behaviour import Observation, Probe
from codewright.types.judging import Job, Mode, Verdict


class AsyncPool:
    """Judges programs for coroutines of one event loop.

    Args:
        pool: a pool that nobody else uses; it is closed with this object.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(pool.fileno(), self._turn)
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def judge(self, job: Job, *, mode: Mode = "fork") -> Verdict:
        """The verdict on one job; many may be awaited at once.

        A cancelled wait leaves the program to its end and drops the verdict.

        Raises:
            WorkerError, IsolationError: a worker died and could not be replaced.
        """
        verdict = await self._queue(job, mode)
        assert isinstance(verdict, Verdict)
        return verdict

    async def observe(self, probe: Probe) -> Observation:
        """What a program did on its inputs; otherwise as `judge`."""
        seen = await self._queue(probe, "fork")
        assert isinstance(seen, Observation)
        return seen

    def submit(self, job: Job, *, mode: Mode = "fork") -> asyncio.Future[Any]:
        """Queues a job; the future is given what `judge` returns or raises."""
        return self._queue(job, mode)

    def _queue(self, job: Job | Probe, mode: Mode) -> asyncio.Future[Any]:
        number = self._pool.submit(job, mode=mode)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[number] = future
        # Not at once: what else is awaited in this turn of the loop may share a session.
        self._loop.call_soon(self._turn)
        return future

    def _turn(self) -> None:
        try:
            self._pool.step(0)
        except BaseException as error:  # boundary: whoever waits must hear of it
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(error)
            self._waiting.clear()
            return
        for number in list(self._pool.finished):
            result = self._pool.finished.pop(number)
            future = self._waiting.pop(number)
            if not future.done():
                future.set_result(result)
        self._wind()

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        moment = self._pool.moment
        if moment != float("inf"):
            delay = max(moment - time.monotonic(), 0.0)
            self._timer = self._loop.call_later(delay, self._turn)

    def cancel(self) -> None:
        """Drops everything that is open; whoever awaits it is cancelled."""
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()
        self._pool.cancel()
        self._wind()

    def close(self) -> None:
        """Ends the pool; what is still awaited is cancelled."""
        self._loop.remove_reader(self._pool.fileno())
        if self._timer is not None:
            self._timer.cancel()
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()
        self._pool.close()
