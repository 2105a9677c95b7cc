"""Lines of the files as they were indexed, remembered while nobody touches them.

A file is read and compared with what was indexed once; from then on its size, times and inode say
that it is the same. What was changed a moment ago may change again within one tick of the file's
clock, so it is read anew each time ("racy clean"), as the index does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from codewright.errors import DataError
from codewright.repo.index import Index
from codewright.repo.stamps import Stamp, settled, stamp_of

MOST = 32_000_000
"""Characters that are held; the files that nobody asked for the longest go first."""


class _Kept(NamedTuple):
    stamp: Stamp
    size: int
    lines: Sequence[str]


class Texts:
    """The lines of files, over one state of a repository."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._root = str(index.root)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._size = 0

    def lines(self, path: str) -> Sequence[str] | None:
        """Returns a file's lines; None where it has gone or changed since it was indexed."""
        stamp = stamp_of(f"{self._root}/{path}")
        if stamp is None:
            return None
        kept = self._kept.get(path)
        if kept is not None and kept.stamp == stamp:
            self._kept.move_to_end(path)
            return kept.lines
        sure = settled(stamp)
        try:
            text = self._index.text(path)
        except DataError:
            return None
        lines = text.split("\n")
        if sure:
            self._keep(path, _Kept(stamp, len(text), lines))
        return lines

    def _keep(self, path: str, kept: _Kept) -> None:
        old = self._kept.pop(path, None)
        self._size += kept.size - (old.size if old else 0)
        self._kept[path] = kept
        while self._size > MOST and len(self._kept) > 1:
            self._size -= self._kept.popitem(last=False)[1].size
