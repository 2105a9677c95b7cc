"""What runs on one node of a cluster: an asynchronous pool, and the chunks of jobs that it gets.

Chunks and verdicts travel between processes of this package, pickled by Ray; see `cluster.py`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version

from codewright.errors import WorkerError
from codewright.sandbox.aio import AsyncPool
from codewright.sandbox.environment import Environment
from codewright.sandbox.pool import Pool
from codewright.types.judging import Job, Limits, Mode, Tests, Verdict

_CHUNK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Neighbouring jobs that differ in the program alone."""

    programs: tuple[str, ...]
    tests: Tests
    entry_point: str
    language: str
    limits: Limits
    mode: Mode

    def jobs(self) -> list[Job]:
        """The jobs; all hold the same tests, not only equal ones."""
        return [
            Job(
                program=program,
                tests=self.tests,
                entry_point=self.entry_point,
                language=self.language,
                limits=self.limits,
            )
            for program in self.programs
        ]


class Node:
    """What runs on a node, as an actor of Ray."""

    def __init__(self) -> None:
        self._pool: AsyncPool | None = None
        self._sitting = 0

    async def start(
        self, release: str, workers: int, isolation: str, environment: Environment, own: bool
    ) -> tuple[str, ...]:
        """Starts the pool and returns the layers that hold.

        Args:
            release: the version of this package on the other side.
            own: whether programs run on this node's own interpreter, wherever that is.

        Raises:
            WorkerError, IsolationError, DataError, UnknownName: as `Pool`; another version.
        """
        if release != version("codewright"):
            raise WorkerError(
                f"a node has codewright {version('codewright')}, and this is {release}",
                hint="install the same version on all nodes",
            )
        if own:
            environment = replace(environment, python=sys.executable)
        pool = Pool(workers=workers, isolation=isolation, environment=environment)
        self._pool = AsyncPool(pool)
        return pool.isolation

    async def judge(self, chunk: Chunk, sitting: int) -> list[Verdict]:
        """One verdict for each program of the chunk, in order; none where it comes too late.

        Args:
            sitting: the number that `cancel` says is over. Ray may let a call overtake another.
        """
        assert self._pool is not None
        if sitting < self._sitting:
            return []
        # All are queued before anything else runs here, so that `cancel` finds them.
        queued = [self._pool.submit(job, mode=chunk.mode) for job in chunk.jobs()]
        verdicts: list[Verdict] = await asyncio.gather(*queued)
        return verdicts

    async def cancel(self, sitting: int) -> None:
        """Drops everything that is open, and what of earlier sittings is still to come."""
        assert self._pool is not None
        self._sitting = sitting
        self._pool.cancel()

    async def close(self) -> None:
        """Ends the pool; nothing of it stays behind."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None


def chunks(jobs: Iterable[Job], mode: Mode) -> Iterator[Chunk]:
    """The jobs in order, neighbours with the same tests together."""
    gathered: list[Job] = []
    for job in jobs:
        if gathered and (len(gathered) == _CHUNK or not _together(gathered[0], job)):
            yield _chunk(gathered, mode)
            gathered = []
        gathered.append(job)
    if gathered:
        yield _chunk(gathered, mode)


def _chunk(jobs: list[Job], mode: Mode) -> Chunk:
    first = jobs[0]
    return Chunk(
        programs=tuple(job.program for job in jobs),
        tests=first.tests,
        entry_point=first.entry_point,
        language=first.language,
        limits=first.limits,
        mode=mode,
    )


def _together(one: Job, two: Job) -> bool:
    return (
        one.tests is two.tests
        and one.entry_point == two.entry_point
        and one.language == two.language
        and one.limits == two.limits
    )
