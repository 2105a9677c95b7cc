"""Brings a store up to what its folder holds.

An update is one transaction: whoever reads meanwhile sees the state before it, and whatever ends
it early leaves that state. Only the very first one, which nobody can read before, is written in
batches, and goes on after the last one when it was killed. What was read once is not read again:
by size, times and inode of a file, and where these cannot be trusted by the hash of its content.
A file that changed so lately that it may change again unseen is looked at again next time, as git
does it ("racy clean").

Files are read and scanned by a few threads, for readers that leave the interpreter's lock;
one thread writes.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from typing import Any, NamedTuple

import apsw

from codewright import console
from codewright.repo import contents, history
from codewright.repo.contents import New
from codewright.repo.embedding import Piece
from codewright.repo.reading import Read
from codewright.repo.registry import TEXTS, Languages
from codewright.repo.stamps import RACY, number_of
from codewright.repo.transaction import Transaction
from codewright.repo.vectors import Vectors
from codewright.repo.walk import LARGEST_TEXT, Entry, Skip, Walk, refusal

BATCH_FILES = 4000
BATCH_BYTES = 8_000_000  # of a first update; what a kill may cost
TASK_BYTES = 200_000
AHEAD = 50
"""Tasks that are read ahead, while the batch before them is written."""
THREADS = 2
_SUM = 1 << 256


@dataclass(slots=True, kw_only=True)
class Report:
    """What an update did. skipped: by reason, all files that the index leaves out."""

    files: int = 0
    lines: int = 0
    read_lines: int = 0
    read_files: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    seconds: float = 0.0
    state: str = ""
    skipped: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


class Known(NamedTuple):
    """What the store says of a path."""

    content: int | None
    stamp: int
    skipped: str | None


class Seen(NamedTuple):
    """What a look at a file gave. read: None where the content is known, or was skipped.

    vectors: of its pieces, where they are made at once.
    """

    path: str
    stamp: int
    size: int
    hash: bytes
    language: str
    read: Read | None
    skipped: str = ""
    vectors: bytes = b""


class Ingest:
    """One update of a store's tables."""

    def __init__(
        self,
        database: apsw.Connection,
        walk: Walk,
        languages: Languages,
        vectors: Vectors | None = None,
    ) -> None:
        self._database = database
        self._vectors = vectors if vectors and not vectors.embedder.reads_text else None
        self._walk = walk
        self._languages = languages
        self._known: Mapping[str, Known] = {}
        self._have: set[tuple[bytes, str]] = set()
        self._changes: dict[str, tuple[int | None, int | None]] = {}
        self._left: set[int] = set()
        self._sum = 0
        self._report = Report()

    def run(self, paths: Sequence[str] | None) -> Report:
        """Updates these paths, or all; returns what was done."""
        began = time.perf_counter()
        first = contents.meta(self._database, "complete") is None
        self._known = self._stored(paths)
        self._have = self._contents(paths)
        if paths is None:
            found = list(self._walk.all())
        else:
            found = list(self._walk.some(paths, self._known))
        looked = {each.path for each in found}
        gone = [path for path in self._known if path not in looked]
        skips = [each for each in found if isinstance(each, Skip)]
        entries = [each for each in found if isinstance(each, Entry)]
        todo = [each for each in entries if not self._same(each)]
        if first:
            with _uncollected():
                self._in_batches(todo, skips, gone)
        else:
            # Read before the transaction begins, so that others wait for the writing alone.
            seen = list(self._seen(todo))
            with Transaction(self._database):
                self._begin()
                self._skip(skips)
                self._remove(gone)
                self._write(seen)
                self._end()
        self._report.seconds = time.perf_counter() - began
        return self._report

    def _in_batches(
        self, todo: Sequence[Entry], skips: Sequence[Skip], gone: Sequence[str]
    ) -> None:
        with Transaction(self._database):
            self._begin()
            self._skip(skips)
            self._remove(gone)
            self._store_sum()
        batch: list[Seen] = []
        size = 0
        for seen in self._seen(todo):
            batch.append(seen)
            size += seen.size
            if size > BATCH_BYTES or len(batch) >= BATCH_FILES:
                with Transaction(self._database):
                    self._write(batch)
                    self._store_sum()
                batch, size = [], 0
        with Transaction(self._database):
            self._write(batch)
            contents.set_meta(self._database, "complete", 1)
            self._end()

    def _stored(self, paths: Sequence[str] | None) -> Mapping[str, Known]:
        if paths is None:
            rows = self._database.execute("SELECT path, content, stamp, skipped FROM files")
            return {path: Known(*rest) for path, *rest in rows}
        known = {}
        for path in paths:
            # A folder stands for all that is known in it.
            rows = self._database.execute(
                "SELECT path, content, stamp, skipped FROM files "
                "WHERE path = ?1 OR (path > ?1 || '/' AND path < ?1 || '0')",
                (path,),
            )
            known.update({name: Known(*rest) for name, *rest in rows})
        return known

    def _contents(self, paths: Sequence[str] | None) -> set[tuple[bytes, str]]:
        """Returns the contents that need not be read: all present, or those of these paths."""
        if paths is None:
            sql = "SELECT hash, language FROM contents WHERE first IS NOT NULL"
            rows: list[Any] = self._database.execute(sql).fetchall()
            return set(rows)
        sql = "SELECT hash, language FROM contents WHERE id = ?"
        known = {each.content for each in self._known.values() if each.content is not None}
        return {contents.one(self._database, sql, (content,))[:2] for content in known}

    def _same(self, entry: Entry) -> bool:
        known = self._known.get(entry.path)
        return known is not None and known.stamp == entry.stamp

    def _seen(self, todo: Sequence[Entry]) -> Iterator[Seen]:
        """Yields a look at each file, in order, read by threads that are a few tasks ahead."""
        if len(todo) < 8:
            yield from self._look_all(todo)
            return
        tasks = _tasks(todo)
        waiting: list[Future[list[Seen]]] = []
        with (
            ThreadPoolExecutor(THREADS, "codewright-index") as pool,
            console.progress("indexing", total=len(todo), unit="files") as bar,
        ):
            try:
                for task in tasks:
                    waiting.append(pool.submit(self._look_all, task))
                    if len(waiting) > AHEAD:
                        done = waiting.pop(0).result()
                        bar.advance(len(done))
                        yield from done
                for each in waiting:
                    done = each.result()
                    bar.advance(len(done))
                    yield from done
            finally:
                pool.shutdown(cancel_futures=True)

    def _look_all(self, task: Sequence[Entry]) -> list[Seen]:
        seen = [self._look(entry) for entry in task]
        if self._vectors is None:
            return seen
        made = self._vectors.made(
            (at, [Piece(words) for words in each.read.words])
            for at, each in enumerate(seen)
            if each.read is not None
        )
        for at, vectors in made:
            seen[at] = seen[at]._replace(vectors=vectors)
        return seen

    def _look(self, entry: Entry) -> Seen:
        path = entry.path
        language = self._languages.by_path(path)
        if language is None:
            return _skipped(entry, self._languages.refusal(path))
        if language in TEXTS and entry.size > LARGEST_TEXT:
            return _skipped(entry, f"text larger than {LARGEST_TEXT // 1000} kB")
        looked = time.time_ns()
        try:
            # O_NOFOLLOW: it was no link when it was listed. O_NONBLOCK: nor a pipe.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with open(os.open(self._walk.root / path, flags), "rb") as file:
                mark = number_of(os.fstat(file.fileno()))
                data = file.read(entry.size + 1)
        except OSError as error:
            return _skipped(entry, f"unreadable: {error.strerror}", again=True)
        language = language or self._languages.by_content(path, data)
        if language is None:
            return _skipped(entry, self._languages.refusal(path))
        reason = refusal(path, language, data)
        if reason:
            return _skipped(entry, reason)
        # What changed while it was read, or just before, is read again next time.
        racy = mark != entry.stamp or len(data) != entry.size or looked - entry.newest < RACY
        blob = blob_hash(data)
        known = (blob, language) in self._have
        read = None if known else self._languages.read(language, data)
        return Seen(path, 0 if racy else mark, len(data), blob, language, read)

    def _begin(self) -> None:
        self._sum = int(str(contents.meta(self._database, "sum") or "0"), 16)

    def _skip(self, skips: Iterable[Skip]) -> None:
        for each in skips:
            known = self._known.get(each.path)
            if known is not None and known.content is not None:
                self._change(each.path, known.content, None)
            self._database.execute(
                "INSERT OR REPLACE INTO files VALUES (?, NULL, ?, ?, ?)",
                (each.path, each.stamp, each.size, each.reason),
            )

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            known = self._known[path]
            if known.content is not None:
                self._change(path, known.content, None)
            self._database.execute("DELETE FROM files WHERE path = ?", (path,))

    def _write(self, batch: Sequence[Seen]) -> None:
        """Puts in what was seen; contents first, then the files that have them."""
        numbers: dict[tuple[bytes, str], int] = {}
        news: list[New] = []
        vectors: list[bytes] = []
        for each in batch:
            key = (each.hash, each.language)
            if each.skipped or key in numbers:
                continue
            found = contents.find(self._database, *key)
            if found is not None:
                numbers[key] = found
            elif each.read is not None:
                numbers[key] = 0
                news.append(New(each.hash, each.language, each.size, each.read))
                vectors.append(each.vectors)
        for at in range(0, len(news), contents.MOST):
            part = news[at : at + contents.MOST]
            given = contents.put(self._database, part)
            for new, number in zip(part, given, strict=True):
                numbers[new.hash, new.language] = number
            if self._vectors is not None:
                made = zip(given, vectors[at : at + contents.MOST], strict=True)
                self._vectors.keep(self._database, made)
        for each in batch:
            known = self._known.get(each.path)
            before = None if known is None else known.content
            after = None if each.skipped else numbers[each.hash, each.language]
            if before != after:
                self._change(each.path, before, after)
            if each.read is not None:
                self._report.read_lines += each.read.lines
                self._report.read_files += 1
        self._database.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
            (
                (
                    each.path,
                    None if each.skipped else numbers[each.hash, each.language],
                    each.stamp,
                    each.size,
                    each.skipped or None,
                )
                for each in batch
            ),
        )

    def _change(self, path: str, before: int | None, after: int | None) -> None:
        self._changes[path] = (before, after)
        if before is not None:
            self._left.add(before)
            self._sum -= self._worth(path, before)
        if after is not None:
            self._sum += self._worth(path, after)
        self._report.added += before is None
        self._report.removed += after is None
        self._report.changed += before is not None and after is not None

    def _worth(self, path: str, content: int) -> int:
        sql = "SELECT hash FROM contents WHERE id = ?"
        (blob,) = contents.one(self._database, sql, (content,))
        return worth(path, blob)

    def _store_sum(self) -> None:
        contents.set_meta(self._database, "sum", f"{self._sum % _SUM:064x}")

    def _end(self) -> None:
        """Drops what is present no more, and remembers the state if it is another one."""
        database = self._database
        absent = [
            content
            for content in sorted(self._left)
            if not database.execute(
                "SELECT 1 FROM files WHERE content = ? LIMIT 1", (content,)
            ).fetchone()
        ]
        contents.take(database, absent)
        self._store_sum()
        name = f"{self._sum % _SUM:064x}"[:16]
        if self._changes or history.newest(database) is None:
            history.remember(database, name, self._changes)
            database.execute("DELETE FROM kept")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keeps the garbage collector away: what an index is made of has no circles, and is much."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def blob_hash(data: bytes) -> bytes:
    """Returns what git names a file's content by."""
    return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).digest()


def worth(path: str, blob: bytes) -> int:
    """Returns what a file adds to the name of a state, which is a sum of these."""
    return int.from_bytes(sha256(path.encode() + b"\0" + blob).digest(), "big")


def _skipped(entry: Entry, reason: str, *, again: bool = False) -> Seen:
    return Seen(entry.path, 0 if again else entry.stamp, entry.size, b"", "", None, reason)


def _tasks(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    task: list[Entry] = []
    size = 0
    for entry in entries:
        task.append(entry)
        size += entry.size + 2000
        if size > TASK_BYTES:
            yield task
            task, size = [], 0
    if task:
        yield task
