"""Python source by line and column, and pieces of it on one line.

This is text, not grammar: strings and comments are told from the rest, no more.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right

LONGEST = 400
"""Characters of a signature; what is longer is cut and ends in …."""

_ENOUGH = 4 * LONGEST + 100
_PIECE = re.compile(
    rb"(?P<space>[ \t\f\v]+)|(?P<line>\\?\n)|(?P<comment>#[^\n]*)"
    rb'|(?P<string>"""|\'\'\'|"|\')|(?P<plain>[^ \t\f\v\n#"\'\\]+|\\)'
)
_NAME = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_BETWEEN_NAMES = re.compile(rb"(?:[ \t\f.]|\\\n)+")
_HEAD = re.compile(rb"[:()\[\]{}]")


class Text:
    """One source, in UTF-8 with LF as its line ends."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._starts = [0] + [found.end() for found in re.finditer(rb"\n", data)]

    def place(self, line: int, column: int) -> int:
        """Returns where a line and column stand."""
        return self._starts[line - 1] + column

    def at(self, place: int) -> tuple[int, int]:
        """Returns the line and column of a place."""
        line = bisect_right(self._starts, place)
        return line, place - self._starts[line - 1]

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Returns where a node begins and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        end = self.place(node.end_lineno, node.end_col_offset)
        return self.place(node.lineno, node.col_offset), end

    def flat(self, node: ast.expr | ast.stmt) -> str:
        """Returns a node on one line."""
        return flat(self.data[slice(*self.span(node))])

    def flat_between(self, start: int, end: int) -> str:
        """Returns what stands between two places on one line."""
        return flat(self.data[start:end])

    def name_before(self, line: int, column: int) -> tuple[str, int]:
        """Returns the name that ends at a place, as written, and its column."""
        end = self.place(line, column)
        start = end
        while start and _NAME.match(self.data, start - 1):
            start -= 1
        return self.data[start:end].decode(), column - (end - start)

    def name_after(self, place: int) -> tuple[str, int]:
        """Returns the next name of a dotted one, and where it begins."""
        if between := _BETWEEN_NAMES.match(self.data, place):
            place = between.end()
        found = _NAME.match(self.data, place)
        assert found is not None
        return found[0].decode(), place

    def colon(self, place: int) -> int:
        """Returns where the first colon outside brackets, strings and comments stands."""
        depth = 0
        while piece := _PIECE.match(self.data, place):
            if piece.lastgroup == "string":
                place = _string_end(self.data, piece.start(), piece[0])
                continue
            if piece.lastgroup == "plain":
                for mark in _HEAD.finditer(self.data, piece.start(), piece.end()):
                    if mark[0] in b"([{":
                        depth += 1
                    elif mark[0] in b")]}":
                        depth = max(depth - 1, 0)
                    elif not depth:
                        return mark.start()
            place = piece.end()
        return len(self.data)


def flat(text: bytes) -> str:
    """Returns code on one line: no comments, and what is white between it one space.

    Where a line ends just inside a bracket not even that. Line ends in strings become spaces.
    """
    out = bytearray()
    white = b""
    place = 0
    while len(out) < _ENOUGH and (piece := _PIECE.match(text, place)):
        place = piece.end()
        match piece.lastgroup:
            case "space":
                white = white or b" "
                continue
            case "line" | "comment":
                white = b"\n" if piece.lastgroup == "line" else white
                continue
            case "string":
                place = _string_end(text, piece.start(), piece[0])
        new = text[piece.start() : place]
        edge = out.endswith((b"(", b"[", b"{")) or new.startswith((b")", b"]", b"}"))
        if white and out and not (edge and white == b"\n"):
            out += b" "
        white = b""
        out += new.replace(b"\n", b" ")
    said = out.decode("utf-8", "replace")
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def _string_end(text: bytes, start: int, quote: bytes) -> int:
    """Returns where a string ends; one that is not closed ends with its line, or the text."""
    place = start + len(quote)
    stops = re.compile(rb"\\.|" + quote + (rb"|\n" if len(quote) == 1 else b""), re.DOTALL)
    while found := stops.search(text, place):
        if found[0] == quote:
            return found.end()
        if found[0] == b"\n":
            return found.start()
        place = found.end()
    return len(text)
