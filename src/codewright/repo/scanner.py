"""Reads Python files fast, straight into what the store keeps.

    scan(data) -> Scanned: facts as a blob (`packed.py`), and the names that are looked for

This is the C scanner where it was built, else `python_ast.py`; both give the same facts of a file
without syntax errors. Of one with errors the scanner gives more. The C scanner runs beside other
threads, and keeps nothing between calls.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import c_char_p, c_int, c_size_t, c_uint32, c_void_p
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from codewright.engine.compiled import Signatures, load
from codewright.errors import MissingKernels
from codewright.repo.facts import Facts
from codewright.repo.packed import pack
from codewright.repo.python_ast import PythonExtractor
from codewright.repo.sources import as_utf8
from codewright.repo.unpacked import unpack

FOLDER = Path(__file__).resolve().parent / "scan"
LIBRARY = "CODEWRIGHT_SCANNER"
"""An environment variable that names another build of the library, or is `python` for none."""

_NUMBERS = 7
_SIGNATURES: Signatures = {
    "cw_scan": (c_void_p, [c_char_p, c_size_t, c_char_p, c_size_t, c_int]),
    "cw_words": (c_void_p, [c_char_p, c_size_t, c_int]),
    "cw_scan_free": (None, [c_void_p]),
    "cw_sums_new": (c_void_p, [c_char_p, c_size_t, c_void_p, c_uint32, c_uint32]),
    "cw_sums": (
        c_int,
        [c_void_p, c_char_p, c_size_t, c_void_p, c_uint32, c_uint32, c_void_p],
    ),
    "cw_sums_free": (None, [c_void_p]),
}
_LARGEST = (1 << 31) - 1


class Scanned(NamedTuple):
    """One content.

    blob: its facts. mentioned: the last names of its references, each once. whole: the rest, where
    it was asked for.
    """

    blob: bytes
    mentioned: list[str]
    whole: Whole | None = None


class Whole(NamedTuple):
    """What `reading.Read` has beside the facts.

    names: of the definitions, by ordinal, "" for the file itself. words: of pieces, with
    `reading.END` between.
    """

    lines: int
    names: list[str]
    places: bytes
    words: bytes
    shapes: bytes


class Scanner:
    """A `facts.Extractor` of Python, by the fastest means that are here."""

    def facts(self, data: bytes) -> Facts:
        """Returns what a file says; never raises."""
        return unpack(scan(data).blob)


def scan(data: bytes, *, whole: bool = False) -> Scanned:
    """Reads one Python file; never raises on what it is given.

    Args:
        whole: with all that `reading.Read` wants, where there is the C scanner.
    """
    try:
        library = find()
    except MissingKernels:  # `codewright doctor` says why
        return scan_plainly(data)
    if len(data) > _LARGEST // 4:
        return scan_plainly(data)
    data, wrong = as_utf8(data)
    said = wrong.encode("utf-8", "replace")
    result = library.cw_scan(data, len(data), said, len(said), whole)
    if not result:
        raise MemoryError
    try:
        *sizes, lines = memoryview(ctypes.string_at(result, _NUMBERS * 4)).cast("I")
        text = ctypes.string_at(result + _NUMBERS * 4, sum(sizes))
    finally:
        library.cw_scan_free(result)
    ends = [0, *accumulate(sizes)]
    blob, mentioned, names, *pieces = (text[first:last] for first, last in pairwise(ends))
    return Scanned(
        blob, _lines(mentioned)[:-1], Whole(lines, _lines(names), *pieces) if whole else None
    )


def _lines(text: bytes) -> list[str]:
    return text.decode("utf-8", "replace").split("\n")


def words(data: bytes) -> str:
    """Returns what `words.words` does, by the C scanner.

    Raises:
        MissingKernels: there is none.
    """
    return _words(data, borders=False).decode("utf-8", "replace")


def words_between(data: bytes) -> bytes:
    """Returns the words of many texts at once, between which 0x1E and 0x1F stand, and stay.

    Raises:
        MissingKernels: there is no C scanner.
    """
    return _words(data, borders=True)


def _words(data: bytes, *, borders: bool) -> bytes:
    library = find()
    result = library.cw_words(data, len(data), borders)
    if not result:
        raise MemoryError
    try:
        size = ctypes.c_uint32.from_address(result).value
        return ctypes.string_at(result + 4, size)
    finally:
        library.cw_scan_free(result)


def scan_plainly(data: bytes) -> Scanned:
    """Does what `scan` does, without the C scanner."""
    facts = PythonExtractor().facts(data)
    return Scanned(pack(facts), list(dict.fromkeys(each.name for each in facts.references)))


@cache
def find() -> Any:
    """Returns the C scanner.

    Raises:
        MissingKernels: it was not built, or of other sources.
    """
    chosen = os.environ.get(LIBRARY, "")
    path = Path(chosen) if chosen else FOLDER / "scan.so"
    return load(path, FOLDER, "the C scanner was", _SIGNATURES)
