"""A unit of work, and how a file becomes a document.

A source is cut into units: a piece that is read, filtered and written as a whole, and read again
from its start after a kill. A unit is plain data, so that it can travel to another process; the
module of its kind knows how to read it.
"""

from __future__ import annotations

import codecs
import fnmatch
import hashlib
import io
import os
import re
import stat
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from codewright.corpus.steps import Drops
from codewright.types.document import Document

UNIT_BYTES = 4_000_000
"""Source text in a unit: a few seconds of work, so that little is lost and processes stay busy."""

FILE_BYTES = 8_000_000
"""No file above this is even read; the filters set their own, smaller limit."""

SHEBANG = re.compile(rb"#![^\n]*\bpython[\d.]*\b")
BOM = codecs.BOM_UTF8


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A piece of a source.

    source: the number of the source in the recipe. kind: which module reads it. origin: what
    documents get as theirs. place: the folder or file. licence: the SPDX expression of its files.
    files: paths inside `place` in order; empty where the place says itself what it holds.
    size: bytes, as far as known before reading. stamp: changes when the content does.
    """

    source: int
    kind: str
    origin: str
    place: Path
    licence: str
    files: tuple[str, ...] = ()
    size: int = 0
    stamp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which of the files of a source are wanted; `suffixes` with their dots."""

    suffixes: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    share: float = 1.0

    def takes(self, path: str) -> bool:
        """True where the file with this path inside its origin is wanted."""
        if not path.endswith(self.suffixes):
            return False
        if any(fnmatch.fnmatchcase(path, pattern) for pattern in self.exclude):
            return False
        return self.share >= 1 or part(path) < self.share


def part(path: str) -> float:
    """Returns a number in [0, 1) that depends on nothing but `path`."""
    return int.from_bytes(hashlib.sha256(path.encode("utf-8", "replace")).digest()[:6]) / 2**48


def pieces(files: Iterable[tuple[str, int]]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Cuts (path, bytes) into runs of about `UNIT_BYTES`; yields the paths and their bytes."""
    paths: list[str] = []
    held = 0
    for path, count in files:
        paths.append(path)
        held += count
        if held >= UNIT_BYTES:
            yield tuple(paths), held
            paths, held = [], 0
    if paths:
        yield tuple(paths), held


def stamp_of(files: Iterable[tuple[str, int]], *more: str) -> str:
    """Returns a short digest of paths, sizes and whatever else tells one content from another."""
    text = "\n".join([*more, *(f"{path}\t{count}" for path, count in files)])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def walk(root: Path, skip: frozenset[str] = frozenset()) -> Iterator[tuple[str, int]]:
    """Yields (path inside `root`, bytes) of the ordinary files below it, in one fixed order.

    Links are neither followed nor yielded, nor are hidden folders and those named in `skip`.
    """
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(
            name for name in folders if name not in skip and not name.startswith(".")
        )
        for name in sorted(names):
            path = os.path.join(folder, name)
            found = os.lstat(path)
            if stat.S_ISREG(found.st_mode):
                yield os.path.relpath(path, root), found.st_size


def read_file(unit: Unit, path: str, drops: Drops) -> bytes | None:
    """Returns the bytes of one file of a unit; None, with the reason said, where it is no use."""
    try:
        number = os.open(unit.place / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        drops.refuse(path, unit.origin, 0, "unreadable", error.strerror or "")
        return None
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode):
        os.close(number)
        drops.refuse(path, unit.origin, 0, "no-file")
        return None
    with open(number, "rb") as file:
        if found.st_size > FILE_BYTES:
            drops.refuse(path, unit.origin, found.st_size, "too-big")
            return None
        return file.read(FILE_BYTES)


def document(unit: Unit, path: str, raw: bytes, drops: Drops) -> Document | None:
    """Returns a file of `unit` as a document; None, with the reason said, where it is no text."""
    text = decode(raw)
    if text is None:
        drops.refuse(path, unit.origin, len(raw), "encoding")
        return None
    return Document(text=text, path=path, licence=unit.licence, origin=unit.origin)


def decode(raw: bytes) -> str | None:
    """Returns Python source as text with `\\n` line ends; None where it is not text.

    UTF-8, or what the file declares (PEP 263). A byte order mark is no part of the text.
    """
    if b"\0" in raw:
        return None
    try:
        text = raw.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError:
        try:
            name, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
            text = raw.decode(name)
            text.encode("utf-8")
        except (SyntaxError, LookupError, ValueError):
            return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def safe(path: str) -> bool:
    """True for a path that stays inside the folder it is relative to."""
    parts = path.split("/")
    return bool(path) and not path.startswith("/") and ".." not in parts and "\\" not in path
