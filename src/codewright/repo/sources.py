"""A file's bytes as UTF-8, whatever it was written in; facts tell positions in these.

A byte order mark goes, a declared encoding (PEP 263) is followed, and bytes that do not fit are
read as Latin-1, where each byte is one character, and said so. Nothing here raises, and line ends
stay as they are.
"""

from __future__ import annotations

import codecs
import re

_DECLARED = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_EMPTY = re.compile(rb"^[ \t\f]*(?:#.*)?$")
_LINE = re.compile(rb"\r\n|\n|\r")


def as_utf8(data: bytes) -> tuple[bytes, str]:
    """Returns Python source as UTF-8 without a mark, and what was wrong with it, or ""."""
    marked = data.startswith(codecs.BOM_UTF8)
    if marked:
        data = data[len(codecs.BOM_UTF8) :]
    declared = _declared(data)
    if declared in ("", "utf-8", "utf8", "utf_8"):
        return _checked(data)
    try:
        codec = codecs.lookup(declared)
        if marked and codec.name != "utf-8":
            return _latin(data), f"line 1: UTF-8 by its mark, but declared as {declared}"
        if codec.name == "utf-8":
            return _checked(data)
        text: object = codec.decode(data)[0]
    except UnicodeDecodeError as error:
        where = line_of(data, error.start)
        return _latin(data), f"line {where}: not {declared}, as which it is declared"
    except (LookupError, ValueError):
        return _checked(data)[0], f"line 1: {declared!r} is no encoding of text"
    if not isinstance(text, str):
        return _checked(data)[0], f"line 1: {declared!r} is no encoding of text"
    return text.encode("utf-8", "replace"), ""


def _checked(data: bytes) -> tuple[bytes, str]:
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            return _latin(data), f"line {line_of(data, error.start)}: not UTF-8"
    return data, ""


def _latin(data: bytes) -> bytes:
    return data.decode("latin-1").encode("utf-8")


def _declared(data: bytes) -> str:
    """Returns the encoding that one of the first two lines declares, in lower case."""
    rest = data[:4096]
    if b"coding" not in rest:
        return ""
    for line in _LINE.split(rest, 2)[:2]:
        if found := _DECLARED.match(line):
            return found[1].decode("ascii", "replace").lower()
        if not _EMPTY.match(line):
            break
    return ""


def count_lines(data: bytes) -> int:
    """Returns how many lines there are, where LF, CRLF and CR each end one."""
    ends = data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
    return ends + (bool(data) and data[-1] not in b"\r\n")


def line_of(data: bytes, place: int) -> int:
    """Returns the line of a place, from 1."""
    before = data[:place]
    return before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n") + 1
