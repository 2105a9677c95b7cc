"""The states of a store: the last few, each as what changed from the one before.

The newest is the files that are present; one that is older is found by undoing changes. Facts of
a content are kept as long as one of these states has it. What differs between two states in terms
of definitions is `states.py`'s.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import apsw

from codewright.repo import contents

KEPT = 50
"""States."""
Changes: TypeAlias = Mapping[str, tuple[int | None, int | None]]
"""Path → content before and after, None where it is not there."""


class State(NamedTuple):
    """One state. made: seconds since 1970."""

    number: int
    name: str
    made: float
    files: int
    lines: int


def newest(database: apsw.Connection) -> State | None:
    """Returns the present state, None before the first update ended."""
    row = database.execute(
        "SELECT id, name, made, files, lines FROM states ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else State(*row)


def every(database: apsw.Connection) -> Sequence[State]:
    """Returns the kept states, newest first."""
    rows = database.execute("SELECT id, name, made, files, lines FROM states ORDER BY id DESC")
    return [State(*row) for row in rows]


def remember(database: apsw.Connection, name: str, changes: Changes) -> None:
    """Adds a state; forgets those that are too many, with the contents that only they had."""
    last = newest(database)
    files, lines = _size(database, last, changes)
    number = 1 if last is None else last.number + 1
    database.execute(
        "INSERT INTO states VALUES (?, ?, ?, ?, ?)", (number, name, time.time(), files, lines)
    )
    if last is not None:
        database.executemany(
            "INSERT INTO changes VALUES (?, ?, ?, ?)",
            ((number, path, before, after) for path, (before, after) in changes.items()),
        )
    old = number - KEPT
    dropped = database.execute(
        "SELECT before FROM changes WHERE state <= ? AND before IS NOT NULL", (old + 1,)
    ).fetchall()
    database.execute("DELETE FROM states WHERE id <= ?", (old,))
    # The oldest state that is kept needs no way back.
    database.execute("DELETE FROM changes WHERE state <= ?", (old + 1,))
    contents.collect(database, {int(str(content)) for (content,) in dropped})


def _size(database: apsw.Connection, last: State | None, changes: Changes) -> tuple[int, int]:
    """Returns how many files and lines are present, from what changed since the last state."""
    if last is None:
        sql = "SELECT count(*), total(lines) FROM files JOIN contents ON id = content"
        files, lines = contents.one(database, sql)
        return int(files), int(lines)
    files, lines = last.files, last.lines
    for sides in changes.values():
        for content, sign in zip(sides, (-1, 1), strict=True):
            if content is not None:
                sql = "SELECT lines FROM contents WHERE id = ?"
                lines += sign * contents.one(database, sql, (content,))[0]
                files += sign
    return files, lines


def manifest(database: apsw.Connection, number: int) -> Mapping[str, int]:
    """Returns the files of a kept state: path → content."""
    files = dict(database.execute("SELECT path, content FROM files WHERE content IS NOT NULL"))
    rows = database.execute(
        "SELECT path, before FROM changes WHERE state > ? ORDER BY state DESC", (number,)
    )
    for path, before in rows:
        if before is None:
            files.pop(path, None)
        else:
            files[path] = before
    return files
