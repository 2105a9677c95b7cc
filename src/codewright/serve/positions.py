"""Places of the language server protocol: lines as the protocol breaks them, columns in the units
of whichever encoding was agreed on. A place behind a line's end is its end, one behind the last
line the end of the text."""

from __future__ import annotations

import re

from lsprotocol import types as lsp

BREAK = re.compile(r"\r\n|\n|\r")
"""What ends a line in the protocol; Python knows more."""
CODECS = {
    lsp.PositionEncodingKind.Utf8: ("utf-8", 1),
    lsp.PositionEncodingKind.Utf16: ("utf-16-le", 2),
    lsp.PositionEncodingKind.Utf32: ("utf-32-le", 4),
}
"""The codec in which an editor counts, and the bytes of its unit."""
_WORD = re.compile(r"\w*\Z")


def offset(source: str, position: lsp.Position, encoding: lsp.PositionEncodingKind) -> int:
    """Returns where a position is, in characters."""
    start = end = 0
    lines = iter(BREAK.finditer(source))
    for _ in range(position.line):
        found = next(lines, None)
        if found is None:
            return len(source)
        start = found.end()
    found = next(lines, None)
    end = len(source) if found is None else found.start()
    codec, size = CODECS[encoding]
    units = 0
    for place in range(start, end):
        if units >= position.character:
            return place
        units += len(source[place].encode(codec, "surrogatepass")) // size
    return end


def word_before(text: str) -> str:
    """Returns the beginning of a word that a text ends with."""
    found = _WORD.search(text)
    return found[0] if found else ""
