"""Prompts that end inside a token: the last bytes are taken back and offered again.

A tokenizer that writes a line break and the indentation after it as one token never shows a model
a lone line break before indented code; a prompt that ends with one is then continued badly. So the
tokens at the end of the prompt that could have been the beginning of a longer one are held back,
and the first tokens that the model writes must spell their bytes (Lundberg 2023, "The Art of
Prompt Design: Prompt Boundaries and Token Healing"). Where one token spells all of them, as nearly
always, what is drawn is the model's own distribution given those bytes.

A gap whose prefix stands directly before it (SPM) is such a prompt too: training did cut there at
any byte, but a rare cut teaches less than common text. Before a gap that follows its suffix (PSM)
nothing can be taken back.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import SLOTS

MOST = 4
"""Tokens that are taken back at most."""


class Healing:
    """Looks tokens up by how they begin. For one tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        spelled = ((tokenizer.token_bytes(i), i) for i in range(SLOTS, tokenizer.vocabulary))
        self._sorted = sorted(spelled)
        self._by_bytes = dict(self._sorted)
        self._bytes_of = tokenizer.token_bytes
        self._vocabulary = tokenizer.vocabulary

    def split(self, ids: Sequence[int]) -> tuple[list[int], bytes]:
        """Returns the tokens that stay, one at least, and the bytes taken back behind them."""
        taken, held, tail = 0, b"", b""
        for count, token in enumerate(reversed(ids[1:][-MOST:]), start=1):
            if token < SLOTS:
                break
            tail = self._bytes_of(token) + tail
            if self._extended(tail):
                taken, held = count, tail
        return list(ids[: len(ids) - taken]), held

    def allowed(self, held: bytes) -> list[int]:
        """Returns the tokens that begin with `held`, and those that `held` begins with."""
        within = (held[:end] for end in range(1, len(held)))
        shorter = [self._by_bytes[part] for part in within if part in self._by_bytes]
        return shorter + [token for _, token in self._sorted[slice(*self._range(held))]]

    def mask(self, held: bytes) -> NDArray[np.bool_]:
        """Returns the same for every token, [V]."""
        mask_V = np.zeros(self._vocabulary, np.bool_)
        mask_V[self.allowed(held)] = True
        return mask_V

    def spelled(self, token: int) -> bytes:
        """Returns the bytes of a token."""
        return self._bytes_of(token)

    def _extended(self, held: bytes) -> bool:
        """Tells whether a token begins with `held` and goes on."""
        start, stop = self._range(held)
        return stop - start > (held in self._by_bytes)

    def _range(self, held: bytes) -> tuple[int, int]:
        """Returns where the tokens that begin with `held` stand."""
        start = bisect_left(self._sorted, (held, -1))
        # The next bytes in order that do not begin with `held`.
        bare = held.rstrip(b"\xff")
        if not bare:
            return start, len(self._sorted)
        after = bare[:-1] + bytes([bare[-1] + 1])
        return start, bisect_left(self._sorted, (after, -1))


class Held:
    """Lets a text begin only with the bytes that were taken back: a `Constraint` of the engine."""

    def __init__(self, healing: Healing, held: bytes) -> None:
        self._healing = healing
        self._held = held

    @property
    def asks(self) -> bool:
        return False

    @property
    def over(self) -> bool:
        return False

    def mask(self) -> NDArray[np.bool_] | None:
        """Returns the tokens that spell what is left; None where nothing is."""
        return self._healing.mask(self._held) if self._held else None

    def permits(self, token: int) -> bool:
        """Tells whether a token spells what is left."""
        spelled = self._healing.spelled(token)
        both = min(len(spelled), len(self._held))
        return not self._held or (both > 0 and spelled[:both] == self._held[:both])

    def forced(self) -> Sequence[int]:
        """Returns nothing: more than one token may spell it."""
        return ()

    def advance(self, token: int) -> bool:
        """Takes the bytes of a token off; returns whether any are left."""
        self._held = self._held[len(self._healing.spelled(token)) :]
        return bool(self._held)

    def whole(self, text: bytes) -> bool:
        """Tells whether the text could end as `text`: what follows is free."""
        return True

    def fork(self) -> Held:
        """Returns another in the same state."""
        return Held(self._healing, self._held)
