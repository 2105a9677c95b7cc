"""What every step of a corpus has in common: its signature, its books, and how steps are chained.

A step takes documents and gives documents; what it keeps back it says to its `Drops`, with a
reason. `chain` puts steps one behind the other and measures each. Documents flow one at a time:
a step that looks at each by itself holds none of them, so a chain needs the memory of one file.

Nothing here reads or writes files; `build` decides where the books go.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from codewright.types.document import Document


class Step(Protocol):
    """One thing that is done to a corpus."""

    @property
    def name(self) -> str:
        """Its name in reports: lower case, words joined by hyphens."""
        ...

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields what stays, in the order in which it came, and tells `drops` of the rest."""
        ...


@dataclass(slots=True)
class Count:
    """How many files, and how many bytes of text they are in UTF-8."""

    files: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        """Counts one file of `size` bytes."""
        self.files += 1
        self.bytes += size


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One file that did not stay: who says so, and why."""

    step: str
    reason: str
    path: str
    origin: str
    bytes: int
    detail: str = ""

    def row(self) -> dict[str, Any]:
        """Returns it as a line of `drops.jsonl`."""
        return {
            "step": self.step,
            "reason": self.reason,
            "path": self.path,
            "origin": self.origin,
            "bytes": self.bytes,
            "detail": self.detail,
        }


class Drops:
    """The books of one step: every file that it keeps back, and every change that it makes.

    `counts` has files and bytes by reason, `changes` the number of changes by what was changed.
    """

    def __init__(self, step: str, log: Callable[[Drop], None] | None = None) -> None:
        """Opens the books of `step`; `log` takes each drop as it happens."""
        self.step = step
        self.counts: dict[str, Count] = {}
        self.changes: dict[str, int] = {}
        self._log = log

    def drop(self, document: Document, reason: str, detail: str = "") -> None:
        """Records that `document` does not stay.

        Args:
            document: what is dropped.
            reason: one of the few words that the step's report is grouped by (`near-duplicate`).
            detail: what a person needs to check it (the file that it is a copy of).
        """
        self.refuse(document.path, document.origin, size(document), reason, detail)

    def refuse(self, path: str, origin: str, count: int, reason: str, detail: str = "") -> None:
        """Records a file that never became a document; `count` is its size in bytes."""
        self.counts.setdefault(reason, Count()).add(count)
        if self._log is not None:
            self._log(
                Drop(
                    step=self.step,
                    reason=reason,
                    path=path,
                    origin=origin,
                    bytes=count,
                    detail=detail,
                )
            )

    def changed(self, what: str, count: int = 1) -> None:
        """Records `count` changes to documents that stay (an e-mail address replaced)."""
        self.changes[what] = self.changes.get(what, 0) + count


def size(document: Document) -> int:
    """Returns the bytes of its text in UTF-8."""
    text = document.text
    return len(text) if text.isascii() else len(text.encode("utf-8"))


@dataclass(frozen=True, slots=True)
class Check:
    """A step that looks at each document by itself: `why` gives (reason, detail), or None."""

    name: str
    why: Callable[[Document], tuple[str, str] | None]

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields the documents that there is nothing to say against."""
        for document in documents:
            said = self.why(document)
            if said is None:
                yield document
            else:
                drops.drop(document, *said)


class Metered:
    """A step at work: what went in, what came out, and the processor's seconds in between."""

    def __init__(
        self,
        step: Step,
        documents: Iterable[Document],
        log: Callable[[Drop], None] | None = None,
        clock: Callable[[], float] = time.process_time,
    ) -> None:
        self.name = step.name
        self.into = Count()
        self.out = Count()
        self.drops = Drops(step.name, log)
        self.wait = 0.0  # seconds spent in the steps before this one
        self.total = 0.0  # seconds spent in this one and those before it
        self._source = iter(documents)
        self._step = step
        self._clock = clock

    @property
    def seconds(self) -> float:
        """Processor seconds of this step alone."""
        return max(self.total - self.wait, 0.0)

    def __iter__(self) -> Iterator[Document]:
        made = self._step.apply(self._tap(), self.drops)
        while True:
            began = self._clock()
            document = next(made, None)
            self.total += self._clock() - began
            if document is None:
                return
            self.out.add(size(document))
            yield document

    def _tap(self) -> Iterator[Document]:
        while True:
            began = self._clock()
            document = next(self._source, None)
            self.wait += self._clock() - began
            if document is None:
                return
            self.into.add(size(document))
            yield document


def chain(
    documents: Iterable[Document],
    steps: Sequence[Step],
    log: Callable[[Drop], None] | None = None,
    clock: Callable[[], float] = time.process_time,
) -> tuple[Iterator[Document], list[Metered]]:
    """Returns the documents that leave the last step, and the meters of all steps.

    Args:
        documents: what goes in.
        steps: one behind the other.
        log: takes each drop as it happens.
        clock: seconds; `family_time` where steps have processes of their own.
    """
    meters: list[Metered] = []
    flow: Iterable[Document] = documents
    for step in steps:
        meter = Metered(step, flow, log, clock)
        meters.append(meter)
        flow = meter
    return iter(flow), meters


def family_time() -> float:
    """Returns the processor seconds of this process and of its children that have ended."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
