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
from codewright.errors import UserError

Finish = Literal["", "stop", "length", "aborted"]


class Constraint(Protocol):
    """What may be written next. One for each sequence; it is told every token.

    A method raises UserError where what is asked for turns out to be too much; that ends the text.
    """

    @property
    def asks(self) -> bool:
        """Whether `mask` leaves tokens in that only `permits` rules out: looking at every token
        would cost too much, so those are looked at that are drawn (`checked.py`)."""
        ...

    @property
    def over(self) -> bool:
        """Whether the text is complete, and nothing may follow."""
        ...

    def mask(self) -> NDArray[np.bool_] | None:
        """Returns which tokens may come next; None: any. It is not written to afterwards."""
        ...

    def permits(self, token: int) -> bool:
        """Returns whether a token may come next."""
        ...

    def forced(self) -> Items[int]:
        """Returns tokens that are likely to come next as little else may; none is fine."""
        ...

    def advance(self, token: int) -> bool:
        """Says which one came; returns whether anything is forbidden from now on."""
        ...

    def whole(self, text: bytes) -> bool:
        """Returns whether the text could end as `text`, which begins as the text does."""
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
    reused: int = 0
    """Tokens of the prompt that did not have to be read: others had the same beginning."""
    table: list[int] = field(default_factory=list)
    prefix: int = ROOT
    """The known prefix of the full blocks of `table`."""
    sealed: int = 0
    slot: int = -1
    entered: int = 0
    """Blocks of `table` that the runner has been told of since the sequence got its slot."""
    text: bytearray = field(default_factory=bytearray)
    scores: list[float] = field(default_factory=list)
    tops: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = field(default_factory=list)
    finish: Finish = ""
    failure: UserError | None = None
    """Why it was aborted, where the client did not do it."""

    @property
    def written(self) -> int:
        """Tokens that were drawn."""
        return len(self.ids) - len(self.ask.prompt)

    @property
    def score(self) -> float:
        """The natural log of what its tokens had, summed."""
        return sum(self.scores)

    @property
    def lacking(self) -> int:
        """Tokens that have to be read before the next one can be drawn."""
        return len(self.ids) - self.kept

    @property
    def guessable(self) -> bool:
        """Whether it writes, and what is drawn does not depend on how often a token was."""
        return self.lacking == 1 and not self.ask.sampling.penalised

    @property
    def shaped(self) -> bool:
        """Whether its logits are looked at or changed before a token is drawn."""
        ask = self.ask
        return bool(ask.alternatives) or self.constraint is not None or ask.sampling.penalised

    def take(self, token: int, score: float, spelled: bytes | None) -> None:
        """Adds a token. `spelled` is its bytes, None where it ends the text."""
        self.ids.append(token)
        self.scores.append(score)
        if self.constraint is not None and not self.constraint.advance(token):
            self.constraint = None
        if spelled is None:
            self.finish = "stop"
            return
        if self.held:
            self.held, spelled = self.held[len(spelled) :], spelled[len(self.held) :]
        self.text += spelled
        end = self.ask.stops.find(self.text, len(spelled), self._may_end)
        if end is not None:
            del self.text[end:]
            self.finish = "stop"
        elif self.constraint is not None and self.constraint.over:
            self.finish = "stop"
        elif self.written >= self.ask.room:
            self.finish = "length"

    def _may_end(self, length: int) -> bool:
        """Tells whether the text may be cut there: what is cut short keeps to its constraint."""
        return self.constraint is None or self.constraint.whole(bytes(self.text[:length]))
