"""The file of a store: opened, locked, checked, and made anew.

One writer at a time, by a lock beside the file that ends with its process; SQLite's own locks keep
readers and the writer apart. Whether a file is damaged is asked of SQLite (`quick_check`) when it
is not as this program left it, and of full text by its own check; what they let pass shows when it
is read. Nothing here knows what the tables hold.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Self

import apsw

from codewright import console
from codewright.errors import MachineError
from codewright.repo import schema

PATIENCE = 2.0
"""Seconds to wait for another process before it is said."""
_PAGES = 64_000
"""Kilobytes of pages that are held in memory."""

DAMAGE = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)


class Damaged(MachineError):
    """A store's file cannot be read."""


class StoreFile:
    """An open file. path: None for one in memory, which this process alone sees."""

    def __init__(
        self, path: Path | None, root: Path, version: str, say: Callable[[str], None]
    ) -> None:
        self.path = path
        self._root = root
        self._version = version
        self._say = say
        self._held = 0
        self._sound = False
        self._lock = None if path is None else _lock_file(path)
        self.database = apsw.Connection(":memory:")

    @classmethod
    def open(cls, root: Path, cache: Path, version: str, say: Callable[[str], None]) -> Self:
        """Opens the file of a folder; one that cannot be used is made anew, and that is said.

        Where the cache's folder cannot be written, everything is kept in memory instead.
        """
        path: Path | None = _path(root, cache)
        assert path is not None
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = cls(path, root, version, say)
        except OSError as error:
            say(f"{path.parent} cannot be written ({error.strerror}): the index is kept in memory")
            file = cls(None, root, version, say)
            file._make()
            return file
        try:
            with file.writing(), told(path):
                file._open()
        except BaseException:
            file.close()
            raise
        return file

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the writers' lock, again and again if need be; says so when it has to wait."""
        if self._lock is not None and not self._held:
            self._wait(self._lock)
            self._sound = self._as_left()
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self._lock is not None and not self._held:
                if self._sound:
                    self._mark()
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def rebuild(self, why: str) -> None:
        """Makes the file anew, empty; the lock is held."""
        assert self._held
        self._say(f"{why}: it is made anew")
        self.database.close()
        if self.path is not None:
            for end in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{self.path}{end}").unlink()
        self._make()

    def suspect(self) -> None:
        """Has the file checked when it is opened next."""
        self._sound = False
        if self._lock is not None:
            os.ftruncate(self._lock, 0)

    def close(self) -> None:
        """Closes the file, and notes how it was left."""
        lock, self._lock = self._lock, None
        if lock is None:
            self.database.close()
            return
        sound = self._as_left(lock)
        self.database.close()
        if sound:  # the last one to close a file may write to it
            self._mark(lock)
        os.close(lock)

    def _mark(self, lock: int | None = None) -> None:
        """Notes how the file was left, so that it need not be checked when it is opened."""
        lock = self._lock if lock is None else lock
        assert lock is not None
        assert self.path is not None
        with contextlib.suppress(OSError):  # a full disk: it is checked then
            os.pwrite(lock, _left(self.path).ljust(64), 0)

    def _wait(self, lock: int) -> None:
        began = time.monotonic()
        said = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if not said and time.monotonic() - began > PATIENCE:
                    said = True
                    self._say(f"another process is indexing {self._root}: waiting for it")
                console.waited("waiting for another index")
                time.sleep(0.02)

    def _open(self) -> None:
        assert self.path is not None
        if not self.path.exists() or not self.path.stat().st_size:
            self._make()
            return
        try:
            why = self._connect()
        except DAMAGE as error:
            why = f"the index is damaged ({error})"
        if why:
            self.rebuild(why)

    def _connect(self) -> str:
        """Opens the file and returns why it cannot be used, "" where it can."""
        self.database.close()
        self.database = _connection(str(self.path))
        if self.database.pragma("application_id") != schema.APPLICATION:
            return f"{self.path} is no index"
        if schema.version(self.database) > len(schema.MIGRATIONS):
            return "the index was made by a newer codewright"
        if not self._as_left():
            found = self.database.pragma("quick_check(1)")
            if found != "ok":
                return f"the index is damaged ({found})"
            self.database.execute("INSERT INTO pieces(pieces) VALUES ('integrity-check')")
            self._sound = True
        schema.migrate(self.database)
        row = self.database.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
        if row is None or row[0] != self._version:
            return "files are read otherwise than when the index was made"
        return ""

    def _as_left(self, lock: int | None = None) -> bool:
        lock = self._lock if lock is None else lock
        assert lock is not None
        assert self.path is not None
        return self.path.exists() and os.pread(lock, 64, 0).strip() == _left(self.path)

    def _make(self) -> None:
        self.database = _connection(":memory:" if self.path is None else str(self.path))
        schema.migrate(self.database)
        self.database.execute("INSERT INTO meta VALUES ('version', ?)", (self._version,))
        self.database.execute("INSERT INTO meta VALUES ('root', ?)", (os.fsencode(self._root),))
        self._sound = True


@contextmanager
def told(path: Path | None) -> Iterator[None]:
    """Says what the machine lacks when the file cannot be written."""
    place = path or "the index in memory"
    try:
        yield
    except apsw.FullError:
        raise MachineError(
            f"no space left to write {place}",
            hint="free some space and run the same command again: the state before is kept",
        ) from None
    except (apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise MachineError(
            f"{place} cannot be written: {error}",
            hint="set XDG_CACHE_HOME to a folder on a disk with space that you may write to",
        ) from None


def _connection(name: str) -> apsw.Connection:
    database = apsw.Connection(name)
    database.set_busy_timeout(10_000)
    database.pragma("journal_mode", "wal")
    # A crash of the machine may lose the last updates; it never damages the file.
    database.pragma("synchronous", "normal")
    database.pragma("cache_size", -_PAGES)
    # No mmap: a file that somebody cuts short would end the process instead of raising.
    return database


def _path(root: Path, cache: Path) -> Path:
    """Returns a folder's file: a name for people, and a hash that keeps equal names apart."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", root.name)[:40] or "root"
    return cache / f"{name}-{sha256(os.fsencode(root)).hexdigest()[:16]}.sqlite"


def _lock_file(path: Path) -> int:
    return os.open(
        path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )


def _left(path: Path) -> bytes:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}".encode()
