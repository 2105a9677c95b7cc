"""How text is cut into pieces before bytes are merged: no token crosses the border of a piece.

The pattern is made for source code; docs/tokenizer.md has the figures behind it. What it
promises, and `bpe.py` and `fim.py` rely on: a piece holds a line break only at its beginning,
and no piece depends on what stands before it, or on what follows the line break after it. So a
line can be encoded by itself, the line break before it included, without a change to its
neighbours.

Pieces lose nothing: every character is in exactly one of them. There is no normaliser.
"""

from __future__ import annotations

import re

from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, PreTokenizer, Sequence, Split


def _pattern(upper: str, lower: str, digit: str) -> str:
    """Returns the pattern for an alphabet; each argument is the inside of a character class."""
    word = rf"{upper}{lower}"
    operator = rf"[^\s{word}{digit}_]"
    # What goes with the word after it: a space, one operator or bracket, underscores.
    before = rf" ?{operator}?_*"
    return "|".join(
        (
            # Line breaks and the indentation after them: opening a block is one token.
            r"[\r\n]+[ \t]*",
            # One part of a camelCase or snake_case name: ` self`, `(self`, `._my`, `_name`.
            rf"{before}(?:[{upper}]+(?![{lower}])|[{upper}]?[{lower}]+)",
            # One digit: a number is written one way, whatever numbers the corpus was full of.
            rf"{before}[{digit}]",
            # Operators and brackets in a row, and underscores that no name goes on from.
            rf" ?(?:{operator}|_+(?![_{word}{digit}]))+",
            # Other white space, but for the last space before a word, which goes with the word.
            r"[^\S\r\n]+(?!\S)|[^\S\r\n]+",
        )
    )


PATTERN = _pattern(upper=r"\p{Lu}", lower=r"\p{Ll}\p{Lt}\p{Lm}\p{Lo}\p{M}", digit=r"\p{N}")
"""In the words of the `tokenizers` library."""

ASCII = re.compile(_pattern(upper="A-Z", lower="a-z", digit="0-9"), re.ASCII)
"""The same for text that is ASCII, where Python's own engine is several times as fast."""

LINES = re.compile(r"(?<![\r\n])(?=[\r\n])")
"""Where text can be taken apart: before the first of one or more line breaks."""


def pre_tokenizer() -> PreTokenizer:
    """Returns what cuts text into pieces and writes each byte as one visible character."""
    return Sequence(
        [Split(Regex(PATTERN), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
