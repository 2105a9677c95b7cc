"""What can be told of a file without understanding it: its size, its lines, its letters.

Lengths are counted in characters. A minified file is one whose lines are too long to be written
by hand; a single long line (a data URI, a table on one line) has a reason of its own.
"""

from __future__ import annotations

import re

from codewright.corpus.recipe import FilterConfig
from codewright.corpus.steps import Check, size
from codewright.types.document import Document

_TEST_FILE = re.compile(
    r"(?:^|/)(?:tests?|testing)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$"
)
_ASCII = re.compile(r"[\x00-\x7f]+")
_ASCII_LETTERS = re.compile(r"[A-Za-z]")
DENSE = 0.06
"""A line break or space for less than this share of the characters: nobody writes like that."""


def shape(config: FilterConfig) -> Check:
    """Returns the step that keeps files of a sensible size with lines of a sensible length."""

    def why(document: Document) -> tuple[str, str] | None:
        text = document.text
        count = size(document)
        if count < config.least_bytes:
            return "too-short", f"{count} bytes"
        if count > config.most_bytes:
            return "too-long", f"{count} bytes"
        if not config.tests and _TEST_FILE.search(document.path):
            return "test", ""
        lines = text.split("\n")
        longest = max(map(len, lines))
        mean = len(text) / len(lines)
        if mean > config.mean_line:
            return "minified", f"{mean:.0f} characters a line"
        if longest > config.longest_line:
            space = text.count(" ") + text.count("\n")
            if space < DENSE * len(text):
                return "minified", f"{space / len(text):.1%} white space"
            return "long-line", f"{longest} characters"
        return _foreign(text, config.foreign_letters)

    return Check("shape", why)


def _foreign(text: str, most: float) -> tuple[str, str] | None:
    if text.isascii():
        return None
    foreign = sum(map(str.isalpha, _ASCII.sub("", text)))
    letters = foreign + len(_ASCII_LETTERS.findall(text))
    if foreign > most * letters:
        return "not-english", f"{foreign / letters:.0%} of the letters"
    return None
