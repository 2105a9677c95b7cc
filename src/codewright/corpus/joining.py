"""The second stage of a build: from the filtered units to shards, drops and report.

Units are read in order, each source as far as its limit goes. Exact duplicates go first, because
that is cheapest; what holds benchmarks goes before near-duplicates are compared, so that no file
is dropped for being near to one that does not stay. All of it is done again after a kill: it takes
the smaller part of the time, and keeps nothing but what it writes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codewright import console
from codewright.corpus import report, shards, work
from codewright.corpus.decontaminate import Decontaminate
from codewright.corpus.exact import Exact
from codewright.corpus.fingerprints import Builder
from codewright.corpus.near import Near
from codewright.corpus.recipe import CorpusConfig
from codewright.corpus.steps import Drop, Drops, Step, chain, family_time, size
from codewright.corpus.unit import Unit
from codewright.files import json_text, write_whole
from codewright.types.document import Document

REPORT = "report.json"
DROPS = "drops.jsonl"
FINGERPRINTS = "fingerprints.npz"
FILES = (REPORT, DROPS, FINGERPRINTS)
"""What the stage writes beside the shards; the report last."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is built, from what, where its unfinished parts lie, and what it has to be clean of."""

    config: CorpusConfig
    units: Sequence[Unit]
    place: Path
    benchmarks: Path | None = None


class Limits:
    """Which sources have given enough: counted over their finished units, in order."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._kept: dict[int, int] = {}

    def look(self, number: int) -> None:
        """Learns how much a unit gave, where it is done."""
        books = work.read_books(self._task.place, number)
        if books is not None:
            self._kept[number] = books["steps"][-1]["out"][1]

    def reached(self, source: int) -> bool:
        """True where the units that are surely in the corpus give all that is wanted."""
        limit = self._task.config.sources[source].limit_bytes
        if limit is None:
            return False
        total = 0
        for number, unit in enumerate(self._task.units):
            if unit.source == source:
                if number not in self._kept:
                    return False
                total += self._kept[number]
                if total >= limit:
                    return True
        return False


class _Fingerprints:
    """The step that drops nothing and remembers where every file came from."""

    name = "fingerprints"

    def __init__(self, builder: Builder, workers: int) -> None:
        self._builder = builder
        self._workers = workers

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields every document."""
        return self._builder.watch(documents, self._workers)


def corpus_steps(task: Task, builder: Builder) -> list[Step]:
    """Returns the steps that look at the corpus as a whole, in order."""
    config = task.config
    steps: list[Step] = [Exact()]
    if config.decontaminate != "off":
        steps.append(
            Decontaminate(
                folder=task.benchmarks,
                required=config.decontaminate == "required",
                workers=config.workers,
            )
        )
    if config.near:
        steps.append(Near(threshold=config.near, workers=config.workers))
    if config.fingerprints:
        steps.append(_Fingerprints(builder, config.workers))
    return steps


def join(
    task: Task,
    folder: Path,
    progress: Callable[..., AbstractContextManager[console.Progress]],
    *,
    filtered: float,
) -> None:
    """Runs the steps over all units and writes what stays.

    Args:
        task: what is built; all units that it needs are done.
        folder: where the corpus goes.
        progress: shows how far it is.
        filtered: seconds that the first stage took, for the report.

    Raises:
        ConfigError: the benchmarks are required and not there.
        DataError: a benchmark's file is broken.
        MachineError: the disk is full, or a process died.
    """
    began = time.monotonic()
    rows: list[dict[str, Any]] = []

    def log(drop: Drop) -> None:
        rows.append(drop.row())

    used = _Used(task, Drops("limit", log))
    tally, builder = report.Tally(), Builder()
    with progress("joining", total=used.files(), unit="files") as bar:

        def counted() -> Iterator[Document]:
            for document in used:
                bar.advance()
                yield document

        flow, meters = chain(counted(), corpus_steps(task, builder), log, family_time)
        written = shards.write(folder, tally.watch(flow), shard_bytes=task.config.shard_bytes)
    if task.config.fingerprints:
        builder.finish().save(folder / FINGERPRINTS)
    units = used.books()
    _write_drops(folder / DROPS, [*(row for books in units for row in books["drops"]), *rows])
    made = report.make(
        sources=[source.kind for source in task.config.sources],
        units=[(task.units[n].source, b) for n, b in zip(used.numbers, units, strict=True)],
        steps=[*used.limit_books(), *map(work.books, meters)],
        tally=tally,
        shards=written,
        stages={"filtering": filtered, "joining": time.monotonic() - began},
    )
    write_whole(folder / REPORT, json_text(made))


class _Used:
    """The documents of the units in order, as far as the limits of their sources go."""

    def __init__(self, task: Task, drops: Drops) -> None:
        self._task = task
        self._drops = drops
        self._into = [0, 0]
        self._out = [0, 0]
        self.numbers = list(self._within())

    def _within(self) -> Iterator[int]:
        """Yields the units before which their source has not given enough yet."""
        given: dict[int, int] = {}
        for number, unit in enumerate(self._task.units):
            limit = self._task.config.sources[unit.source].limit_bytes
            if limit is None or given.get(unit.source, 0) < limit:
                yield number
                kept = self._last(number)["out"][1]
                given[unit.source] = given.get(unit.source, 0) + kept

    def _last(self, number: int) -> dict[str, Any]:
        books = work.read_books(self._task.place, number)
        assert books is not None, "a unit that is needed was not done"
        last: dict[str, Any] = books["steps"][-1]
        return last

    def files(self) -> int:
        """Returns how many documents the units have."""
        return sum(self._last(number)["out"][0] for number in self.numbers)

    def __iter__(self) -> Iterator[Document]:
        given: dict[int, int] = {}
        for number in self.numbers:
            source = self._task.units[number].source
            limit = self._task.config.sources[source].limit_bytes
            for document in work.read_documents(self._task.place, number):
                count = size(document)
                _add(self._into, count)
                if limit is not None and given.get(source, 0) >= limit:
                    self._drops.drop(document, "enough")
                    continue
                given[source] = given.get(source, 0) + count
                _add(self._out, count)
                yield document

    def books(self) -> list[dict[str, Any]]:
        """Returns the books of the units that were used."""
        found = [work.read_books(self._task.place, number) for number in self.numbers]
        return [books for books in found if books is not None]

    def limit_books(self) -> list[dict[str, Any]]:
        """Returns the books of the limits, where there are any."""
        if all(source.limit_bytes is None for source in self._task.config.sources):
            return []
        drops = {reason: [c.files, c.bytes] for reason, c in self._drops.counts.items()}
        return [
            {
                "step": "limit",
                "in": self._into,
                "out": self._out,
                "seconds": 0.0,
                "drops": drops,
                "changes": {},
            }
        ]


def _add(total: list[int], count: int) -> None:
    total[0] += 1
    total[1] += count


def _write_drops(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = (json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    write_whole(path, "".join(lines))
