"""Where verifications run: in threads of their own, each with a sandbox of its own, a few at once.

    async with verifier.begin(work, seconds=60) as running:
        await running.result

`work` is called in the thread with a sandbox, the model, and somebody to tell how far it is. Who
leaves the block ends it: the sandbox is closed with every process in it, whatever the work was at,
and texts that are being written for it are not written any further. Each verification has a sandbox
of its own, so nothing of one client's is ever where another's runs, and it is closed behind it.

Where the machine does not offer what the isolation policy requires, nothing is run.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from codewright.errors import MachineError
from codewright.sandbox.environment import Environment
from codewright.sandbox.pool import Pool
from codewright.serve.refusal import Refusal
from codewright.serve.served import Drafts
from codewright.serve.watching import TICK, Watched, Watching, Writer
from codewright.types.generation import Request

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SOON = 5.0
"""Seconds after which to ask again, where no verification has told yet how long one takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """What verifications may use: the server's limits.

    at_once: verifications; 0 is none. candidates: of one at most. seconds: for one at most.
    isolation: the policy's name. packages: what programs may import. workers: programs of one that
    run at once; 0 shares the cores among the verifications.
    """

    at_once: int = 2
    candidates: int = 100
    seconds: float = 300.0
    isolation: str = "default"
    packages: tuple[str, ...] = ("numpy",)
    workers: int = 0


class Work(Protocol[T_co]):
    """What is done in the thread."""

    def __call__(self, sandbox: Watched, writer: Writer, watching: Watching) -> T_co:
        """Returns what comes of it; lets what `watching` raises through."""
        ...


@dataclass(frozen=True, slots=True)
class Begun(Generic[T]):
    """A verification that runs: what comes of it, and how far it is."""

    result: asyncio.Future[T]
    watching: Watching


class Verifier:
    """Verifications for the clients of one model."""

    def __init__(
        self, trials: Trials, name: str, write: Callable[[Request], Awaitable[Drafts]]
    ) -> None:
        self.trials = trials
        self._name = name
        self._write = write
        self._threads = concurrent.futures.ThreadPoolExecutor(
            trials.at_once + 1, thread_name_prefix="verification"
        )
        self._running: set[Watching] = set()
        self._layers: asyncio.Future[tuple[str, ...]] | None = None
        self._lasted = SOON
        self.answered = self.abstained = 0

    async def layers(self) -> tuple[str, ...]:
        """Returns the layers of isolation that programs run behind; they are tried once.

        Raises:
            IsolationError: this machine does not offer what the policy requires.
            WorkerError: the sandbox does not start.
        """
        if self._layers is None:
            loop = asyncio.get_running_loop()
            self._layers = loop.run_in_executor(self._threads, self._try)
        try:
            return await asyncio.shield(self._layers)
        except MachineError:
            self._layers = None  # what was missing may have been mended
            raise

    async def card(self) -> Mapping[str, object]:
        """Returns what a client may ask for; never raises for what the machine lacks."""
        if not self.trials.at_once:
            return {"offered": False, "why": "it is turned off"}
        try:
            layers = await self.layers()
        except MachineError as error:
            return {"offered": False, "why": error.message}
        return {
            "offered": True,
            "isolation": list(layers),
            "candidates": self.trials.candidates,
            "seconds": self.trials.seconds,
            "at_once": self.trials.at_once,
        }

    def gauges(self) -> Mapping[str, float]:
        """Returns what is counted of it."""
        return {
            "verifications_running": len(self._running),
            "verifications_total": self.answered,
            "verifications_abstained_total": self.abstained,
        }

    @asynccontextmanager
    async def begin(self, work: Work[T], *, seconds: float) -> AsyncIterator[Begun[T]]:
        """Does `work` in a thread, as long as the block lasts and for `seconds` at most.

        Raises:
            Refusal: nothing is verified here, or as much as may be at once.
            IsolationError, WorkerError: as `layers`.
        """
        if not self.trials.at_once:
            raise Refusal("this server verifies no candidates", status=400, param="verify")
        await self.layers()
        if len(self._running) >= self.trials.at_once:
            wait = math.ceil(self._lasted)
            raise Refusal(
                f"{len(self._running)} verifications are running, which is as many as may",
                status=429,
                hint=f"ask again in {wait} s",
                code="busy",
                retry_after=wait,
            )
        watching = Watching(seconds)
        loop = asyncio.get_running_loop()
        self._running.add(watching)
        job = self._threads.submit(self._run, work, watching, loop)
        result = asyncio.wrap_future(job)
        # Its place is free when its last process has gone, not when its client has.
        job.add_done_callback(lambda _: self._running.discard(watching))
        try:
            yield Begun(result, watching)
        finally:
            watching.leave()
            if result.done() and not result.cancelled():
                result.exception()  # seen, whoever waited
            result.cancel()

    def close(self, seconds: float) -> None:
        """Ends what runs, and waits until it has; but not longer."""
        for watching in list(self._running):
            watching.leave()
        until = time.monotonic() + seconds
        while self._running and time.monotonic() < until:
            time.sleep(TICK)
        self._threads.shutdown(wait=not self._running, cancel_futures=True)

    def _try(self) -> tuple[str, ...]:
        with self._pool(1) as pool:
            return pool.isolation

    def _run(self, work: Work[T], watching: Watching, loop: asyncio.AbstractEventLoop) -> T:
        began = time.monotonic()
        watching.check()
        cores = len(os.sched_getaffinity(0))
        workers = self.trials.workers or max(1, cores // self.trials.at_once)
        with self._pool(workers) as pool:
            writer = Writer(self._name, self._write, loop, watching)
            done = work(Watched(pool, watching), writer, watching)
        self._lasted = time.monotonic() - began
        return done

    def _pool(self, workers: int) -> Pool:
        return Pool(
            workers=workers,
            isolation=self.trials.isolation,
            environment=Environment(packages=self.trials.packages),
        )
