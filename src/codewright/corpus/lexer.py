"""Python source as codes of tokens, with the lines they stand on, for comparing copies.

Comments, layout and text in triple quotes do not count. A string is one token whatever its quotes,
and a variable is any variable: a name counts only where it is called, comes after a dot, or is a
keyword or builtin. Broken source has codes too.

A piece of source may begin inside a docstring, and read from there everything is inside out. So
there are `readings`: as it is, and two that trust nothing but the triple quotes themselves.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from codewright.corpus.lexemes import TokenHashes

TOKEN = re.compile(
    r"""\#[^\n]*
      | [rRbBuUfF]{0,2}(?:
            \"\"\"(?:[^\\"]|\\[\s\S]|"(?!""))*(?:\"\"\")?
          | '''(?:[^\\']|\\[\s\S]|'(?!''))*(?:''')?
          | "(?:[^\\"\n]|\\[\s\S])*"?
          | '(?:[^\\'\n]|\\[\s\S])*'?
        )
      | \w+
      | [^\w\s]""",
    re.VERBOSE,
)
OTHER, NAME, DOT, OPEN, SILENT = range(5)
"""What a token is, in the lowest three bits of its code; a silent one does not count."""

_TRIPLE = re.compile(r"""(?:(?<!\w)[rRbBuUfF]{1,2})?(?:\"\"\"|''')""")
_STRING = re.compile(r"[rRbBuUfF]{0,2}(\"\"\"|'''|\"|')")
_SPACE = re.compile(r"\s+")
_KINDS = {"#": SILENT, ".": DOT, "(": OPEN}
_FIXED = frozenset({*keyword.kwlist, *(name for name in dir(builtins) if name[0] != "_")})
_VARIABLE = np.uint64(0x7A5C_19E3_42D8_B6F0)


class _Codes(TokenHashes):
    """The code of each token that is asked for: its hash, but for the lowest bits."""

    def hashed(self, token: str) -> int:
        """Returns the code of a token that is not remembered."""
        quote = _STRING.match(token)
        if quote:
            content = _SPACE.sub(" ", token[quote.end() :].removesuffix(quote[1]))
            return super().hashed('"' + content) & ~7 | (SILENT if len(quote[1]) == 3 else OTHER)
        kind = _KINDS.get(token[0], OTHER)
        if (token[0].isalpha() or token[0] == "_") and token not in _FIXED:
            kind = NAME
        return super().hashed(token) & ~7 | kind


def readings(text: str) -> Iterator[str]:
    """Yields the ways to read `text`, with the same lines in each.

    The second and the third leave out every other stretch between triple quotes, as if it were a
    docstring: one of them is right whatever is open where the text begins.
    """
    yield text
    borders = [(match.start(), match.end()) for match in _TRIPLE.finditer(text)]
    if not borders:
        return
    starts = [0, *(end for _, end in borders)]
    stops = [*(start for start, _ in borders), len(text)]
    stretches = [text[start:stop] for start, stop in zip(starts, stops, strict=True)]
    for parity in (0, 1):
        yield " ".join(
            stretch if place % 2 == parity else "\n" * stretch.count("\n")
            for place, stretch in enumerate(stretches)
        )


class Lexer:
    """Makes codes of texts; remembers those of tokens."""

    def __init__(self) -> None:
        self._codes = _Codes()

    def codes(self, text: str) -> NDArray[np.uint64]:
        """Returns the code of each token that counts."""
        return self._plain(self._codes.of(TOKEN.findall(text)))[0]

    def codes_and_lines(self, text: str) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Returns the codes, and for each the number of its line, from 1."""
        found = list(TOKEN.finditer(text))
        codes, counts = self._plain(self._codes.of([match[0] for match in found]))
        starts = np.array([match.start() for match in found], np.int64)
        breaks = np.array([place for place, letter in enumerate(text) if letter == "\n"], np.int64)
        return codes, np.searchsorted(breaks, starts[counts]) + 1

    def _plain(self, codes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """Returns the codes that count, variables made alike, and which of the given they are."""
        counts = codes & np.uint64(7) != SILENT
        codes = codes[counts]
        kinds = codes & np.uint64(7)
        free = kinds == NAME
        free[1:] &= kinds[:-1] != DOT
        free[:-1] &= kinds[1:] != OPEN
        return np.where(free, _VARIABLE, codes), counts
