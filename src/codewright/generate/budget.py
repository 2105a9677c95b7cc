"""A budget of tokens that many requests draw on at once and that is never passed.

A request first sets aside the most that it could cost, and afterwards pays what it did cost. One
that does not fit waits for those in flight to give back what they did not need.
"""

from __future__ import annotations

import asyncio

from codewright.errors import UserError


class TokenBudget:
    """Tokens that may still be spent. `limit` None is no limit. For one event loop."""

    def __init__(self, limit: int | None, *, spent: int = 0) -> None:
        self.limit = limit
        self.spent = spent
        self._held = 0
        self._change = asyncio.Condition()

    async def hold(self, tokens: int) -> None:
        """Sets `tokens` aside, once they fit.

        Raises:
            UserError: they do not fit, and nothing in flight could make room.
        """
        async with self._change:
            while self.limit is not None and self.spent + self._held + tokens > self.limit:
                if not self._held:
                    raise UserError(
                        f"the budget of {self.limit} tokens is used up: {self.spent} spent, and "
                        f"the next request could cost {tokens}",
                        hint="raise the budget and run again; what was generated is kept",
                    )
                await self._change.wait()
            self._held += tokens

    async def settle(self, held: int, cost: int) -> None:
        """Gives back `held` tokens that were set aside, and spends `cost`."""
        async with self._change:
            self._held -= held
            self.spent += cost
            self._change.notify_all()
