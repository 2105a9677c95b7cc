"""Where Python text stands inside a bracket or a string, without a whole program to parse.

A text that breaks off anywhere has no syntax tree, but which of its lines are continuations can be
told by reading its brackets, strings and comments from the start. Text that is no Python, or that
closes what it never opened, is read as well as can be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(r"\"\"\"|'''|[\"'#()\[\]{}\n]")
_ENDS = {
    '"""': re.compile(r'(?:\\.|[^\\])*?"""', re.DOTALL),
    "'''": re.compile(r"(?:\\.|[^\\])*?'''", re.DOTALL),
    '"': re.compile(r'(?:\\.|[^\\\n])*?(?:"|(?=\n))', re.DOTALL),
    "'": re.compile(r"(?:\\.|[^\\\n])*?(?:'|(?=\n))", re.DOTALL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text leaves open at its end.

    depth: brackets. quote: what the string that it ends in began with; empty where it ends in
    none. comment: it ends in one.
    """

    depth: int = 0
    quote: str = ""
    comment: bool = False

    @property
    def open(self) -> bool:
        """Whether the next line continues a bracket or a string."""
        return self.depth > 0 or len(self.quote) == 3


def read(text: str, before: Reading | None = None) -> tuple[Reading, list[tuple[int, bool]]]:
    """Returns what `text` leaves open, and each of its lines but the first.

    Args:
        text: read from its start.
        before: what the text before it leaves open.

    Returns:
        The reading at the end, and (where the line begins, whether it continues a bracket or a
        string) of each line.
    """
    state = before or Reading()
    depth, quote, comment = state.depth, state.quote, state.comment
    lines: list[tuple[int, bool]] = []
    place = 0
    while place < len(text):
        if quote:
            end = _ENDS[quote].match(text, place)
            stop = end.end() if end else len(text)
            if len(quote) == 3:
                breaks = re.finditer("\n", text[place:stop])
                lines += [(place + found.end(), True) for found in breaks]
            place, quote = stop, "" if end else quote
            continue
        found = text.find("\n", place) if comment else _next(text, place)
        if found < 0:
            break
        mark = _MARK.match(text, found)
        assert mark is not None
        place = mark.end()
        match mark[0]:
            case "\n":
                comment = False
                lines.append((place, depth > 0))
            case "#":
                comment = True
            case "(" | "[" | "{":
                depth += 1
            case ")" | "]" | "}":
                depth = max(0, depth - 1)
            case opening:
                quote = opening
    return Reading(depth=depth, quote=quote, comment=comment), lines


def _next(text: str, place: int) -> int:
    found = _MARK.search(text, place)
    return found.start() if found else -1
