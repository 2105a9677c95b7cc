"""Reading rows and writing whole files.

`read_rows` and `read_text` open plain and gzipped files alike and say where a file is broken;
`write_whole` replaces a file completely or leaves it as it was. Nothing here knows what a row
means.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codewright.errors import CodewrightError, DataError, MachineError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the operating system says when a file cannot grow: no space, quota, size limit."""


def read_bytes(path: Path) -> bytes:
    """Returns the content of `path`, unpacked where it is gzipped (told by its first bytes).

    Raises:
        DataError: the file is missing, a folder, unreadable, or a damaged archive.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", hint="check the path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder", hint="name a file inside it") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
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
