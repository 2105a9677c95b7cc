"""Many machines, one order of results: the pool on every node of a Ray cluster.

One actor a node holds a `Pool`. Jobs travel in chunks of neighbours that have the same tests, so
that a chunk carries its tests once and meets one examiner. Chunks in flight and chunks waiting to
be handed out in order are both bounded, so jobs are read only as fast as verdicts are taken. A
node whose actor dies gets a new one, or is given up, and its chunks are judged once more.

Ray carries the records pickled. That is safe here and would not be elsewhere: both ends are this
package, run by the same user, and a program never sees a channel of Ray's. Programs and their
examiners still speak plain values alone, inside each node's pool.
"""

from __future__ import annotations

import importlib
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

from codewright.errors import CodewrightError, UserError, WorkerError
from codewright.sandbox import policy
from codewright.sandbox.environment import Environment
from codewright.sandbox.link import Link
from codewright.sandbox.node import Chunk, Node, chunks
from codewright.types.judging import Evidence, Job, Mode, Verdict

_MAX_TRIES = 2
_MAX_LOSSES = 3
_START_SECONDS = 120.0
_CLOSE_SECONDS = 20.0


@dataclass(slots=True, eq=False)
class _Sent:
    """A chunk on its way: how often its node died under it, and what came of it."""

    chunk: Chunk
    tries: int = 0
    verdicts: list[Verdict] | None = None


@dataclass(slots=True, eq=False)
class _Seat:
    """A node that judges: its actor, what it is at, and how often it was lost in a row."""

    node: str
    workers: int
    actor: Any = None
    losses: int = 0
    open: dict[Any, _Sent] = field(default_factory=dict)


class Cluster:
    """An `Executor` on Ray.

    Args:
        address: see `link.Link`.
        workers: programs judged at once on each node; 0 is one for each CPU that Ray counts there.
            So many CPUs are reserved.
        isolation: the policy's name; it has to hold on every node.
        environment: what programs run on; with this process's interpreter, each node uses its own.

    Raises:
        MissingExtra: Ray is not installed.
        UnknownName: there is no such policy.
        IsolationError: a node does not offer what the policy requires.
        WorkerError: there is no cluster at the address, or a node could not be started.
    """

    def __init__(
        self,
        *,
        address: str = "",
        workers: int = 0,
        isolation: str = "default",
        environment: Environment | None = None,
    ) -> None:
        if workers < 0:
            raise UserError(f"{workers} workers cannot be had", hint="0 means one per CPU")
        policy.find(isolation)
        self._link = Link(address, workers)
        self._ray = self._link.ray
        self._gone = (self._ray.exceptions.RayActorError, self._ray.exceptions.ObjectLostError)
        self._workers = workers
        self._isolation = isolation
        self._environment = environment or Environment()
        self._held: tuple[str, ...] | None = None
        self._seats: list[_Seat] = []
        self._known: set[str] = set()
        self._sitting = 0
        try:
            for node, cpus in self._nodes().items():
                self._seats.append(_Seat(node=node, workers=workers or cpus))
                self._known.add(node)
            self._start(self._seats)
        except BaseException:
            self.close()
            raise

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
        """The layers that hold on every node."""
        return self._held or ()

    @property
    def workers(self) -> int:
        """How many programs are judged at once, on all nodes together."""
        return sum(seat.workers for seat in self._seats)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Ray's identifiers of the nodes that judge."""
        return tuple(seat.node for seat in self._seats)

    def judge(self, jobs: Iterable[Job], *, mode: Mode = "fork") -> Iterator[Verdict]:
        """Yields one verdict per job, in order; see `Pool.judge`.

        Closing the iterator cancels what is still open.

        Raises:
            WorkerError: no node is left.
        """
        source = chunks(jobs, mode)
        waiting: deque[_Sent] = deque()
        more = True
        try:
            while more or waiting:
                while more and len(waiting) < 2 * self._capacity() and self._free():
                    chunk = next(source, None)
                    if chunk is None:
                        more = False
                    else:
                        waiting.append(_Sent(chunk))
                        self._send(waiting[-1])
                while waiting and (verdicts := waiting[0].verdicts) is not None:
                    waiting.popleft()
                    yield from verdicts
                if waiting:
                    self._hear()
        finally:
            if any(sent.verdicts is None for sent in waiting):
                self.cancel()

    def _capacity(self) -> int:
        return sum(_in_flight(seat) for seat in self._seats)

    def _free(self) -> _Seat | None:
        """The node with the most room for another chunk, None where all are full."""
        seat = max(self._seats, key=lambda s: _in_flight(s) - len(s.open))
        return seat if len(seat.open) < _in_flight(seat) else None

    def _send(self, sent: _Sent) -> None:
        # A chunk that is sent once more may find all nodes full; then it waits at one of them.
        seat = self._free() or min(self._seats, key=lambda s: len(s.open) / s.workers)
        seat.open[seat.actor.judge.remote(sent.chunk, self._sitting)] = sent

    def _hear(self) -> None:
        """Waits until a chunk is done, or its node is gone."""
        seats = {ref: seat for seat in self._seats for ref in seat.open}
        ready, _ = self._ray.wait(list(seats), num_returns=1)
        for ref in ready:
            seat = seats[ref]
            try:
                verdicts = self._get(ref)
            except self._gone:
                self._lose(seat)
                return
            seat.losses = 0
            seat.open.pop(ref).verdicts = verdicts

    def _get(self, ref: Any) -> Any:
        """What a call of an actor gave; its error as it was raised there."""
        try:
            return self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, CodewrightError):
                raise error.cause from None
            raise

    def _lose(self, seat: _Seat) -> None:
        """Replaces the actor of a node, or gives the node up, and sends its chunks again."""
        lost = list(seat.open.values())
        seat.open = {}
        seat.losses += 1
        self._ray.kill(seat.actor)
        if seat.losses >= _MAX_LOSSES or not self._restart(seat):
            self._seats.remove(seat)
            self._recruit()
        if not self._seats:
            raise WorkerError(
                "no node of the cluster is left to judge on",
                hint="run the same command again: what was judged is kept",
            )
        for sent in lost:
            sent.tries += 1
            if sent.tries < _MAX_TRIES:
                self._send(sent)
            else:
                said = Evidence(message="its node died under it, and the next one too")
                gone = Verdict(status="crashed", evidence=said, isolation=self.isolation)
                sent.verdicts = [gone] * len(sent.chunk.programs)

    def _restart(self, seat: _Seat) -> bool:
        """Whether the node could be given a new actor."""
        if seat.node not in self._nodes():
            return False
        try:
            self._start([seat])
        except (WorkerError, *self._gone):
            return False
        return True

    def _recruit(self) -> None:
        """Takes on nodes that have joined the cluster since."""
        for node, cpus in self._nodes().items():
            if node not in self._known:
                seat = _Seat(node=node, workers=self._workers or cpus)
                self._known.add(node)
                if self._restart(seat):
                    self._seats.append(seat)

    def _nodes(self) -> dict[str, int]:
        """Node to the number of its CPUs, for those that are alive and have any."""
        found = {
            node["NodeID"]: int(node["Resources"].get("CPU", 0))
            for node in self._ray.nodes()
            if node["Alive"]
        }
        return {node: cpus for node, cpus in found.items() if cpus > 0}

    def _start(self, seats: list[_Seat]) -> None:
        """Gives each node an actor, and waits until its pool stands."""
        if not seats:
            raise WorkerError("no node of the cluster has a CPU", hint="ray status shows them")
        scheduling = importlib.import_module("ray.util.scheduling_strategies")
        how = (self._isolation, self._environment, self._environment.python == sys.executable)
        started = []
        for seat in seats:
            there = scheduling.NodeAffinitySchedulingStrategy(node_id=seat.node, soft=False)
            seat.actor = (
                self._ray.remote(Node)
                .options(num_cpus=seat.workers, scheduling_strategy=there)
                .remote()
            )
            started.append(seat.actor.start.remote(version("codewright"), seat.workers, *how))
        _, late = self._ray.wait(started, num_returns=len(started), timeout=_START_SECONDS)
        if late:
            raise WorkerError(
                f"{len(late)} of {len(started)} nodes of the cluster did not start in time",
                hint="their CPUs may be taken: ask for fewer workers a node",
            )
        for ref in started:
            held = self._get(ref)
            self._held = tuple(layer for layer in self._held or held if layer in held)

    def cancel(self) -> None:
        """Drops everything that is open."""
        self._sitting += 1
        dropped = [seat.actor.cancel.remote(self._sitting) for seat in self._seats]
        for seat in self._seats:
            seat.open = {}
        self._ray.wait(dropped, num_returns=len(dropped), timeout=_CLOSE_SECONDS)

    def close(self) -> None:
        """Ends the pools of all nodes, and Ray where it was started here."""
        actors = [seat.actor for seat in self._seats if seat.actor is not None]
        self._seats = []
        if actors:
            closed = [actor.close.remote() for actor in actors]
            self._ray.wait(closed, num_returns=len(closed), timeout=_CLOSE_SECONDS)
        for actor in actors:
            self._ray.kill(actor)
        self._link.close()


def _in_flight(seat: _Seat) -> int:
    """How many chunks a node has at once: more than it has workers, for chunks may be short."""
    return 2 + 2 * seat.workers
