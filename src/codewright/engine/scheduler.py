"""Which tokens are read in the next step: continuous batching, prompts in pieces, taking turns.

Who is writing goes on first, one token each; what room is left in a step is for prompts, in the
order in which they came, so that a long prompt neither stops those who write nor is stopped by
them. When no block is left, the youngest loses its blocks and reads its text again later; nobody
who came before it waits for it. No torch, no arrays: decisions only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from codewright.engine.blocks import ROOT, Blocks
from codewright.engine.sequence import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """rows: sequences that are read in one step at most. tokens: tokens of a step at most."""

    rows: int = 256
    tokens: int = 512

    def __post_init__(self) -> None:
        assert 0 < self.rows <= self.tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """`count` tokens of a sequence to read, from the first that is not kept; then `draft`."""

    sequence: Sequence
    count: int
    draft: tuple[int, ...] = ()


class Scheduler:
    """Holds the sequences that are not finished."""

    def __init__(self, blocks: Blocks, limits: Limits) -> None:
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []
        self.copies: list[tuple[int, int]] = []
        """Blocks to copy before the next step: (from, to)."""
        self.preempted = 0
        self.reused = 0
        """Tokens that were found in the cache."""
        self._blocks = blocks
        self._limits = limits
        self._slots = list(range(limits.rows - 1, -1, -1))

    @property
    def free(self) -> int:
        """How many more sequences may run."""
        return len(self._slots)

    def add(self, sequence: Sequence) -> None:
        """Takes a sequence in, behind those that wait."""
        self.waiting.append(sequence)

    def spare(self, wide: int) -> int:
        """Returns how many guesses may be read along in a step of `wide` tokens.

        They take what nobody else has a use for, and a quarter of it where somebody has to read.
        """
        spare = max(0, min(self._limits.tokens, wide) - len(self.running))
        if self.waiting or any(sequence.lacking > 1 for sequence in self.running):
            spare //= 4
        return spare

    def schedule(self, drafts: Mapping[Sequence, tuple[int, ...]]) -> list[Chunk]:
        """Returns what is read in the next step; blocks for it are held.

        Args:
            drafts: what sequences may write, to be read along; `spare` of it at most.
        """
        budget = self._limits.tokens
        chunks: list[Chunk] = []
        place = 0
        while place < len(self.running) and budget:
            sequence = self.running[place]
            draft = drafts.get(sequence, ())[: max(0, budget - (len(self.running) - place))]
            count = min(sequence.lacking, budget)
            if not self._room(sequence, sequence.kept + count + len(draft)):
                draft = ()
                if not self._make_room(sequence, sequence.kept + count):
                    continue  # it was the youngest itself, and waits now
            chunks.append(Chunk(sequence=sequence, count=count, draft=draft))
            budget -= count + len(draft)
            place += 1
        while self.waiting and budget and self._slots:
            sequence = self.waiting[0]
            if sequence.leader is not None and not sequence.leader.finish:
                # Its prompt is being read; whoever stands behind it does not pass.
                break
            if not self._admit(sequence, budget):
                break
            self.waiting.popleft()
            count = min(sequence.lacking, budget)
            chunks.append(Chunk(sequence=sequence, count=count))
            budget -= count
        return chunks

    def fork(self, leader: Sequence, follower: Sequence) -> bool:
        """Gives a follower what its leader has read; False where there is no room for it now."""
        if not self._slots:
            return False
        whole, begun = divmod(leader.kept, self._blocks.size)
        table = leader.table[:whole]
        if begun:
            copy = self._blocks.take()
            if copy is None:
                return False
            self.copies.append((leader.table[whole], copy))
            table.append(copy)
        for block in table[:whole]:
            self._blocks.hold(block)
        follower.table = table
        follower.kept, follower.leader = leader.kept, None
        follower.prefix, follower.sealed = leader.prefix, leader.sealed
        follower.slot = self._slots.pop()
        self.waiting.remove(follower)
        # Beside its leader: rows that share blocks are computed together.
        self.running.insert(self.running.index(leader) + 1, follower)
        return True

    def read(self, sequence: Sequence, count: int) -> None:
        """Says that `count` more tokens of a sequence are kept; full blocks become known."""
        sequence.kept += count
        size = self._blocks.size
        while (sequence.sealed + 1) * size <= sequence.kept:
            start = sequence.sealed * size
            ids = sequence.ids[start : start + size]
            block = sequence.table[sequence.sealed]
            sequence.prefix = self._blocks.seal(block, sequence.prefix, ids)
            sequence.sealed += 1

    def leave(self, sequence: Sequence) -> None:
        """Lets a finished sequence go."""
        if sequence.slot >= 0:
            self.running.remove(sequence)
            self._release(sequence)
        elif sequence in self.waiting:
            self.waiting.remove(sequence)

    def _room(self, sequence: Sequence, length: int) -> bool:
        """Sees that a sequence has blocks of its own for `length` tokens; False: there are none."""
        needed = -(-length // self._blocks.size) - len(sequence.table)
        if needed > self._blocks.available:
            return False
        for _ in range(needed):
            block = self._blocks.take()
            assert block is not None
            sequence.table.append(block)
        return True

    def _make_room(self, sequence: Sequence, length: int) -> bool:
        """The same, at the cost of the youngest; False: `sequence` was that itself."""
        while not self._room(sequence, length):
            youngest = self.running.pop()
            self._release(youngest)
            self.waiting.appendleft(youngest)
            self.preempted += 1
            if youngest is sequence:
                return False
        return True

    def _admit(self, sequence: Sequence, budget: int) -> bool:
        """Gives a waiting sequence a place; False: there is no room for its first chunk."""
        size = self._blocks.size
        # The last token is read in any case: what follows it is wanted.
        found, prefix = self._blocks.match(sequence.ids[: (len(sequence.ids) - 1) // size * size])
        sequence.table, sequence.prefix = found, prefix
        sequence.sealed, sequence.kept = len(found), len(found) * size
        count = min(sequence.lacking, budget)
        if not self._room(sequence, sequence.kept + count):
            self._release(sequence)
            return False
        sequence.leader = None
        sequence.slot = self._slots.pop()
        self.running.append(sequence)
        self.reused += sequence.kept
        if not sequence.written:
            sequence.reused = sequence.kept
        return True

    def _release(self, sequence: Sequence) -> None:
        # The end is forgotten before the beginning, which more prompts share.
        for block in reversed(sequence.table):
            self._blocks.release(block)
        if sequence.slot >= 0:
            self._slots.append(sequence.slot)
        sequence.table, sequence.slot, sequence.kept, sequence.entered = [], -1, 0, 0
        sequence.prefix, sequence.sealed = ROOT, 0
