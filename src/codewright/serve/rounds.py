"""`n` texts of a server that may give fewer: what is missing is asked for again.

A server that gives one text however many are asked for, or says that it gives no more, is asked for
one at a time from then on. Later requests have seeds that go on from the first one's, for the same
seed would bring the same text. Choices are numbered as if they had come at once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from codewright.serve.answers import Json
from codewright.serve.refusal import Refusal

ALIKE = frozenset({"id", "created"})
"""What all pieces of a stream have in common."""
AT_ONCE = 8
"""Requests that are in flight for one of a client's."""
ONE = re.compile(r"\bn\b|\bchoices?\b|\bcompletions?\b.*\bone\b|\bonly one\b", re.IGNORECASE)
"""How servers say that they give one text at a time."""


class Asked(Protocol):
    """A server."""

    async def ask(self, path: str, body: Json) -> Json:
        """Returns a whole answer; raises Refusal."""
        ...

    def stream(self, path: str, body: Json) -> AsyncGenerator[Json]:
        """Yields the pieces of one; raises Refusal."""
        ...


class Rounds:
    """Requests to a server until all texts are there; it keeps in mind what the server gives."""

    def __init__(self, server: Asked) -> None:
        self._server = server
        self._one_at_a_time = False

    async def whole(self, path: str, body: Json) -> Json:
        """Returns an answer with all texts.

        Raises:
            Refusal: the server refuses, or gives fewer than it gave before.
        """
        n, prompts = body.get("n") or 1, _prompts(body)
        if n == 1 or not self._one_at_a_time:
            try:
                first = await self._ask(path, body, prompts)
            except Refusal as refusal:
                if not self._learns(refusal, n):
                    raise
            else:
                got = len(first["choices"]) // prompts
                if got >= n:
                    return first
                self._one_at_a_time = got == 1
                rest = [min(got, n - at) for at in range(got, n, got)]
                more = await self._each(path, body, prompts, rest, first=got)
                return _merged([first, *more], prompts, n)
        return _merged(await self._each(path, body, prompts, [1] * n, first=0), prompts, n)

    async def stream(self, path: str, body: Json) -> AsyncGenerator[Json]:
        """Yields the pieces of an answer with all texts; the count of tokens is the last piece."""
        n, prompts, done = body.get("n") or 1, _prompts(body), 0
        begin: Json = {}
        counts: list[Json] = []
        while done < n:
            size = 1 if self._one_at_a_time else n - done
            seen = set[int]()
            asked = _again(body, size, done)
            try:
                async with aclosing(self._server.stream(path, asked)) as coming:
                    async for piece in coming:
                        begin = begin or {key: piece[key] for key in ALIKE & piece.keys()}
                        choices = piece.get("choices") or []
                        if not choices and piece.get("usage"):
                            counts.append(piece)
                            continue
                        for choice in choices:
                            seen.add(choice.get("index", 0))
                        yield {**piece, **begin, "choices": _moved(choices, size, done, n)}
            except Refusal as refusal:
                if seen or not self._learns(refusal, size):
                    raise
                continue
            got = len(seen) // prompts
            if not got:
                raise Refusal("the server's stream had no text", status=502, code="upstream")
            if got < size:
                # The index of a text was told by a size that was not kept to: right for one prompt.
                if prompts > 1:
                    raise Refusal(
                        "the server gives fewer texts than asked for", status=502, code="upstream"
                    )
                self._one_at_a_time = got == 1
            done += got
        if counts:
            yield {**counts[0], **begin, "usage": _summed([each["usage"] for each in counts])}

    def _learns(self, refusal: Refusal, n: int) -> bool:
        """Takes down that the server gives one text at a time, where that is what it says."""
        if n == 1 or refusal.status not in (400, 422):
            return False
        if refusal.param == "n" or ONE.search(refusal.message):
            self._one_at_a_time = True
            return True
        return False

    async def _each(
        self, path: str, body: Json, prompts: int, sizes: Sequence[int], *, first: int
    ) -> list[Json]:
        """Several answers, a few of them at once."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(size: int, at: int) -> Json:
            async with places:
                answer = await self._ask(path, _again(body, size, at), prompts)
            if len(answer["choices"]) < size * prompts:
                raise Refusal(
                    "the server gave fewer texts than before", status=502, code="upstream"
                )
            return answer

        starts = [first + sum(sizes[:place]) for place in range(len(sizes))]
        tasks = [
            asyncio.ensure_future(one(size, at)) for size, at in zip(sizes, starts, strict=True)
        ]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _ask(self, path: str, body: Json, prompts: int) -> Json:
        answer = await self._server.ask(path, body)
        choices = answer.get("choices")
        sound = isinstance(choices, list) and all(isinstance(each, dict) for each in choices)
        if not sound or not choices or len(choices) % prompts:
            raise Refusal("the server's answer has no choices", status=502, code="upstream")
        return answer


def _prompts(body: Json) -> int:
    """How many prompts a body has; tokens are one."""
    prompt = body.get("prompt")
    if isinstance(prompt, list) and prompt and not isinstance(prompt[0], int):
        return len(prompt)
    return 1


def _again(body: Json, n: int, already: int) -> Json:
    """A body for `n` of its texts, behind those that are there."""
    if not already and n == (body.get("n") or 1):
        return body
    asked = {**body, "n": n}
    if isinstance(body.get("seed"), int):
        asked["seed"] = body["seed"] + already
    return asked


def _moved(choices: Sequence[Json], size: int, done: int, n: int) -> list[Json]:
    """The choices under the numbers that they have among all `n` texts of each prompt."""
    return [
        {**choice, "index": index // size * n + done + index % size}
        for choice in choices
        for index in [choice.get("index", 0)]
    ]


def _merged(answers: Sequence[Json], prompts: int, n: int) -> Json:
    choices: list[Json] = []
    for place in range(prompts):
        for answer in answers:
            said = sorted(answer["choices"], key=lambda choice: choice.get("index", 0))
            size = len(said) // prompts
            choices += said[place * size : (place + 1) * size]
    numbered = [{**choice, "index": index} for index, choice in enumerate(choices)]
    counts = [answer["usage"] for answer in answers if isinstance(answer.get("usage"), dict)]
    merged = {**answers[0], "choices": numbered}
    return {**merged, "usage": _summed(counts)} if counts else merged


def _summed(counts: Sequence[Json]) -> Json:
    """Counts of tokens, added up name by name; what is no number is the first one's."""
    total = dict(counts[0])
    for each in counts[1:]:
        for name, value in each.items():
            if isinstance(value, int) and isinstance(total.get(name), int):
                total[name] += value
    return total
