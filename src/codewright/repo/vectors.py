"""The vectors of a store's pieces, and which of them are nearest to a question.

    vectors = Vectors(ShippedEmbedder())
    vectors.keep(database, vectors.made([(content, pieces)]))
    vectors.missing(database)                       contents that are present and have none
    vectors.nearest(database, "where are sessions closed", 10)

A content has one row for each embedder that read it: its pieces' vectors in their order, each in
bytes, rounded by its own largest number. They go with their content, by a trigger, whoever takes it
out; they stay while it is only not present, as facts do. The search is exact: every vector of a
present content is compared, in memory, which for the pieces of a million lines takes a few
milliseconds (docs/decisions.md says why not in SQL). What was read is kept until the file changes.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import apsw
import numpy as np
import numpy.typing as npt

from codewright.repo.embedding import Embedder, Floats, Piece

Bytes = npt.NDArray[np.int8]

TABLES = """
    CREATE TABLE IF NOT EXISTS embedders(
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
        UNIQUE(name, digest));
    CREATE TABLE IF NOT EXISTS vectors(
        content INTEGER NOT NULL, embedder INTEGER NOT NULL, rows BLOB NOT NULL,
        PRIMARY KEY(content, embedder));
    CREATE TRIGGER IF NOT EXISTS vectors_go AFTER DELETE ON contents BEGIN
        DELETE FROM vectors WHERE content = old.id;
    END;
"""
"""A step for `schema.MIGRATIONS`; harmless where it was taken."""
EXACT = 0.9 * 2**24
"""Less than the largest whole number up to which floats are exact, for what is rounded up."""
BLOCK = 1 << 17
"""Numbers that are widened to floats at a time: they fit a processor's cache, and the product is
too small for OpenBLAS to share out among threads, which waste more time than they save."""


class Near(NamedTuple):
    """One piece and the cosine of its angle to the question."""

    piece: int
    score: float


class _Loaded(NamedTuple):
    """All vectors of present contents. version: of the file when they were read."""

    database: apsw.Connection
    version: tuple[int, int]
    pieces: npt.NDArray[np.int64]
    rows: Bytes
    lengths: Floats


class Vectors:
    """One embedder's vectors in one store's file, whose connection is given to each call."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    @property
    def embedder(self) -> Embedder:
        """Who makes them."""
        return self._embedder

    def made(self, given: Iterable[tuple[int, Sequence[Piece]]]) -> Sequence[tuple[int, bytes]]:
        """Returns contents with their vectors, to be kept. May take long."""
        contents = list(given)
        pieces = [piece for _, each in contents for piece in each]
        if not pieces:
            return [(content, b"") for content, _ in contents]
        rows = rounded(self._embedder.documents(pieces))
        made, at = [], 0
        for content, each in contents:
            made.append((content, rows[at : at + len(each)].tobytes()))
            at += len(each)
        return made

    def keep(self, database: apsw.Connection, made: Iterable[tuple[int, bytes]]) -> None:
        """Writes what `made` returned, but for contents that went meanwhile.

        Within the caller's transaction, so that a content is never there with half its vectors.
        """
        number = self._number(database)
        database.executemany(
            "INSERT OR REPLACE INTO vectors SELECT id, ?2, ?3 FROM contents WHERE id = ?1",
            ((content, number, rows) for content, rows in made),
        )

    def missing(self, database: apsw.Connection) -> Sequence[int]:
        """Returns the present contents that this embedder has not read, oldest first."""
        rows = database.execute(
            "SELECT id FROM contents WHERE first IS NOT NULL AND NOT EXISTS (SELECT 1 FROM vectors "
            "JOIN embedders ON embedders.id = embedder WHERE content = contents.id "
            "AND name = ? AND digest = ?) ORDER BY id",
            (self._embedder.name, self._embedder.digest),
        )
        return [int(row[0]) for row in rows]

    def forget_others(self, database: apsw.Connection) -> None:
        """Takes out what other weights of the same name left; within the caller's transaction."""
        old = "SELECT id FROM embedders WHERE name = ?1 AND digest <> ?2"
        names = (self._embedder.name, self._embedder.digest)
        database.execute(f"DELETE FROM vectors WHERE embedder IN ({old})", names)
        database.execute("DELETE FROM embedders WHERE name = ?1 AND digest <> ?2", names)

    def nearest(self, database: apsw.Connection, text: str, limit: int) -> Sequence[Near]:
        """Returns the nearest pieces, best first, and all that are as near as the last.

        Scores are the same wherever a vector stands among the others: sums of whole numbers below
        2 to the 24th are exact in floats, in any order.
        """
        (query,) = self._embedder.queries([text])
        if limit < 1 or not query.any():
            return []
        query = np.rint(query * (EXACT / (127 * math.sqrt(len(query)))))
        with self._lock:
            loaded = self._load(database)
        if not len(loaded.pieces):
            return []
        scores = _products(loaded.rows, query)
        scores /= loaded.lengths * np.linalg.norm(query)
        best = first_best(scores, limit)
        return [Near(int(loaded.pieces[each]), float(scores[each])) for each in best]

    def _load(self, database: apsw.Connection) -> _Loaded:
        version = (int(database.pragma("data_version")), database.total_changes())
        last = self._loaded
        if last is not None and last.database is database and last.version == version:
            return last
        found: list[tuple[Any, ...]] = database.execute(
            "SELECT first, pieces, rows FROM contents JOIN vectors ON content = contents.id "
            "JOIN embedders ON embedders.id = embedder WHERE first IS NOT NULL "
            "AND name = ? AND digest = ? ORDER BY first",
            (self._embedder.name, self._embedder.digest),
        ).fetchall()
        size = self._embedder.size if found else 1
        whole = [each for each in found if len(each[2]) == each[1] * size]
        rows = np.frombuffer(b"".join(each[2] for each in whole), dtype=np.int8)
        rows = rows.reshape(-1, size)
        numbers = [np.arange(first, first + count) for first, count, _ in whole]
        pieces = np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64)
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float32))
        self._loaded = _Loaded(database, version, pieces, rows, np.maximum(lengths, 1))
        return self._loaded

    def _number(self, database: apsw.Connection) -> int:
        """Returns the embedder's number, a new one for one that the file does not know."""
        embedder = self._embedder
        known = (embedder.name, embedder.digest)
        database.execute(
            "INSERT OR IGNORE INTO embedders(name, digest, size) VALUES (?, ?, ?)",
            (*known, embedder.size),
        )
        row = database.execute(
            "SELECT id FROM embedders WHERE name = ? AND digest = ?", known
        ).fetchone()
        assert row is not None
        return int(row[0])


def _products(rows: Bytes, query: Floats) -> Floats:
    """Returns the product of each row with a question, in blocks, one of which is ever widened."""
    products = np.empty(len(rows), dtype=np.float32)
    step = max(1, BLOCK // rows.shape[1])
    wide = np.empty((min(step, len(rows)), rows.shape[1]), dtype=np.float32)
    for first in range(0, len(rows), step):
        block = rows[first : first + step]
        some = wide[: len(block)]
        some[:] = block
        np.dot(some, query, out=products[first : first + step])
    return products


def rounded(vectors: Floats) -> Bytes:
    """Returns vectors in bytes: their direction stays, their length does not."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    scaled = vectors * (127 / np.where(largest > 0, largest, 1))
    return np.rint(scaled).astype(np.int8)


def first_best(scores: Floats, limit: int) -> npt.NDArray[np.int64]:
    """Returns the places of the best scores, best first, and all that are as good as the last."""
    if limit < len(scores):
        least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        places = np.flatnonzero(scores >= least)
    else:
        places = np.arange(len(scores))
    order = np.argsort(-scores[places], kind="stable")
    return places[order]
