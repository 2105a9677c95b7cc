"""What an editor is offered at a cursor, and when it is not: the part of the language server that
knows no protocol.

Offers are those of `write/complete.py`, asked of an engine that can be told to stop. What was
offered is kept for as long as it is being typed: then it is offered again, shortened, without
asking the model.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from codewright.engine.sequence import Ask
from codewright.generate.layout import most_told
from codewright.serve.answers import pieces, whole
from codewright.serve.loop import EngineLoop
from codewright.serve.sure import Sure
from codewright.serve.taste import Taste
from codewright.types.context import Context
from codewright.types.generation import Completion
from codewright.write.complete import Block, Cursor, Wanted, nearby, rank, request


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

    async def offer(self, place: Cursor, taste: Taste, shown: Context | None = None) -> str | None:
        """Returns what belongs at the cursor; None where the model is not sure enough.

        Args:
            place: the cursor.
            taste: what the user wants to see.
            shown: what the model is shown of other files.

        Raises:
            CodewrightError: the engine cannot be asked.
        """
        known = self.typed(place)
        if known is not None:
            return known
        ask = self._ask(place, taste, shown)
        sure = Sure(taste.least, ask.held, self._engine.model.spelled)
        block: asyncio.Future[Block] = asyncio.get_running_loop().create_future()
        saying = asyncio.ensure_future(self._said(ask, sure, block))
        try:
            await asyncio.sleep(0)  # the engine has it, and reads meanwhile
            near = nearby(place)
            block.set_result(Block(near))
            said = await saying
        finally:
            saying.cancel()
        offers = rank(near, [Completion(text=sure.text(said))], line=taste.line)
        fits = bool(offers) and offers[0].parses is not False
        self._shown = (place, offers[0].text) if fits else None
        return offers[0].text if fits else None

    async def read(self, place: Cursor, taste: Taste, shown: Context | None = None) -> None:
        """Lets the model read what stands around a place, so that it answers sooner there."""
        if self.typed(place) is None:
            await whole(self._engine, replace(self._ask(place, taste, shown), room=1))

    def _ask(self, place: Cursor, taste: Taste, shown: Context | None) -> Ask:
        wanted = Wanted(max_tokens=taste.max_tokens, line=taste.line, context=shown)
        return self._engine.model.ask(request(place, wanted), window=_window(taste))

    async def _said(self, ask: Ask, sure: Sure, block: asyncio.Future[Block]) -> str:
        """Returns what the model says, up to where the block of the cursor has ended, or where the
        model is not sure any more."""
        said = ""
        async with pieces(self._engine, ask) as deltas:
            async for delta in deltas:
                said += delta.text
                sure.add(delta.tokens)
                if sure.ended or ("\n" in said and (await block).ended(said)):
                    break
        return said


def budget(engine: EngineLoop, taste: Taste) -> int:
    """Returns how many tokens of other files the model is shown."""
    most = engine.model.runner.context
    return min(taste.context, most_told(min(_window(taste) or most, most), taste.max_tokens))


def _window(taste: Taste) -> int:
    """Returns how many tokens are read and written: what other files have comes on top."""
    return taste.window + taste.context if taste.window else 0
