"""The words of a text, by which it is searched: identifiers whole and in their parts.

    words(b"def readFile(base_64): ...") == "def readfil read file base64 base 64"

The rule, for code and prose of any language alike:

1. A run is a longest sequence of ASCII letters, digits, `_`, and the letters from U+00C0 to U+1FFF
   (without U+00D7 and U+00F7). All else ends a run, and so does a byte that is not UTF-8.
2. A run is cut into parts at its `_`, between a letter and a digit, before a capital that follows
   a letter that is none, and before the last of several capitals that a small letter follows:
   `HTTPServer2` has the parts HTTP, Server and 2. Capitals are A to Z, U+00C0 to U+00DE, U+0391 to
   U+03A9 and U+0400 to U+042F; every other letter is a small one.
3. A run gives its parts without `_` in one word, so that `read_file` and `readFile` are the same;
   where it has several parts, each of them follows as a word of its own.
4. Each character from U+3040 to U+D7AF (scripts written without spaces) is a word of its own.
5. Capitals become small. ASCII words of one character, and words of more than 64 bytes, are left
   out.
6. A word of nothing but a to z is cut to a stem, in three steps, each on what the last one left.
   Of more than four letters, `ies` at its end becomes `y`; else of more than three, an `s` at its
   end goes, unless it follows s, u or i. Then `ing` or `ed` at its end goes if three letters or
   more stay with a vowel (a, e, i, o, u, y) among them, and if these end in a double b, d, g, m, n,
   p, r or t, one of the two goes too. Last, of more than four letters, an `e` at its end goes.

Stems are for finding: `each_word` gives the words as they are. No word is too common to count,
that is left to whoever asks. Letters that Unicode composes in two ways stay two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 64
"""Bytes of a word."""

_CAPITALS = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0391-\u03a9\u0400-\u042f"
_SMALL = "a-z\u00df-\u00f6\u00f8-\u0390\u03aa-\u03ff\u0430-\u1fff"
_RUN = re.compile(f"[0-9_{_CAPITALS}{_SMALL}]+|[\u3040-\ud7af]")
_PART = re.compile(f"[{_CAPITALS}]+(?![{_SMALL}])|[{_CAPITALS}]?[{_SMALL}]+|[0-9]+|[\u3040-\ud7af]")
_ENDING = re.compile("(?=[a-z]*[aeiouy][a-z]*(?:ing|ed)$)([a-z]{3,})(?:ing|ed)")
_LOWER = {
    code: code + step
    for first, last, step in (
        *((0x41, 0x5A, 0x20), (0xC0, 0xD6, 0x20), (0xD8, 0xDE, 0x20)),
        *((0x391, 0x3A9, 0x20), (0x400, 0x40F, 0x50), (0x410, 0x42F, 0x20)),
    )
    for code in range(first, last + 1)
}


def words(data: bytes) -> str:
    """Returns the stems of a UTF-8 text's words in their order, with one space between two."""
    return " ".join(map(stem, each_word(data.decode("utf-8", "replace"))))


def stem(word: str) -> str:
    """Returns what a word is found by, whatever its ending."""
    if not (word.isascii() and word.isalpha()):
        return word
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word[-1] == "s" and word[-2] not in "sui":
        word = word[:-1]
    if found := _ENDING.fullmatch(word):
        word = found[1]
        if word[-1] == word[-2] and word[-1] in "bdgmnprt":
            word = word[:-1]
    return word[:-1] if len(word) > 4 and word[-1] == "e" else word


def each_word(text: str) -> Iterator[str]:
    """Yields the words of a text in their order, as they are."""
    for run in _RUN.findall(text):
        parts = _PART.findall(run)
        whole = "".join(parts)
        if _counts(whole):
            yield whole.translate(_LOWER)
        if len(parts) > 1:
            for part in parts:
                if _counts(part):
                    yield part.translate(_LOWER)


def _counts(word: str) -> bool:
    size = len(word.encode())
    return 1 < size <= LONGEST
