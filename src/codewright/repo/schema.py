"""The tables of a store, as a numbered list of steps from an empty file to today's.

`MIGRATIONS[n]` takes a file from version n to n + 1; SQLite keeps the number as `user_version`. A
step that was released is never changed, a change is a new step. A file from a newer program, or
one whose facts were read by other readers, is no file to migrate: the store is a cache, and
`store.py` makes it anew.

What stands where: `contents` and `said` are kept for every content that a kept state has;
`names`, `defined`, `mentioned` and `pieces` only for contents that are present, so that they are
the same however the present came about.
"""

from __future__ import annotations

import apsw

from codewright.repo import vectors

APPLICATION = 0x43575249
"""Tells our files from other SQLite files: "CWRI"."""

MIGRATIONS = (
    """
    CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;

    -- first: the first of its pieces, NULL where it is not present. names: the ids it has rows
    -- for in defined and mentioned (see contents.py).
    CREATE TABLE contents(
        id INTEGER PRIMARY KEY, hash BLOB NOT NULL, language TEXT NOT NULL,
        lines INTEGER NOT NULL, size INTEGER NOT NULL, first INTEGER, pieces INTEGER NOT NULL);
    CREATE UNIQUE INDEX contents_by_hash ON contents(hash, language);
    CREATE INDEX contents_by_piece ON contents(first) WHERE first IS NOT NULL;
    CREATE TABLE said(
        content INTEGER PRIMARY KEY, facts BLOB NOT NULL, shapes BLOB NOT NULL,
        places BLOB NOT NULL, names BLOB);

    -- content is NULL for what was skipped. stamp: of size, times and inode; 0 where it may change
    -- without a change of these.
    CREATE TABLE files(
        path TEXT PRIMARY KEY, content INTEGER, stamp INTEGER NOT NULL, size INTEGER NOT NULL,
        skipped TEXT) WITHOUT ROWID;
    CREATE INDEX files_by_content ON files(content);

    CREATE TABLE names(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE defined(
        name INTEGER, content INTEGER, ordinal INTEGER,
        PRIMARY KEY(name, content, ordinal)) WITHOUT ROWID;
    CREATE TABLE mentioned(
        name INTEGER, content INTEGER, PRIMARY KEY(name, content)) WITHOUT ROWID;
    CREATE VIRTUAL TABLE pieces USING fts5(
        named, head, body, content='', contentless_delete=1, detail=full, tokenize='ascii');

    -- A state is the one before it with these changes; NULL: not there.
    CREATE TABLE states(
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, made REAL NOT NULL, files INTEGER NOT NULL,
        lines INTEGER NOT NULL);
    CREATE TABLE changes(
        state INTEGER, path TEXT, before INTEGER, after INTEGER,
        PRIMARY KEY(state, path)) WITHOUT ROWID;
    CREATE INDEX changes_by_before ON changes(before);
    CREATE TABLE kept(key TEXT PRIMARY KEY, value BLOB NOT NULL);
    """,
    vectors.TABLES,
)


def version(database: apsw.Connection) -> int:
    """Returns the version of a file's tables, 0 for an empty file."""
    return int(database.pragma("user_version"))


def migrate(database: apsw.Connection) -> None:
    """Takes a file to today's tables, all steps or none."""
    with database:
        for number in range(version(database), len(MIGRATIONS)):
            database.execute(MIGRATIONS[number])
        database.pragma("application_id", APPLICATION)
        database.pragma("user_version", len(MIGRATIONS))
