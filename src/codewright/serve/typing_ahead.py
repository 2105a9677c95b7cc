"""What an editor is offered at a cursor, and when it is not: the part of the language server that
knows no protocol.

Offers are those of `write/complete.py`, asked of an engine that can be told to stop. What was
offered is kept for as long as it is being typed: then it is offered again, shortened, without
asking the model.
"""

from __future__ import annotations

import math
from contextlib import aclosing
from dataclasses import dataclass

from codewright.serve.answers import Said
from codewright.serve.loop import EngineLoop
from codewright.types.generation import Completion
from codewright.write.complete import Cursor, Offer, Wanted, rank, request


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What a user wants to see.

    max_tokens: of an offer. least: how probable its tokens have to be, the geometric mean of them;
    less sure offers are not shown. line: offers end with the line. wait: seconds without a key
    stroke before the model is asked.
    """

    max_tokens: int = 64
    least: float = 0.4
    line: bool = False
    wait: float = 0.05


class Ahead:
    """Offers for one document."""

    def __init__(self, engine: EngineLoop) -> None:
        self._engine = engine
        self._shown: tuple[Cursor, str] | None = None

    def typed(self, place: Cursor) -> str | None:
        """Returns the rest of what was offered, where the user is typing just that."""
        if self._shown is None:
            return None
        then, text = self._shown
        written = place.before[len(then.before) :]
        known = (
            place.before.startswith(then.before)
            and place.after == then.after
            and text.startswith(written)
        )
        return text[len(written) :] or None if known else None

    async def offer(self, place: Cursor, taste: Taste) -> str | None:
        """Returns what belongs at the cursor; None where the model is not sure enough.

        Raises:
            CodewrightError: the engine cannot be asked.
        """
        known = self.typed(place)
        if known is not None:
            return known
        wanted = Wanted(max_tokens=taste.max_tokens, line=taste.line)
        said = Said()
        ask = self._engine.model.ask(request(place, wanted))
        async with aclosing(self._engine.run(ask)) as running:
            async for deltas in running:
                for delta in deltas:
                    said.add(delta)
        offers = rank(place, [_completion(said)], line=taste.line)
        if not offers or not _sure(offers[0], taste):
            self._shown = None
            return None
        self._shown = (place, offers[0].text)
        return offers[0].text


def _completion(said: Said) -> Completion:
    return Completion(
        text=said.text,
        finish=said.finish,
        log_probability=said.score * len(said.tokens),
        tokens=len(said.tokens),
    )


def _sure(offer: Offer, taste: Taste) -> bool:
    """Tells whether an offer is worth a look: it fits, and the model would say it again."""
    likely = offer.log_probability is None or math.exp(offer.log_probability) >= taste.least
    return likely and offer.parses is not False
