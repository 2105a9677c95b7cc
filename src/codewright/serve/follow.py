"""What is new in a text since the last look, in pieces that can be shown at once.

A piece never ends inside a character, nor with what may turn out to be the beginning of a stop
string: what was shown is never taken back.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from codewright.engine.sequence import Finish, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token that was drawn: the natural log of what it had, and the most probable ones."""

    id: int
    log_probability: float
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What is new of text `index` of a request. `finish` is empty while it goes on.

    `reused`: tokens of the prompt that were known already.
    """

    index: int
    text: str
    tokens: tuple[Token, ...]
    finish: Finish
    reused: int = 0


class Follow:
    """Follows one text. Belongs to the thread that steps the engine."""

    def __init__(self, text: Sequence) -> None:
        self.text = text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._shown = 0
        self._told = 0

    def delta(self) -> Delta:
        """Returns what came since the last call."""
        text = self.text
        end = len(text.text)
        if not text.finish:
            end -= text.ask.stops.begun(text.text)
        # A text that was cut off may end inside a character, which is then left out.
        piece = self._decoder.decode(
            bytes(text.text[self._shown : end]), final=text.finish == "stop"
        )
        self._shown = max(self._shown, end)
        start = len(text.ask.prompt)
        tokens = tuple(
            Token(
                id=text.ids[start + place],
                log_probability=text.scores[place],
                top=_pairs(text, place),
            )
            for place in range(self._told, len(text.scores))
        )
        self._told = len(text.scores)
        return Delta(
            index=text.number,
            text=piece,
            tokens=tokens,
            finish=text.finish,
            reused=text.reused,
        )


def _pairs(text: Sequence, place: int) -> tuple[tuple[int, float], ...]:
    if place >= len(text.tops):
        return ()
    ids, logs = text.tops[place]
    return tuple(zip(ids.tolist(), logs.tolist(), strict=True))
