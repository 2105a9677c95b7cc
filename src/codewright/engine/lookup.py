"""Guessing what comes next from what has been written: code repeats itself (Saxena 2023,
"Prompt Lookup Decoding").

The last tokens are looked for in the text before them, the longest run first; what followed there
is guessed to follow here. A guess costs a few more rows in a step, and changes nothing but the
time: whether it was right is seen by drawing every token as if there had been no guess.
"""

from __future__ import annotations

from collections.abc import Sequence


class Lookup:
    """Where each run of `length` tokens of one growing text was last seen."""

    def __init__(self, length: int = 3) -> None:
        self._length = length
        self._after: dict[tuple[int, ...], int] = {}
        self._read = 0

    def guess(self, ids: Sequence[int], most: int) -> tuple[int, ...]:
        """Returns up to `most` tokens that may follow `ids`, which only grows between calls."""
        length = self._length
        # The run at the very end is what is looked for: it is entered the next time.
        for end in range(max(self._read, length), len(ids)):
            self._after[tuple(ids[end - length : end])] = end
        self._read = len(ids)
        if len(ids) < length:
            return ()
        place = self._after.get(tuple(ids[-length:]))
        return () if place is None else tuple(ids[place : place + most])
