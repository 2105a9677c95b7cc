"""Guessing what comes next from what has been written: code repeats itself (Saxena 2023,
"Prompt Lookup Decoding").

The last tokens are looked for in the text before them, the longest run first; what followed there
is guessed to follow here.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items

from codewright.engine.sequence import Sequence


class Lookup:
    """A guesser that needs no model."""

    def __init__(self, length: int = 3) -> None:
        """`length`: how many tokens have to be the same."""
        self._length = length
        self._seen: dict[Sequence, _Seen] = {}

    def guess(self, wanted: Mapping[Sequence, int]) -> dict[Sequence, tuple[int, ...]]:
        """Returns what followed the last tokens of each text; see `Guesser`."""
        return {
            text: self._seen.setdefault(text, _Seen(self._length)).guess(text.ids, most)
            for text, most in wanted.items()
        }

    def forget(self, text: Sequence) -> None:
        """Lets go of a text."""
        self._seen.pop(text, None)


class _Seen:
    """Where each run of `length` tokens of one growing text was last seen."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._after: dict[tuple[int, ...], int] = {}
        self._read = 0

    def guess(self, ids: Items[int], most: int) -> tuple[int, ...]:
        length = self._length
        # The run at the very end is what is looked for: it is entered the next time.
        for end in range(max(self._read, length), len(ids)):
            self._after[tuple(ids[end - length : end])] = end
        self._read = len(ids)
        if len(ids) < length:
            return ()
        place = self._after.get(tuple(ids[-length:]))
        return () if place is None else tuple(ids[place : place + most])
