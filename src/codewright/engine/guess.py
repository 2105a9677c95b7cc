"""What a guesser of tokens is: whoever says what a text may go on with.

A guess costs a few more rows in a step, and changes nothing but the time: whether it was right is
seen by drawing every token as if there had been no guess. Two are there: `lookup.py` looks into the
text itself, `draft.py` asks a smaller model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from codewright.engine.sequence import Sequence


class Guesser(Protocol):
    """Guesses for texts that only grow."""

    def guess(self, wanted: Mapping[Sequence, int]) -> dict[Sequence, tuple[int, ...]]:
        """Returns for each text up to as many tokens as are wanted; for some perhaps nothing."""
        ...

    def forget(self, text: Sequence) -> None:
        """Lets go of what is kept for a text that has its end."""
        ...
