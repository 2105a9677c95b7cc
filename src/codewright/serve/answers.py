"""A finished answer out of the pieces that an engine gives: texts, tokens, how they ended."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from codewright.engine.sequence import Ask
from codewright.serve.follow import Delta, Token
from codewright.serve.loop import EngineLoop
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import SLOTS

Json = dict[str, Any]


@dataclass(slots=True)
class Said:
    """One text, all of it."""

    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    finish: str = ""

    def add(self, delta: Delta) -> None:
        """Adds what came."""
        self.text += delta.text
        self.tokens += delta.tokens
        self.finish = delta.finish or self.finish

    @property
    def log_probability(self) -> float:
        """What its tokens had, natural logarithm, summed."""
        return sum(token.log_probability for token in self.tokens)


async def whole(engine: EngineLoop, ask: Ask) -> list[Said]:
    """Returns all texts of a request when they have ended."""
    said = [Said() for _ in range(ask.count)]
    async with pieces(engine, ask) as deltas:
        async for delta in deltas:
            said[delta.index].add(delta)
    return said


async def together(engine: EngineLoop, asks: Sequence[Ask]) -> list[list[Said]]:
    """Returns the texts of several requests, which are written at the same time."""
    tasks = [asyncio.ensure_future(whole(engine, ask)) for ask in asks]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def pieces(engine: EngineLoop, ask: Ask) -> AsyncIterator[AsyncIterator[Delta]]:
    """Gives what comes, text by text; who leaves the block takes the request back."""

    async def each() -> AsyncIterator[Delta]:
        async for deltas in running:
            for delta in deltas:
                yield delta

    async with aclosing(engine.run(ask)) as running:
        yield each()


def usage(prompt: int, written: int) -> Json:
    """Returns OpenAI's count of tokens."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
    }


def head(kind: str, prefix: str, model: str) -> Json:
    """Returns the fields that every answer begins with."""
    return {
        "id": f"{prefix}-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": model,
    }


def spelled(tokenizer: Tokenizer, token: int) -> str:
    """Returns a token as text; bytes that are no text by themselves as `bytes:\\xff`."""
    data = tokenizer.token_bytes(token)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in data)


def is_shown(token: Token) -> bool:
    """Tells whether a token is part of a text: the one that ends it is not."""
    return token.id >= SLOTS
