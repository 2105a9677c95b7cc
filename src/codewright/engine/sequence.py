"""One text as it grows: its tokens, where their keys and values are, and when it ends.

A sequence needs a row for every token whose keys and values are not kept yet. When its last one is
read, the next token is drawn. So a prompt, a token that was drawn, and all of a sequence whose
blocks were taken away are the same thing: tokens to read.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from codewright.engine.blocks import ROOT
from codewright.engine.sampling import Sampling
from codewright.engine.stops import Stops

Finish = Literal["", "stop", "length", "aborted"]


class Constraint(Protocol):
    """What may be written next. One for each sequence; it is told every token."""

    def allowed(self) -> NDArray[np.int64] | None:
        """Returns the tokens that may come next, one at least; None: any."""
        ...

    def advance(self, token: int) -> None:
        """Says which one came."""
        ...

    def fork(self) -> Constraint:
        """Returns one in the same state for another sequence."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is wanted of one prompt.

    prompt: tokens, one at least. room: tokens that may be written at most. count: texts that are
    wanted. seed: of the first; text i has the random numbers of the first of seed + i. held: bytes
    that are no part of the text, though it is written to begin with them (`constraint` sees to
    that). alternatives: how many of the most probable tokens are reported at each place.
    """

    prompt: Items[int]
    room: int
    sampling: Sampling
    stops: Stops
    count: int = 1
    seed: int = 0
    held: bytes = b""
    constraint: Constraint | None = None
    alternatives: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Sequence:
    """One text. `number` is its place among those of its `ask`."""

    ask: Ask
    number: int
    key: int
    ids: list[int]
    constraint: Constraint | None
    held: bytes
    leader: Sequence | None = None
    """Whoever reads the prompt for it; None once it stands on its own."""
    kept: int = 0
    """Tokens whose keys and values are in `table`."""
    table: list[int] = field(default_factory=list)
    prefix: int = ROOT
    """The known prefix of the full blocks of `table`."""
    sealed: int = 0
    slot: int = -1
    entered: int = 0
    """Blocks of `table` that the runner has been told of since the sequence got its slot."""
    text: bytearray = field(default_factory=bytearray)
    score: float = 0.0
    scores: list[float] = field(default_factory=list)
    tops: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = field(default_factory=list)
    finish: Finish = ""

    @property
    def written(self) -> int:
        """Tokens that were drawn."""
        return len(self.ids) - len(self.ask.prompt)

    @property
    def lacking(self) -> int:
        """Tokens that have to be read before the next one can be drawn."""
        return len(self.ids) - self.kept

    @property
    def shaped(self) -> bool:
        """Whether its logits are looked at or changed before a token is drawn."""
        ask = self.ask
        return bool(ask.alternatives) or self.constraint is not None or ask.sampling.penalised

    def take(self, token: int, score: float, spelled: bytes | None) -> None:
        """Adds a token. `spelled` is its bytes, None where it ends the text."""
        self.ids.append(token)
        self.score += score
        self.scores.append(score)
        if self.constraint is not None:
            self.constraint.advance(token)
        if spelled is None:
            self.finish = "stop"
            return
        if self.held:
            self.held, spelled = self.held[len(spelled) :], spelled[len(self.held) :]
        self.text += spelled
        end = self.ask.stops.find(self.text, len(spelled))
        if end is not None:
            del self.text[end:]
            self.finish = "stop"
        elif self.written >= self.ask.room:
            self.finish = "length"
