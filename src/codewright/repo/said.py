"""How often a text says a name, block by block.

Whoever moves through a file, or writes in it, asks again with nearly the same text. So a text is
taken apart between blocks, where a blank line stands before one that is not indented, and the names
of a block are counted once, as long as it stays as it is.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Sequence

NAME = re.compile(r"[^\W\d]\w*")
MOST = 4_000_000
"""Characters of blocks that are remembered; those that nobody said the longest go first."""
_BETWEEN = re.compile(r"\n\n+(?=\S)")

Block = tuple[str, Counter[str]]


class Said:
    """Remembers the names of blocks."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Counter[str]] = OrderedDict()
        self._size = 0

    def of(self, text: str) -> Names:
        """Returns the names of a text."""
        return Names([(block, self._counted(block)) for block in _BETWEEN.split(text)])

    def _counted(self, block: str) -> Counter[str]:
        found = self._known.pop(block, None)
        if found is None:
            found = Counter(NAME.findall(block))
            self._size += len(block)
        self._known[block] = found
        while self._size > MOST and len(self._known) > 1:
            self._size -= len(self._known.popitem(last=False)[0])
        return found


class Names:
    """The names of one text."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._known: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        """Returns how often a name stands in the text."""
        count = self._known.get(name)
        if count is None:
            count = self._known[name] = sum([names.get(name, 0) for _, names in self._blocks])
        return count

    def bare(self, name: str) -> bool:
        """Tells whether a name stands somewhere without a dot before it."""
        return any(name in names and _bare(block, name) for block, names in self._blocks)


def _bare(block: str, name: str) -> bool:
    at = block.find(name)
    while at >= 0:
        before, after = block[at - 1 : at], block[at + len(name) : at + len(name) + 1]
        if before != "." and not _in_name(before) and not _in_name(after):
            return True
        at = block.find(name, at + 1)
    return False


def _in_name(sign: str) -> bool:
    return sign == "_" or sign.isalnum()
