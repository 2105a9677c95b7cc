"""Any generator behind the HTTP doors: recordings and scripts, for trials and demonstrations.

A generator knows of prompts, chats, `n`, `temperature`, `top_p`, `stop` and `seed`; what else would
change an answer is refused by name. Its texts come whole, so a stream has one piece for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from codewright.errors import UserError
from codewright.serve.answers import Json, head, usage
from codewright.serve.forms import ChatBody, CompletionBody
from codewright.serve.refusal import Refusal
from codewright.serve.served import Door, Drafts
from codewright.types.generation import Completion, Generator, Message, Request

HEARD = frozenset(
    {
        *("model", "prompt", "suffix", "messages", "max_tokens", "max_completion_tokens", "n"),
        *("temperature", "top_p", "seed", "stop", "stream", "stream_options"),
    }
)
TOKENS = 512
"""Tokens of a turn, where nobody says how many."""


class Replayed:
    """A generator, for many clients; one of its calls runs at a time."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._turn = asyncio.Lock()
        self._texts = 0
        self._doors = (
            Door(
                path="/v1/completions",
                form=CompletionBody,
                answer=self._complete,
                stream=self._stream,
            ),
            Door(
                path="/v1/chat/completions",
                form=ChatBody,
                answer=self._converse,
                stream=self._stream,
            ),
        )

    @property
    def name(self) -> str:
        return self._generator.name

    @property
    def doors(self) -> Sequence[Door[Any]]:
        return self._doors

    async def card(self) -> Json:
        """Returns what it is."""
        return {"owned_by": "codewright", "suffix": True, "chat": True, "replayed": True}

    def health(self) -> Json:
        """Returns how many texts it gave."""
        return {"status": "ok", "texts": 0}

    def gauges(self) -> Mapping[str, float]:
        """Returns nothing: it computes nothing."""
        return {}

    async def write(self, request: Request) -> Drafts:
        """Returns the completions, when the generator has them."""
        async with self._turn:
            (said,) = await asyncio.to_thread(self._generator.generate, [request])
        return Drafts(completions=said, read=0, written=sum(each.tokens for each in said))

    async def close(self) -> None:
        """Holds nothing."""

    async def _complete(self, body: CompletionBody) -> Json:
        drafts = await self.write(_request(body))
        choices = [
            {"index": index, "text": one.text, "logprobs": None, "finish_reason": one.finish}
            for index, one in enumerate(drafts.completions)
        ]
        begin = head("text_completion", "cmpl", self.name)
        return {**begin, "choices": choices, "usage": usage(0, drafts.written)}

    async def _converse(self, body: ChatBody) -> Json:
        drafts = await self.write(_request(body))
        choices = [
            {"index": index, "logprobs": None, "finish_reason": one.finish, "message": _said(one)}
            for index, one in enumerate(drafts.completions)
        ]
        begin = head("chat.completion", "chatcmpl", self.name)
        return {**begin, "choices": choices, "usage": usage(0, drafts.written)}

    async def _stream(self, body: CompletionBody | ChatBody) -> AsyncGenerator[Json]:
        chat = isinstance(body, ChatBody)
        whole = await (self._converse(body) if isinstance(body, ChatBody) else self._complete(body))
        begin = {key: whole[key] for key in ("id", "created", "model")}
        begin["object"] = "chat.completion.chunk" if chat else "text_completion"
        for choice in whole["choices"]:
            if chat:
                choice["delta"] = choice.pop("message")
            yield {**begin, "choices": [choice]}
        if body.stream_options is not None and body.stream_options.include_usage:
            yield {**begin, "choices": [], "usage": whole["usage"]}


def _said(one: Completion) -> Json:
    return {"role": "assistant", "content": one.text, "refusal": None}


def _request(body: CompletionBody | ChatBody) -> Request:
    strange = sorted(set(body.model_dump(exclude_defaults=True)) - HEARD)
    if strange:
        raise Refusal(
            f"{strange[0]} cannot be had of what was recorded", status=400, param=strange[0]
        )
    drawn = {
        "n": body.n,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "stop": body.stops(),
        "seed": body.seed,
    }
    if isinstance(body, ChatBody):
        turns = tuple(_turn(each.role, each.content) for each in body.messages)
        tokens = body.max_completion_tokens or body.max_tokens or TOKENS
        return Request(messages=turns, max_tokens=tokens, **drawn)  # type: ignore[arg-type]
    if not isinstance(body.prompt, str):
        raise UserError("what was recorded has no tokens", hint="send one prompt, as text")
    return Request(prompt=body.prompt, suffix=body.suffix, max_tokens=body.max_tokens, **drawn)  # type: ignore[arg-type]


def _turn(role: str, content: str | list[dict[str, Any]] | None) -> Message:
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content)
    return Message(role=role, content=content or "")
