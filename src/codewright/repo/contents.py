"""Rows of contents: put in when a content comes to be present, taken out when it goes.

What is found by name or by word (`names`, `defined`, `mentioned`, `pieces`) has rows for present
contents alone, so that two stores with the same files answer the same, scores included, however
they came to them. Facts stay as long as a kept state has the content. All of it happens within
a transaction of the caller's. Rows go in many at a time, by arrays that SQLite reads itself,
and sorted, so that pages fill in order.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import apsw

from codewright.repo.reading import Read

MOST = 4096
"""Contents that are put in at a time: their places take 12 bits."""
_PLACE = 12
_ORDINAL = 20

_PIECES = """
    INSERT INTO pieces(rowid, named, head, body)
    SELECT ?2 + at, CAST(substr(words, 1, one - 1) AS TEXT),
        CAST(substr(words, one + 1, two - 1) AS TEXT), CAST(substr(words, one + two + 1) AS TEXT)
    FROM (SELECT at, words, one, instr(substr(words, one + 1), x'1f') AS two
        FROM (SELECT rowid - 1 AS at, value AS words, instr(value, x'1f') AS one
            FROM carray(?1)))
"""

PLACED = """
    SELECT (SELECT min(path) FROM files WHERE content = id), id, language, lines, size, piece,
        substr(places, 12 * (piece - first) + 1, 12)
    FROM (SELECT value AS piece, (SELECT first FROM contents WHERE first <= value AND pieces > 0
        ORDER BY first DESC LIMIT 1) AS start FROM carray(?))
    CROSS JOIN contents ON first = start AND pieces > 0
    CROSS JOIN said ON said.content = id
"""
"""Pieces with the first of their files: the last content that begins before one has it."""


class New(NamedTuple):
    """A content that is to be present, and what was read of it."""

    hash: bytes
    language: str
    size: int
    read: Read


def find(database: apsw.Connection, blob: bytes, language: str) -> int | None:
    """Returns the number of a present content."""
    row = database.execute(
        "SELECT id FROM contents WHERE hash = ? AND language = ? AND first IS NOT NULL",
        (blob, language),
    ).fetchone()
    return None if row is None else int(row[0])


def put(database: apsw.Connection, news: Sequence[New]) -> Sequence[int]:
    """Makes contents present, at most `MOST`, all different; returns their numbers."""
    if not news:
        return []
    assert len(news) <= MOST
    ids = []
    first = next_piece(database)
    start = first
    for new in news:
        read = new.read
        row = one(
            database,
            "INSERT INTO contents(hash, language, lines, size, first, pieces) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(hash, language) "
            "DO UPDATE SET first = ?5 RETURNING id",
            (new.hash, new.language, read.lines, new.size, first, len(read.words)),
        )
        ids.append(int(row[0]))
        first += len(read.words)
    names = [_own_names(new.read) for new in news]
    numbers = _names(database, set().union(*names))
    database.executemany(
        "INSERT OR REPLACE INTO said(content, facts, shapes, places, names) VALUES (?, ?, ?, ?, ?)",
        (
            (content, new.read.facts, new.read.shapes, new.read.places, _packed(own, numbers))
            for content, new, own in zip(ids, news, names, strict=True)
        ),
    )
    _rows(database, news, ids, numbers)
    words = tuple(each for new in news for each in new.read.words)
    if words:
        database.execute(_PIECES, (apsw.carray(words), start))
    set_meta(database, "next_piece", first)
    return ids


def take(database: apsw.Connection, contents: Iterable[int]) -> None:
    """Makes contents present no more; their facts stay."""
    for content in contents:
        first, pieces, packed = one(
            database,
            "SELECT first, pieces, names FROM contents JOIN said ON content = id WHERE id = ?",
            (content,),
        )
        database.execute(
            "DELETE FROM pieces WHERE rowid BETWEEN ? AND ?", (first, first + pieces - 1)
        )
        names = array("q", zlib.decompress(packed))
        if names:
            given = apsw.carray(names)
            for table in ("defined", "mentioned"):
                database.execute(
                    f"DELETE FROM {table} WHERE content = ?2 "
                    "AND name IN (SELECT value FROM carray(?1))",
                    (given, content),
                )
            database.execute(
                "DELETE FROM names WHERE id IN (SELECT value FROM carray(?1)) "
                "AND NOT EXISTS (SELECT 1 FROM defined WHERE name = id) "
                "AND NOT EXISTS (SELECT 1 FROM mentioned WHERE name = id)",
                (given,),
            )
        database.execute("UPDATE contents SET first = NULL WHERE id = ?", (content,))
        database.execute("UPDATE said SET names = NULL WHERE content = ?", (content,))


def collect(database: apsw.Connection, contents: Iterable[int]) -> None:
    """Forgets those of these contents that neither the present nor a kept state has."""
    for content in contents:
        (used,) = one(
            database,
            "SELECT EXISTS (SELECT 1 FROM files WHERE content = ?1) "
            "OR EXISTS (SELECT 1 FROM changes WHERE before = ?1)",
            (content,),
        )
        if not used:
            database.execute("DELETE FROM contents WHERE id = ?", (content,))
            database.execute("DELETE FROM said WHERE content = ?", (content,))


def one(database: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
    """Returns the one row of a query that has one for sure."""
    (row,) = database.execute(sql, tuple(values)).fetchall()
    return row


def next_piece(database: apsw.Connection) -> int:
    """Returns the number of the next piece: never one that was given before."""
    return int(meta(database, "next_piece") or 1)


def meta(database: apsw.Connection, key: str) -> str | int | None:
    """Returns what stands under a key."""
    row = database.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else row[0]


def set_meta(database: apsw.Connection, key: str, value: str | int) -> None:
    """Puts a value under a key."""
    database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _own_names(read: Read) -> set[str]:
    return {name for name, _ in read.defined}.union(read.mentioned)


def _names(database: apsw.Connection, names: set[str]) -> dict[str, int]:
    """Returns names with their numbers, new ones for those that have none."""
    if not names:
        return {}
    given = apsw.carray(tuple(sorted(names)))
    database.execute("INSERT OR IGNORE INTO names(name) SELECT value FROM carray(?)", (given,))
    rows = database.execute(
        "SELECT name, id FROM carray(?) CROSS JOIN names ON name = value", (given,)
    )
    found = dict(rows)
    assert len(found) == len(names)
    return found


def _packed(names: set[str], numbers: dict[str, int]) -> bytes:
    ids = array("q", sorted(numbers[name] for name in names))
    return zlib.compress(ids.tobytes(), 1)


def _rows(
    database: apsw.Connection, news: Sequence[New], ids: Sequence[int], numbers: dict[str, int]
) -> None:
    """Puts the rows of defined and mentioned in, each packed in one integer and sorted."""
    defined: list[int] = []
    mentioned: list[int] = []
    for place, new in enumerate(news):
        defined += [
            ((numbers[name] << _PLACE | place) << _ORDINAL) | ordinal
            for name, ordinal in new.read.defined
        ]
        mentioned += [numbers[name] << _PLACE | place for name in new.read.mentioned]
    places = apsw.carray(array("q", ids))
    database.execute("CREATE TEMP TABLE IF NOT EXISTS places(place INTEGER PRIMARY KEY, content)")
    database.execute("DELETE FROM temp.places")
    database.execute("INSERT INTO temp.places SELECT rowid - 1, value FROM carray(?)", (places,))
    if defined:
        database.execute(
            "INSERT INTO defined SELECT value >> 32, "
            "(SELECT content FROM temp.places WHERE place = value >> 20 & 4095), value & 1048575 "
            "FROM carray(?)",
            (apsw.carray(array("q", sorted(defined))),),
        )
    if mentioned:
        database.execute(
            "INSERT INTO mentioned SELECT value >> 12, "
            "(SELECT content FROM temp.places WHERE place = value & 4095) FROM carray(?)",
            (apsw.carray(array("q", sorted(mentioned))),),
        )
