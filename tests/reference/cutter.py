"""A content's pieces with their words, one by one: what the store does for many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from codewright.repo.chunks import pieces
from codewright.repo.facts import Facts


class Chunk(NamedTuple):
    """A `chunks.Piece` with its words.

    Words are lower case with spaces between, each identifier whole and, where it has several, in
    its words.
    """

    ordinal: int
    first: int
    last: int
    named: str
    head: str
    body: str


class Searched(Protocol):
    """Turns a content into the pieces that are searched."""

    def chunks(self, facts: Facts, data: bytes) -> Sequence[Chunk]:
        """Returns the pieces in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Cutter:
    """A `Searched`. words: what `words.words` does."""

    words: Callable[[bytes], str]

    def chunks(self, facts: Facts, data: bytes) -> Sequence[Chunk]:
        """Returns the pieces in their order; none for a content without lines."""
        return [
            Chunk(*each[:3], self.words(each.named), self.words(each.head), self.words(each.body))
            for each in pieces(facts, data)
        ]
