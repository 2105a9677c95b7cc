"""How far a model is sure of what it says: whole lines, up to the first one that it is not sure of.

A line is as sure as its tokens are probable, the geometric mean of them; the token that ends it
belongs to the next one. What is said over and over again is probable, and nothing to show.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from codewright.serve.follow import Token

_LOOP = re.compile(r"(\W?\w{4}.{0,60}?)\1{3}", re.DOTALL)
"""Four times the same, of four letters at least."""


class Sure:
    """Follows the tokens of one text."""

    def __init__(self, least: float, held: bytes, spelled: Sequence[bytes]) -> None:
        """Starts.

        Args:
            least: how sure a line has to be; 0: every line is sure enough.
            held: bytes that the tokens spell first, and that are no part of the text.
            spelled: what each token spells.
        """
        self._least = math.log(least) if least else -math.inf
        self._spelled = spelled
        self._place = -len(held)
        self._held = len(held)
        self._spelt = bytearray()
        self._logs: list[float] = []
        self._sure = 0
        self.ended = False
        """Whether a line came that is not sure."""

    def add(self, tokens: Sequence[Token]) -> None:
        """Takes what came."""
        for token in tokens:
            text = self._spelled[token.id]
            if b"\n" in text[max(0, -self._place) :]:
                self._close(self._place + text.index(b"\n", max(0, -self._place)))
            if text:
                self._logs.append(token.log_probability)
            self._place += len(text)
            self._spelt += text

    def text(self, said: str) -> str:
        """Returns the part of the text that may be shown, once all of it was said."""
        self._close(self._place)
        # Places count spelled bytes, which need not be UTF-8; the text counts characters.
        spelt = self._spelt[self._held : self._held + max(0, self._sure)]
        sure = said[: len(spelt.decode("utf-8", "replace"))]
        loop = _LOOP.search(sure)
        return sure[: sure.rfind("\n", 0, loop.start()) + 1] if loop else sure

    def _close(self, place: int) -> None:
        if self.ended or not self._logs:
            return
        if sum(self._logs) / len(self._logs) < self._least:
            self.ended = True
            return
        self._sure, self._logs = place, []
