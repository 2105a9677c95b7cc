"""The state cache of one folder: one SQLite file in the user's cache, an `Index` to read.

    with Store.open(root, cache, languages, console.say) as store:
        store.update()
        store.defining("load")

It is a cache: whatever is wrong with the file (damage, a newer program, other readers) is said and
the file made anew, and where none can be written it is kept in memory. A file is only ever
written by one process, while others wait to write and go on reading; each change is a transaction,
so that a killed process leaves the state before or after it. A number of a content that was given
stays good while the states that have it are kept. Nothing is resolved across files here.
"""

from __future__ import annotations

import json
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import apsw

from codewright.errors import DataError, MachineError
from codewright.repo import history
from codewright.repo.bm25 import Ranking
from codewright.repo.contents import PLACED
from codewright.repo.embedding import Embedder
from codewright.repo.facts import Facts
from codewright.repo.history import State
from codewright.repo.index import File, Found
from codewright.repo.ingest import Ingest, Report
from codewright.repo.present import TOGETHER, unchanged, wants_all
from codewright.repo.reading import opened, shapes_of
from codewright.repo.registry import Languages
from codewright.repo.sources import as_utf8
from codewright.repo.store_file import DAMAGE, Damaged, StoreFile, told
from codewright.repo.vectors import Vectors
from codewright.repo.vectors_update import complete
from codewright.repo.walk import Walk

FACTS = 512
"""Contents whose facts are held unpacked."""
_FILE = "path, contents.id, language, lines, contents.size"
_NAMED = """FROM names JOIN {0} ON {0}.name = names.id
    CROSS JOIN contents ON contents.id = {0}.content
    CROSS JOIN files ON files.content = contents.id WHERE names.name = ? ORDER BY path"""


class Store:
    """The cache of one folder. A context manager; made by `open`."""

    def __init__(
        self,
        file: StoreFile,
        root: Path,
        languages: Languages,
        say: Callable[[str], None],
        embedder: Embedder | None = None,
    ) -> None:
        self._file, self._root = file, root
        self._languages = languages
        self._say = say
        self._lock = threading.RLock()
        self._facts: OrderedDict[int, Facts] = OrderedDict()
        self._ranking: tuple[object, Ranking] | None = None
        self._walk: Walk | None = None
        self._vectors = Vectors(embedder) if embedder is not None else None

    @classmethod
    def open(
        cls,
        root: Path,
        cache: Path,
        languages: Languages,
        say: Callable[[str], None],
        embedder: Embedder | None = None,
    ) -> Self:
        """Opens the cache of a folder, an empty one where there is none.

        Args:
            root: the folder.
            cache: where the files of all folders are.
            languages: what is read, and how.
            say: takes a line for the user.
            embedder: makes vectors of the pieces, for `nearest`.

        Raises:
            DataError: `root` is no folder.
        """
        root = Path(root).resolve()
        if not root.is_dir():
            raise DataError(f"{root} is no folder", hint="name a folder with code")
        file = StoreFile.open(root, cache, languages.version, say)
        return cls(file, root, languages, say, embedder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; nothing may be asked afterwards."""
        with self._lock:
            self._file.close()

    @property
    def root(self) -> Path:
        """The folder."""
        return self._root

    @property
    def place(self) -> Path | None:
        """The file, None where it is kept in memory."""
        return self._file.path

    @property
    def complete(self) -> bool:
        """False before a first update has ended."""
        return bool(self._rows("SELECT 1 FROM meta WHERE key = 'complete'"))

    def update(self, paths: Sequence[str] | None = None) -> Report:
        """Brings the cache up to what the folder holds, waiting for other writers.

        Args:
            paths: what may have changed, relative to the root; without it, everything is
                looked at. A folder stands for what was known in it.

        Raises:
            MachineError: the disk is full or the file cannot be written; the state is as it was.
        """
        with self._lock, self._file.writing():
            try:
                return self._update(paths)
            except DAMAGE as error:
                self._file.rebuild(f"the index is damaged ({error})")
                self._forget()
                return self._update(None)

    def _update(self, paths: Sequence[str] | None) -> Report:
        if self._walk is None or paths is None:
            self._walk = Walk(self._root)
        if paths is not None and (not self.complete or wants_all(self._root, paths)):
            paths = None
        with told(self._file.path):
            database = self._file.database
            report = Ingest(database, self._walk, self._languages, self._vectors).run(paths)
            complete(database, self._vectors, self._root, self._languages)
            report.state = self.state
            self._count(report)
        return report

    def _count(self, report: Report) -> None:
        now = history.newest(self._file.database)
        assert now is not None
        report.files, report.lines = now.files, now.lines
        rows = self._rows("SELECT skipped, path FROM files WHERE content IS NULL ORDER BY 1, 2")
        for reason, path in rows:
            report.skipped.setdefault(reason, []).append(path)

    @property
    def state(self) -> str:
        """Names what the files are: equal contents under equal paths give an equal name."""
        rows = self._rows("SELECT name FROM states ORDER BY id DESC LIMIT 1")
        return str(rows[0][0]) if rows else ""

    def files(self) -> Sequence[File]:
        """Returns all files, by path."""
        return [
            File(*row)
            for row in self._rows(
                f"SELECT {_FILE} FROM files JOIN contents ON id = content ORDER BY path"
            )
        ]

    def file(self, path: str) -> File | None:
        """Returns one file."""
        rows = self._rows(
            f"SELECT {_FILE} FROM files JOIN contents ON id = content WHERE path = ?", path
        )
        return File(*rows[0]) if rows else None

    def facts(self, content: int) -> Facts:
        """Returns what a content says.

        Raises:
            DataError: no state that is kept has it any more.
        """
        with self._lock:
            found = self._facts.get(content)
            if found is None:
                found = self._unpacked(content)
                self._facts[content] = found
                if len(self._facts) > FACTS:
                    self._facts.popitem(last=False)
            else:
                self._facts.move_to_end(content)
            return found

    def _unpacked(self, content: int) -> Facts:
        rows = self._rows("SELECT facts FROM said WHERE content = ?", content)
        if not rows:
            raise DataError(
                "the index has moved on since it was asked", hint="ask again from the start"
            )
        try:
            return opened(rows[0][0])
        except ValueError as error:
            raise self._damaged(str(error)) from None

    def shapes(self, content: int) -> Sequence[int]:
        """Returns a number for the body of each definition of a content, 0 without a body."""
        rows = self._rows("SELECT shapes FROM said WHERE content = ?", content)
        return shapes_of(rows[0][0]) if rows else []

    def text(self, path: str) -> str:
        """Returns a file's text as it was indexed, by its encoding (see `sources.py`).

        Raises:
            DataError: the file has gone or changed since.
        """
        rows = self._rows(
            "SELECT hash FROM files JOIN contents ON id = content WHERE path = ?", path
        )
        if not rows:
            raise DataError(f"{path} is not in the index", hint="codewright index says why")
        data = unchanged(self._root, path, rows[0][0])
        return as_utf8(data)[0].decode("utf-8", "replace")

    def defining(self, name: str, most: int | None = None) -> Sequence[tuple[File, int]]:
        """Returns the first `most` places of a name, as file and ordinal, by path and place."""
        sql = f"SELECT {_FILE}, ordinal {_NAMED.format('defined')}, ordinal LIMIT ?"
        rows = self._rows(sql, name, -1 if most is None else most)
        return [(File(*row[:5]), row[5]) for row in rows]

    def mentioning(self, name: str) -> Sequence[File]:
        """Returns the files with a reference of that last name, by path."""
        rows = self._rows(f"SELECT {_FILE} {_NAMED.format('mentioned')}", name)
        return [File(*row) for row in rows]

    def together(self, name: str, others: Sequence[str]) -> Mapping[str, int]:
        """Returns in how many contents each of some names is mentioned where `name` is too."""
        return dict(self._rows(TOGETHER, name, json.dumps(others)))

    def names(self, prefix: str, limit: int) -> Sequence[str]:
        """Returns names that are defined and begin so, in order."""
        # What begins so is from the prefix to before the next text that does not.
        above = prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix and prefix[-1] < "\ud7ff" else None
        rows = self._rows(
            "SELECT name FROM names WHERE name >= ?1 AND (?2 IS NULL OR name < ?2) "
            "AND substr(name, 1, length(?1)) = ?1 "
            "AND EXISTS (SELECT 1 FROM defined WHERE defined.name = names.id) "
            "ORDER BY name LIMIT ?3",
            prefix,
            above,
            limit,
        )
        return [name for (name,) in rows]

    def match(self, words: Sequence[str], limit: int) -> Sequence[Found]:
        """Returns the pieces with any of the words, best first by BM25.

        A piece of a content that several files have is found once, in the first of them.
        """
        with self._lock, self._snapshot():
            ranked = self._ranked().best(words, limit)
            return self._found(ranked)[:limit]

    def nearest(self, text: str, limit: int) -> Sequence[Found]:
        """Returns the pieces that are nearest in meaning, best first; none without an embedder.

        A piece of a content that several files have is found once, in the first of them.
        """
        if self._vectors is None:
            return ()
        with self._lock:
            try:
                near = self._vectors.nearest(self._file.database, text, limit)
            except DAMAGE as error:
                raise self._damaged(str(error)) from None
            return self._found(near)[:limit]

    def _ranked(self) -> Ranking:
        now = (self._file.database.pragma("data_version"), self._file.database.total_changes())
        if self._ranking is None or self._ranking[0] != now:
            self._ranking = (now, Ranking(self._file.database))
        return self._ranking[1]

    def _found(self, scores: Sequence[tuple[int, float]]) -> list[Found]:
        """Returns pieces with their scores, best first; the caller holds one state."""
        if not scores:
            return []
        of = dict(scores)
        rows = self._rows(PLACED, apsw.carray(array("q", of)))
        found = []
        for *file, piece, place in rows:
            ordinal, first, last = array("i", place)
            found.append(Found(File(*file), piece, ordinal, first, last, of[piece]))
        found.sort(key=_best_first)
        return found

    def chunks(self, file: File) -> Sequence[Found]:
        """Returns a file's pieces in their order, score 0.

        Raises:
            DataError: the file is not as it was.
        """
        rows = self._rows(
            "SELECT first, places FROM contents JOIN said ON content = id WHERE id = ?",
            file.content,
        )
        if not rows or rows[0][0] is None:
            raise DataError(f"{file.path} has changed since it was asked for", hint="ask again")
        first, packed = rows[0]
        places = array("i", packed)
        return [
            Found(file, first + at // 3, places[at], places[at + 1], places[at + 2], 0.0)
            for at in range(0, len(places), 3)
        ]

    def kept(self, key: str) -> bytes | None:
        """Returns what was kept under a key for this very state."""
        rows = self._rows("SELECT value FROM kept WHERE key = ?", key)
        return rows[0][0] if rows else None

    def keep(self, key: str, value: bytes) -> None:
        """Keeps something derived from this state until the state changes."""
        with self._lock, self._file.writing(), told(self._file.path):
            self._file.database.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, value))

    def states(self) -> Sequence[State]:
        """Returns the states that are kept, newest first."""
        with self._lock:
            return history.every(self._file.database)

    def manifest(self, number: int) -> Mapping[str, int]:
        """Returns the files of a kept state: path → content."""
        with self._lock, self._snapshot():
            return history.manifest(self._file.database, number)

    def by_hash(self, blob: bytes, language: str) -> int | None:
        """Returns the content of a hash, where a kept state has it."""
        rows = self._rows("SELECT id FROM contents WHERE hash = ? AND language = ?", blob, language)
        return int(rows[0][0]) if rows else None

    def hashes(self) -> Mapping[int, bytes]:
        """Returns the hash of every content that a kept state has."""
        return {content: blob for content, (blob, _) in self.keys().items()}

    def keys(self) -> Mapping[int, tuple[bytes, str]]:
        """Returns hash and language of every content that a kept state has."""
        rows = self._rows("SELECT id, hash, language FROM contents")
        return {content: (blob, language) for content, blob, language in rows}

    @property
    def languages(self) -> Languages:
        """What is read here, and how."""
        return self._languages

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several questions about one state, whatever other processes write meanwhile."""
        try:
            self._file.database.execute("BEGIN")
            try:
                yield
            finally:
                self._file.database.execute("COMMIT")
        except DAMAGE as error:
            raise self._damaged(str(error)) from None

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            try:
                return self._file.database.execute(sql, values).fetchall()
            except DAMAGE as error:
                raise self._damaged(str(error)) from None

    def _damaged(self, what: str) -> MachineError:
        """Says that the file cannot be read; the next update makes it anew."""
        self._file.suspect()
        return Damaged(
            f"the index of {self._root} is damaged: {what}",
            hint="run the command again: the index is made anew",
        )

    def _forget(self) -> None:
        self._facts.clear()
        self._ranking = None


def _best_first(found: Found) -> tuple[float, bytes, int]:
    return -found.score, found.file.path.encode(), found.chunk
