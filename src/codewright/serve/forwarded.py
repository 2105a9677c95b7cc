"""A model behind another server, with what that server lacks: gaps, `n`, verified candidates.

What a client sends is passed on as it is, fields that are not known here included, but for the
model's name and the key, which are this server's. Answers come back as they are, and streams as
they come. Two things are added where the other server lacks them:

- `suffix`: by what `generate/gaps.py` found out, once.
- `n`: what is missing is asked for again, as `rounds.py` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from codewright.errors import CodewrightError
from codewright.generate import gaps
from codewright.generate.budget import TokenBudget
from codewright.generate.gaps import Way, count
from codewright.generate.remote import Asker
from codewright.generate.transport import Broken, Refused
from codewright.serve import passed
from codewright.serve.answers import Json, head, usage
from codewright.serve.forms import InfillBody
from codewright.serve.passed import PassedChat, PassedCompletion
from codewright.serve.refusal import Refusal
from codewright.serve.rounds import Rounds
from codewright.serve.served import Door, Drafts
from codewright.serve.upstream import Upstream
from codewright.types.generation import Request

T = TypeVar("T")

UNKNOWN = frozenset({400, 404, 405, 422, 501})
"""What a server answers where it does not have what it is asked for."""
FENCE = 16
"""Tokens that an answer in words has besides the text: its fence."""
IN_WORDS = frozenset(
    {"model", "prompt", "suffix", "max_tokens", "temperature", "top_p", "seed", "n", "stop", "user"}
    | {"stream", "stream_options"}
)
"""Fields of a completion that say something in a conversation about a gap."""


class Forwarded:
    """The model `model` of a server."""

    def __init__(self, model: str, upstream: Upstream) -> None:
        self._model = model
        self._upstream = upstream
        self._rounds = Rounds(upstream)
        self._asker = Asker(model, log_probabilities=True)
        self._way: Way | None = None
        self._finding = asyncio.Lock()
        self._doors = (
            Door(
                path="/v1/completions",
                form=PassedCompletion,
                answer=self._complete,
                stream=self._complete_stream,
            ),
            Door(
                path="/v1/chat/completions",
                form=PassedChat,
                answer=self._converse,
                stream=self._converse_stream,
            ),
            Door(
                path="/infill",
                form=InfillBody,
                answer=self._infill,
                stream=self._infill_stream,
                done="",
            ),
        )

    @property
    def name(self) -> str:
        return f"openai/{self._model}"

    @property
    def doors(self) -> Sequence[Door[Any]]:
        return self._doors

    async def card(self) -> Json:
        """Returns what the server was found to do; what could not be tried is null, and why."""
        content: Json = {"owned_by": self._upstream.place}
        try:
            way = await self.way()
        except CodewrightError as error:
            return {**content, "suffix": None, "suffix_why": error.message, "chat": None}
        return {
            **content,
            "completions": way.prompts,
            "chat": way.chats,
            "suffix": way.kind != "none",
            "suffix_by": way.kind if way.marks is None else f"marks of {way.marks.name}",
            "suffix_why": way.why,
        }

    def health(self) -> Json:
        """Returns how many requests the other server has in hand; it is not asked for this."""
        return {"status": "ok", "texts": self._upstream.running}

    def gauges(self) -> Mapping[str, float]:
        """Returns the counts of requests."""
        return {
            "forwarded_running": self._upstream.running,
            "forwarded_total": self._upstream.asked,
            "forwarded_failed_total": self._upstream.failed,
        }

    async def write(self, request: Request) -> Drafts:
        """Returns the completions; raises Refusal where the other server gives none."""
        post = _Post(self)
        said = await self._asker.answer(request, post, TokenBudget(None))
        return Drafts(completions=said, read=post.read, written=post.written)

    async def close(self) -> None:
        """Closes the connections."""
        await self._upstream.close()

    async def way(self) -> Way:
        """Returns how gaps are filled; found out once, and again where the server failed at it."""
        async with self._finding:
            if self._way is None:
                self._way = await gaps.find(self._attempt, self._model)
            return self._way

    async def _attempt(self, path: str, body: Json) -> Json | None:
        try:
            return await self._upstream.ask(path, body)
        except Refusal as refusal:
            if refusal.status in UNKNOWN:
                return None
            raise

    async def whole(self, path: str, raw: Json) -> Json:
        """Returns a whole answer to a body, its gap filled where it has one."""
        body, way = await self._shown(path, raw)
        if way is not None and way.kind == "chat":
            return await self._in_words(body, way)
        return await self._rounds.whole(path, body if way is None else self._with_gap(body, way))

    async def pieces(self, path: str, raw: Json) -> AsyncGenerator[Json]:
        """Yields an answer as it comes; one that was asked for in words comes at once."""
        body, way = await self._shown(path, raw)
        if way is not None and way.kind == "chat":
            for piece in passed.as_stream(await self._in_words(body, way), body):
                yield piece
            return
        body = body if way is None else self._with_gap(body, way)
        async with aclosing(self._rounds.stream(path, body)) as coming:
            async for piece in coming:
                yield piece

    async def _shown(self, path: str, raw: Json) -> tuple[Json, Way | None]:
        """A body under the model's own name, and how its gap is filled; None where it has none."""
        body = {**raw, "model": self._model}
        if path != "/completions":
            return body, None
        if str(body.get("suffix") or "").strip():
            return body, await self.way()
        body.pop("suffix", None)
        return body, None

    def _with_gap(self, raw: Json, way: Way) -> Json:
        """A body that shows the server its gap as it understands it."""
        if way.kind == "none":
            raise Refusal(f"{self.name} fills no gaps: {way.why}", status=400, param="suffix")
        if way.marks is None:
            return raw
        if not isinstance(raw.get("prompt"), str):
            raise Refusal("a suffix goes with one prompt, as text", status=400, param="prompt")
        if raw.get("echo"):
            raise Refusal("echo cannot be had with a suffix here", status=400, param="echo")
        body = {key: value for key, value in raw.items() if key != "suffix"}
        body["prompt"] = way.marks.lay_out(raw["prompt"], raw["suffix"])
        body["stop"] = [*passed.stops(raw), *way.marks.ends][: passed.STOPS]
        return body

    async def _in_words(self, raw: Json, way: Way) -> Json:
        """What a model that converses says of a gap, as a completion."""
        strange = sorted(key for key in raw if key not in IN_WORDS and raw[key])
        if strange:
            told = f"{strange[0]} cannot be had with a suffix here: the model is asked in words"
            raise Refusal(told, status=400, param=strange[0])
        if not isinstance(raw.get("prompt"), str):
            raise Refusal("a suffix goes with one prompt, as text", status=400, param="prompt")
        before, after = raw["prompt"], raw["suffix"]
        kept = ("model", "temperature", "top_p", "seed", "n", "user")
        body = {key: raw[key] for key in kept if raw.get(key) is not None}
        body["messages"] = [{"role": "user", "content": gaps.in_words(before, after)}]
        if raw.get("max_tokens") is not None:
            body[way.limit] = raw["max_tokens"] + FENCE
        answer = await self._rounds.whole("/chat/completions", body)
        choices = []
        for index, choice in enumerate(answer["choices"]):
            said = (choice.get("message") or {}).get("content") or ""
            text, finish = gaps.from_words(said, before, after), choice.get("finish_reason")
            ends = [at for mark in passed.stops(raw) if (at := text.find(mark)) >= 0]
            if ends:
                text, finish = text[: min(ends)], "stop"
            choices.append(
                {"index": index, "text": text, "logprobs": None, "finish_reason": finish}
            )
        begin = head("text_completion", "cmpl", str(answer.get("model") or self._model))
        return {**begin, "choices": choices, "usage": answer.get("usage") or usage(0, 0)}

    async def _complete(self, body: PassedCompletion) -> Json:
        return await self.whole("/completions", passed.raw(body))

    async def _complete_stream(self, body: PassedCompletion) -> AsyncGenerator[Json]:
        async with aclosing(self.pieces("/completions", passed.raw(body))) as coming:
            async for piece in coming:
                yield piece

    async def _converse(self, body: PassedChat) -> Json:
        return await self.whole("/chat/completions", passed.raw(body))

    async def _converse_stream(self, body: PassedChat) -> AsyncGenerator[Json]:
        async with aclosing(self.pieces("/chat/completions", passed.raw(body))) as coming:
            async for piece in coming:
                yield piece

    async def _infill(self, body: InfillBody) -> Json:
        answer = await self.whole("/completions", passed.of_infill(body))
        choice, counts = answer["choices"][0], answer.get("usage") or {}
        return {
            "index": 0,
            "content": choice.get("text") or "",
            "tokens": [],
            "stop": True,
            "model": self.name,
            "tokens_predicted": counts.get("completion_tokens", 0),
            "tokens_evaluated": counts.get("prompt_tokens", 0),
            "truncated": False,
            "stop_type": passed.stop_type(choice.get("finish_reason")),
            "stopping_word": "",
        }

    async def _infill_stream(self, body: InfillBody) -> AsyncGenerator[Json]:
        async with aclosing(self.pieces("/completions", passed.of_infill(body))) as coming:
            async for piece in coming:
                for choice in piece.get("choices") or []:
                    end = choice.get("finish_reason")
                    told = {"model": self.name, "stop_type": passed.stop_type(end)} if end else {}
                    text = choice.get("text") or ""
                    yield {"index": 0, "content": text, "stop": bool(end), **told}


class _Post:
    """The other server as a verification's requests reach it: gaps filled, nothing tried twice.

    `read` and `written` are the tokens that it says it counted.
    """

    def __init__(self, forwarded: Forwarded) -> None:
        self._forwarded = forwarded
        self.read = self.written = 0

    async def post(self, path: str, body: Json, read: Callable[[Json], T]) -> T:
        """Returns what `read` makes of an answer; raises Refused where the server says no."""
        try:
            answer = await self._forwarded.whole(path, body)
            self.read += count(answer, "prompt_tokens")
            self.written += count(answer, "completion_tokens")
            return read(answer)
        except Refusal as refusal:
            if refusal.status in (400, 422):
                raise Refused(refusal.message) from None
            raise
        except Broken as error:
            told = f"{self._forwarded.name} answered something unreadable: {error}"
            raise Refusal(told, status=502, code="upstream") from None

    def refused(self, path: str, reason: str) -> CodewrightError:
        """Returns the error for a request that the server refused for good."""
        return Refusal(reason, status=400, code="upstream")
