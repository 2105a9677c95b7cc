"""The part of a Python file that says whether a text fits at its cursor: not all of the file.

A statement at the margin can be read without those before and behind it. So what is parsed is the
one that the cursor stands in, with the one before it and up to the next one: some milliseconds less
for a long file, and what is broken elsewhere in it, as often while somebody types, counts no more.
"""

from __future__ import annotations

import re

from codewright.write.scan import read
from codewright.write.trim import CLAUSES, begun

_BEGINS = re.compile(
    r"^(?:@|(?:def|class|async|import|from|if|for|while|with|try)\b)", re.MULTILINE
)
_WORD = re.compile(r"\w*")
_QUOTES = ('"""', "'''")


def start(before: str) -> int:
    """Returns where the last whole statement at the margin begins, before the cursor's line.

    It is one that the cursor's line may go on with: a clause belongs to its statement, and what
    follows a decorator to that.
    """
    cursor_line = before.rfind("\n") + 1
    starts = [0, *(begin for begin, continued in read(before)[1] if not continued)]
    best, decorated = 0, False
    for begin in starts:
        if begin >= cursor_line:
            break
        sign = before[begin : begin + 1]
        if not sign or sign in " \t\n#" or _word(before, begin) in CLAUSES:
            continue
        if not decorated:
            best = begin
        decorated = sign == "@"
    return best


def end(before: str, after: str) -> int:
    """Returns where, in `after`, the next statement at the margin begins.

    Args:
        before: the file up to the cursor, or its end, from the beginning of a statement on.
        after: the file from the cursor on.
    """
    quote = read(before)[0].quote
    decorated = begun(before, python=True).startswith("@")
    for found in _BEGINS.finditer(after, after.find("\n") + 1 or len(after)):
        passed = after[: found.start()]
        if any(passed.count(mark) % 2 != (mark == quote) for mark in _QUOTES):
            continue
        if not decorated:
            return found.start()
        decorated = found[0] == "@"  # what is decorated is still to come
    return len(after)


def _word(text: str, place: int) -> str:
    found = _WORD.match(text, place)
    return found[0] if found else ""
