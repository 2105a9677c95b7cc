"""What a verification's thread is given: somebody who waits, a sandbox, and the server's model.

All three end the thread's work, by an exception, as soon as nobody waits any more or its time is
over.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from codewright.sandbox.pool import Pool
from codewright.serve.refusal import Refusal
from codewright.serve.served import Drafts
from codewright.types.behaviour import Observation, Probe
from codewright.types.generation import Completion, Message, Request
from codewright.types.judging import Job, Mode, Verdict

TICK = 0.05
"""Seconds after which a thread looks whether anybody still waits for it."""

Stage = tuple[str, int, int]
"""What is being done, how much of it is done, and of how much; of 0 where nobody knows."""


class Gone(Exception):
    """Nobody waits for this verification any more."""


class Watching:
    """One verification as seen from both sides: how far it is, and whether it is to end."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._leaving = threading.Event()
        self.stage: Stage = ("starting", 0, 0)
        self._left: deque[Stage] = deque()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Takes down how far it is; otherwise as `check`."""
        if stage != self.stage[0]:
            self._left.append(self.stage)
        self.stage = (stage, done, total)
        self.check()

    def news(self) -> list[Stage]:
        """Returns the stages that were left since this was last asked, and the present one.

        A short stage is thus told of too, however seldom somebody asks.
        """
        return [*(self._left.popleft() for _ in range(len(self._left))), self.stage]

    def check(self) -> None:
        """Does nothing while somebody waits and there is time.

        Raises:
            Gone: nobody waits.
            Refusal: the time is over.
        """
        if self._leaving.is_set():
            raise Gone
        if time.monotonic() > self._until:
            raise Refusal(
                f"the verification took more than {self._seconds:g} s, at {self.stage[0]}",
                status=408,
                hint="ask for fewer candidates, or give it more seconds",
            )

    def leave(self) -> None:
        """Tells the thread that nobody waits."""
        self._leaving.set()


class Watched:
    """A sandbox that looks, while it waits, whether anybody waits for it."""

    def __init__(self, pool: Pool, watching: Watching) -> None:
        self._pool = pool
        self._watching = watching

    @property
    def isolation(self) -> tuple[str, ...]:
        """The layers that hold."""
        return self._pool.isolation

    def judge(self, jobs: Iterable[Job], *, mode: Mode = "fork") -> Iterator[Verdict]:
        """Yields one verdict per job, in order; raises as `Watching.check`."""
        for verdict in self._results(jobs, mode):
            assert isinstance(verdict, Verdict)
            yield verdict

    def observe(self, probes: Iterable[Probe]) -> Iterator[Observation]:
        """Yields what each program did, in order; raises as `Watching.check`."""
        for seen in self._results(probes, "fork"):
            assert isinstance(seen, Observation)
            yield seen

    def _results(self, jobs: Iterable[Job | Probe], mode: Mode) -> Iterator[Verdict | Observation]:
        for number in [self._pool.submit(job, mode=mode) for job in jobs]:
            while number not in self._pool.finished:
                self._watching.check()
                self._pool.step(TICK)
            yield self._pool.finished.pop(number)


class Writer:
    """The server's model as a generator for a thread, behind the turns of a conversation.

    `read` and `written` are the tokens that it cost so far.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Request], Awaitable[Drafts]],
        loop: asyncio.AbstractEventLoop,
        watching: Watching,
    ) -> None:
        self._name = name
        self._write = write
        self._loop = loop
        self._watching = watching
        self.read = self.written = 0
        self.before: tuple[Message, ...] = ()
        self.stops: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self._name

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns the completions of each request; raises as the model, and as `Watching.check`."""
        return [completions for _, completions in self.stream(requests)]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index, completions) in the order of `requests`; raises as `generate`."""
        futures = [
            asyncio.run_coroutine_threadsafe(self._ask(request), self._loop) for request in requests
        ]
        try:
            for index, future in enumerate(futures):
                while not concurrent.futures.wait([future], TICK).done:
                    self._watching.check()
                drafts = future.result()
                self.read += drafts.read
                self.written += drafts.written
                yield index, drafts.completions
        finally:
            for future in futures:
                future.cancel()

    async def _ask(self, request: Request) -> Drafts:
        turns = (*self.before, *request.messages) if request.messages else ()
        stops = (*self.stops, *request.stop)
        return await self._write(replace(request, messages=turns, stop=stops))
