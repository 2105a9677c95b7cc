"""One unit, from its source through all steps that look at one file at a time, to disk.

It runs in a process of its own or in the caller's; either way what it leaves are two files, the
documents first and the books last, so that a unit is done exactly when its books are there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from codewright.corpus import shards, sources
from codewright.corpus.filters import document_steps
from codewright.corpus.recipe import CorpusConfig
from codewright.corpus.steps import Count, Drop, Drops, Metered, chain, size
from codewright.corpus.unit import Unit
from codewright.files import parse_row, write_whole
from codewright.types.document import Document


def documents_path(folder: Path, number: int) -> Path:
    """Returns where the documents of a unit are."""
    return folder / f"unit-{number:05d}.jsonl"


def books_path(folder: Path, number: int) -> Path:
    """Returns where the books of a unit are; they exist when it is done."""
    return folder / f"unit-{number:05d}.json"


def do(number: int, unit: Unit, config: CorpusConfig, folder: Path) -> int:
    """Does one unit and returns its number.

    Raises:
        DataError: a file that the recipe names is broken.
        MachineError: the disk is full.
    """
    rows: list[dict[str, Any]] = []

    def log(drop: Drop) -> None:
        rows.append(drop.row())

    reading = _Reading(unit, config, log)
    flow, meters = chain(reading, document_steps(config), log)
    lines = [shards.to_line(document) for document in flow]
    write_whole(documents_path(folder, number), b"".join(lines))
    steps = [reading.books(), *map(books, meters)]
    text = json.dumps({"steps": steps, "drops": rows}, separators=(",", ":"))
    write_whole(books_path(folder, number), text)
    return number


class _Reading:
    """The documents of a unit, and the books of reading them."""

    def __init__(self, unit: Unit, config: CorpusConfig, log: Callable[[Drop], None]) -> None:
        self._documents = sources.documents(
            unit, config.sources[unit.source], drops := Drops("read", log)
        )
        self._drops = drops
        self._out = Count()
        self._seconds = 0.0

    def __iter__(self) -> Iterator[Document]:
        while True:
            began = time.process_time()
            document = next(self._documents, None)
            self._seconds += time.process_time() - began
            if document is None:
                return
            self._out.add(size(document))
            yield document

    def books(self) -> dict[str, Any]:
        refused = self._drops.counts.values()
        into = Count(
            self._out.files + sum(count.files for count in refused),
            self._out.bytes + sum(count.bytes for count in refused),
        )
        return _books("read", into, self._out, self._seconds, self._drops)


def books(meter: Metered) -> dict[str, Any]:
    """Returns what a meter read, as plain data."""
    return _books(meter.name, meter.into, meter.out, meter.seconds, meter.drops)


def _books(name: str, into: Count, out: Count, seconds: float, drops: Drops) -> dict[str, Any]:
    return {
        "step": name,
        "in": [into.files, into.bytes],
        "out": [out.files, out.bytes],
        "seconds": seconds,
        "drops": {reason: [c.files, c.bytes] for reason, c in sorted(drops.counts.items())},
        "changes": dict(sorted(drops.changes.items())),
    }


def read_books(folder: Path, number: int) -> dict[str, Any] | None:
    """Returns the books of a unit; None where it is not done."""
    path = books_path(folder, number)
    if not path.is_file():
        return None
    return parse_row(path.read_bytes(), str(path))


def read_documents(folder: Path, number: int) -> Iterator[Document]:
    """Yields the documents of a unit that is done."""
    path = documents_path(folder, number)
    for line, row in enumerate(path.read_bytes().splitlines(), start=1):
        where = f"{path}, line {line}"
        yield shards.from_row(parse_row(row, where), where)
