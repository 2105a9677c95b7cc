"""Rules about bytes as a constraint of the engine: what may be written, token by token.

`Rules` say which bytes may follow those that were written. Here that becomes a question about
tokens: a token that ends the text may come where the rules let it end, and where the prompt's last
bytes were taken back (`healing.py`), the first tokens must spell those and then keep to the rules.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codewright.generate.healing import Healing


class Rules(Protocol):
    """What a text may be, in the state after what was written of it.

    Methods raise UserError where the rules turn out to be too much for a step.
    """

    @property
    def complete(self) -> bool:
        """Whether the text may end here."""
        ...

    @property
    def over(self) -> bool:
        """Whether it must."""
        ...

    def mask(self) -> NDArray[np.bool_] | None:
        """Returns which tokens may follow, those that end the text left out; may be written to.

        None where that costs too much, and `takes` is to be asked."""
        ...

    def takes(self, data: bytes) -> bool:
        """Returns whether bytes may follow."""
        ...

    def push(self, token: int, data: bytes) -> None:
        """Takes a token that may follow, or what `data` is left of it."""
        ...

    def whole(self, text: bytes) -> bool:
        """Returns whether all of a text could be `text`, whatever has been written."""
        ...

    def forced(self) -> Sequence[int]:
        """Returns tokens that little else may stand in for; none is fine."""
        ...

    def fork(self) -> Rules:
        """Returns others in the same state."""
        ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """What each token spells, and which of them end a text."""

    spelled: Sequence[bytes]
    ends: Collection[int]


class Ruled:
    """A text that keeps to rules: a `Constraint` of the engine."""

    def __init__(self, rules: Rules, tokens: Tokens, healing: Healing, held: bytes = b"") -> None:
        """`held`: bytes that the text is written to begin with, and that the rules do not see."""
        self._rules = rules
        self._tokens = tokens
        self._healing = healing
        self._held = held
        self._ends = np.array(sorted(tokens.ends), np.int64)
        self._mask: NDArray[np.bool_] | None = None
        """Of this state, once it was looked for."""

    @property
    def asks(self) -> bool:
        return self._masked() is None

    @property
    def over(self) -> bool:
        return not self._held and self._rules.over

    def mask(self) -> NDArray[np.bool_] | None:
        """Returns which tokens may come next; see `Constraint`."""
        return self._begun() if self._held and self.asks else self._masked()

    def permits(self, token: int) -> bool:
        """Tells whether a token may come next."""
        if token in self._tokens.ends:
            return not self._held and self._rules.complete
        mask_V = self._mask
        if mask_V is not None:
            return bool(mask_V[token])
        spelled = self._tokens.spelled[token]
        if not spelled:
            return False
        if self._held:
            both = min(len(spelled), len(self._held))
            if spelled[:both] != self._held[:both]:
                return False
            spelled = spelled[both:]
        return not spelled or self._rules.takes(spelled)

    def forced(self) -> Sequence[int]:
        """Returns tokens that are likely to come next; see `Constraint`."""
        return () if self._held else self._rules.forced()

    def advance(self, token: int) -> bool:
        """Takes a token; a grammar holds to the end."""
        self._mask = None
        if token in self._tokens.ends:
            return True
        spelled = self._tokens.spelled[token]
        if self._held:
            spelled, self._held = spelled[len(self._held) :], self._held[len(spelled) :]
        if spelled:
            self._rules.push(token, spelled)
        return True

    def whole(self, text: bytes) -> bool:
        """Tells whether the text could end as `text`."""
        return self._rules.whole(text)

    def fork(self) -> Ruled:
        """Returns another in the same state."""
        made = Ruled(self._rules.fork(), self._tokens, self._healing, self._held)
        made._mask = self._mask
        return made

    def _masked(self) -> NDArray[np.bool_] | None:
        if self._mask is None:
            mask_V = self._rules.mask()
            if mask_V is not None and self._held:
                mask_V = self._begun()
                for token in np.flatnonzero(mask_V).tolist():
                    rest = self._tokens.spelled[token][len(self._held) :]
                    mask_V[token] = not rest or self._rules.takes(rest)
            elif mask_V is not None:
                mask_V[self._ends] = self._rules.complete
            self._mask = mask_V
        return self._mask

    def _begun(self) -> NDArray[np.bool_]:
        """Returns which tokens spell what is held, or its beginning."""
        return self._healing.mask(self._held)
