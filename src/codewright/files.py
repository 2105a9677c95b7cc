"""Rows read, rows appended, and files written whole.

`read_rows` opens plain and gzipped files alike and says where a file is broken; `RowLog` keeps
every row that was written to it, whatever happens to its writer; `write_whole` replaces a file
completely or leaves it as it was. Nothing here knows what a row means.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gzip
import json
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from codewright.errors import CodewrightError, DataError, MachineError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the operating system says when a file cannot grow: no space, quota, size limit."""

PATIENCE = 2.0
"""Seconds to wait for a file's lock: a killed writer's own children hold it till they end."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Says of a file that cannot be read why, as a DataError.

    Raises:
        DataError: it is missing, a folder, or unreadable.
    """
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", hint="check the path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder", hint="name a file inside it") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def read_bytes(path: Path) -> bytes:
    """Returns the content of `path`, unpacked where it is gzipped (told by its first bytes).

    Raises:
        DataError: the file is missing, a folder, unreadable, or a damaged archive.
    """
    with reading(path):
        raw = path.read_bytes()
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path} is a damaged gzip archive: {error}", hint="copy or download it again"
        ) from None


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields (line number from 1, object) for each line of a JSONL file, blank lines left out.

    Raises:
        DataError: as `read_bytes`, or a line is not UTF-8, not JSON, or not an object.
    """
    for number, line in enumerate(read_bytes(path).split(b"\n"), start=1):
        if line.strip():
            yield number, parse_row(line, f"{path}, line {number}")


def parse_row(line: bytes, where: str) -> dict[str, Any]:
    """Returns the JSON object in `line`; `where` opens the message of the DataError it raises."""
    try:
        row = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        start = line[:60].decode("utf-8", "replace")
        raise DataError(f"{where}: not JSON ({error})", hint=f"it begins with {start!r}") from None
    if not isinstance(row, dict):
        raise DataError(
            f"{where}: a {type(row).__name__} where an object was expected",
            hint="each line holds one JSON object",
        )
    return row


class RowLog:
    """An open JSONL file that only grows, for one process at a time. A context manager.

    A row is one write, so a killed process leaves at most its last row torn. `rows` are those
    found when the file was opened, with the words that name their place; `torn` tells whether a
    torn one was dropped behind them.
    """

    def __init__(self, path: Path) -> None:
        """Opens or makes `path`, and reads it.

        Raises:
            DataError: another process is writing to it, or a line of it is broken.
            MachineError: it cannot be written.
        """
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise cannot_write(path, error) from None
        try:
            self._lock()
            self.rows, self.torn = self._read()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def append(self, row: dict[str, Any]) -> None:
        """Writes `row` at the end, whole: if that fails, the file is as it was before.

        Raises:
            MachineError: the disk is full, or the file cannot be written.
        """
        line = (json.dumps(row, separators=(",", ":")) + "\n").encode("ascii")
        done = 0
        try:
            while done < len(line):
                done += os.write(self._file, line[done:])
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise cannot_write(self._path, error) from None
        self._end += len(line)

    def _lock(self) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError:
                if time.monotonic() > until:
                    break
                time.sleep(0.02)
        raise DataError(
            f"another run is writing to {self._path}", hint="wait for it, or name another folder"
        )

    def _read(self) -> tuple[list[tuple[str, dict[str, Any]]], bool]:
        whole, _, rest = self._path.read_bytes().rpartition(b"\n")
        self._end = len(whole) + (1 if whole else 0)
        if rest:
            os.ftruncate(self._file, self._end)
        rows = []
        for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
            where = f"{self._path}, line {number}"
            rows.append((where, parse_row(line, where)))
        return rows, bool(rest)


def write_whole(path: Path, content: str | bytes) -> None:
    """Replaces `path` by `content`: a temporary file beside it, synced, then renamed.

    Raises:
        MachineError: the disk is full or the folder cannot be written; `path` is as it was.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise cannot_write(path, error) from None


def cannot_write(path: Path, error: OSError) -> CodewrightError:
    """Returns the error to raise when writing `path` failed with `error`."""
    if error.errno in FULL:
        return MachineError(
            f"no space left to write {path}",
            hint="free some space and run the same command again: what was written is kept",
        )
    return MachineError(
        f"{path} cannot be written: {error.strerror}", hint="name a folder that you may write to"
    )


def json_text(value: Any) -> str:
    """Returns `value` as JSON for a file that people may read, in ASCII.

    Raises:
        ValueError: a number in it is NaN or infinite, which JSON cannot say.
    """
    return json.dumps(value, indent=2, allow_nan=False) + "\n"
