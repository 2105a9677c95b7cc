"""Reads Python files fast, straight into what the store keeps.

    scan(data) -> Scanned: facts as a blob (`packed.py`), and the names that are looked for

This is the C scanner where it was built, else `python_ast.py`; both give the same facts of a file
without syntax errors. Of one with errors the scanner gives more. The C scanner runs beside other
threads, and keeps nothing between calls.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from ctypes import c_char_p, c_size_t, c_void_p
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from codewright.errors import MissingKernels
from codewright.repo.facts import Facts
from codewright.repo.packed import pack
from codewright.repo.python_ast import PythonExtractor
from codewright.repo.sources import as_utf8
from codewright.repo.unpacked import unpack

FOLDER = Path(__file__).resolve().parent / "scan"
LIBRARY = "CODEWRIGHT_SCANNER"
"""An environment variable that names another build of the library, or is `python` for none."""

_SIZES = 20
_LARGEST = (1 << 31) - 1


class Scanned(NamedTuple):
    """One content.

    blob: its facts. names: of its definitions, by ordinal, "" for the file itself. mentioned: the
    last names of its references, each once. lines: how many. error: as in the facts.
    """

    blob: bytes
    names: list[str]
    mentioned: list[str]
    lines: int
    error: str


class Scanner:
    """A `facts.Extractor` of Python, by the fastest means that are here."""

    def facts(self, data: bytes) -> Facts:
        """Returns what a file says; never raises."""
        return unpack(scan(data).blob)


def scan(data: bytes) -> Scanned:
    """Reads one Python file; never raises on what it is given."""
    try:
        library = find()
    except MissingKernels:  # `codewright doctor` says why
        return scan_plainly(data)
    if len(data) > _LARGEST // 4:
        return scan_plainly(data)
    data, wrong = as_utf8(data)
    said = wrong.encode("utf-8", "replace")
    result = library.cw_scan(data, len(data), said, len(said))
    if not result:
        raise MemoryError
    try:
        numbers = memoryview(ctypes.string_at(result, _SIZES)).cast("I")
        *sizes, lines = numbers
        whole = ctypes.string_at(result + _SIZES, sum(sizes))
    finally:
        library.cw_scan_free(result)
    ends = list(accumulate(sizes))
    names, mentioned, error = (
        whole[first:last].decode("utf-8", "replace") for first, last in pairwise(ends)
    )
    return Scanned(whole[: ends[0]], names.split("\n"), mentioned.split("\n")[:-1], lines, error)


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
    return Scanned(
        pack(facts),
        [each.name for each in facts.definitions],
        list(dict.fromkeys(each.name for each in facts.references)),
        facts.lines,
        facts.error,
    )


@cache
def find() -> Any:
    """Returns the C scanner.

    Raises:
        MissingKernels: it was not built, or of other sources.
    """
    chosen = os.environ.get(LIBRARY, "")
    path = Path(chosen) if chosen else FOLDER / "scan.so"
    if not path.is_file():
        raise MissingKernels("the C scanner was not built", hint=_HOW)
    try:
        calls = ctypes.CDLL(str(path))
        calls.cw_scan_sources.restype = c_char_p
        sources = calls.cw_scan_sources().decode()
    except (OSError, AttributeError) as error:
        raise MissingKernels(f"the C scanner cannot be loaded: {error}", hint=_HOW) from None
    if sources != _digest():
        raise MissingKernels("the C scanner was built of other sources", hint=_HOW)
    scan_function, free = calls.cw_scan, calls.cw_scan_free
    scan_function.restype = c_void_p
    scan_function.argtypes = [c_char_p, c_size_t, c_char_p, c_size_t]
    calls.cw_words.restype, calls.cw_words.argtypes = (
        c_void_p,
        [c_char_p, c_size_t, ctypes.c_int],
    )
    free.restype, free.argtypes = None, [c_void_p]
    return calls


_HOW = "install codewright again where there is a C compiler: pip install -e ."


def _digest() -> str:
    """As hatch_build.py computes it."""
    names = sorted(path for path in FOLDER.iterdir() if path.suffix in (".c", ".h"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in names)).hexdigest()[:16]
