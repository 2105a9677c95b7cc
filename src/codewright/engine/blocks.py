"""Which block of the cache belongs to whom: who holds it, what can be shared, what to forget.

A block holds the keys and values of `size` positions. Several sequences may hold the same block;
one that is full is known by the tokens it stands for and by the block before it, so that a later
sequence with the same beginning takes it instead of computing it again. A block that nobody holds
any more is kept for that, and forgotten when room is needed, the longest unused first.

Prefixes are compared token by token, never by a hash alone: two prompts cannot be taken for one.
Only full blocks are shared, and those are not written to again; whoever goes on in a block that is
not full takes a copy (`scheduler.fork`). Nothing here touches memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

ROOT = 0
"""The prefix that has no tokens."""


class Blocks:
    """The blocks of one cache."""

    def __init__(self, count: int, size: int) -> None:
        self.count = count
        self.size = size
        self._free = list(range(count - 1, -1, -1))
        self._holders = [0] * count
        self._prefix = [ROOT] * count
        """The prefix that ends with a block; ROOT where it is not known by one."""
        self._key: list[tuple[int, tuple[int, ...]] | None] = [None] * count
        self._known: dict[tuple[int, tuple[int, ...]], int] = {}
        self._unheld: OrderedDict[int, None] = OrderedDict()
        self._prefixes = ROOT

    @property
    def available(self) -> int:
        """How many blocks can be taken."""
        return len(self._free) + len(self._unheld)

    def take(self) -> int | None:
        """Returns an empty block, held once; None where all are held."""
        if self._free:
            block = self._free.pop()
        elif self._unheld:
            block, _ = self._unheld.popitem(last=False)
            self._forget(block)
        else:
            return None
        assert self._holders[block] == 0
        self._holders[block] = 1
        return block

    def match(self, ids: Sequence[int]) -> tuple[list[int], int]:
        """Returns the blocks of the longest known beginning of `ids`, and the prefix it ends with.

        Only whole blocks are known. Each one is held once more than before.
        """
        found, prefix = [], ROOT
        for start in range(0, len(ids) - self.size + 1, self.size):
            block = self._known.get((prefix, tuple(ids[start : start + self.size])))
            if block is None:
                break
            self.hold(block)
            found.append(block)
            prefix = self._prefix[block]
        return found, prefix

    def seal(self, block: int, prefix: int, ids: Sequence[int]) -> int:
        """Says which tokens a full block holds, after which prefix; returns the longer prefix.

        Where another block is known for the same, that one stays known.
        """
        assert self._holders[block] > 0
        assert len(ids) == self.size
        key = (prefix, tuple(ids))
        known = self._known.get(key)
        if known is not None:
            return self._prefix[known]
        self._prefixes += 1
        self._known[key] = block
        self._key[block] = key
        self._prefix[block] = self._prefixes
        return self._prefixes

    def hold(self, block: int) -> None:
        """Holds a block once more."""
        if self._holders[block] == 0:
            del self._unheld[block]
        self._holders[block] += 1

    def release(self, block: int) -> None:
        """Gives a hold on a block back."""
        assert self._holders[block] > 0
        self._holders[block] -= 1
        if self._holders[block]:
            return
        if self._key[block] is None:
            self._free.append(block)
        else:
            self._unheld[block] = None

    def _forget(self, block: int) -> None:
        key = self._key[block]
        assert key is not None
        del self._known[key]
        self._key[block] = None
        self._prefix[block] = ROOT
