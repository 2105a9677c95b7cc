"""`openai/NAME`: a model behind any server that speaks OpenAI's HTTP protocol.

Requests with a prompt go to /completions, chats to /chat/completions; several are in flight at
once. Servers differ in what they understand: one that answers with fewer completions than asked
is asked for the rest, one that knows no log-probabilities gives none. The protocol is small and
its official client heavy, so this is httpx.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import httpx

from codewright.errors import CodewrightError
from codewright.generate.budget import TokenBudget
from codewright.generate.transport import Broken, Patience, Refused, Transport
from codewright.generate.ungoverned import refuse_grammars
from codewright.types.generation import Completion, Request

T = TypeVar("T")
Asked = asyncio.Task[list[Completion]]

STOPS = 4
"""The protocol allows four stop strings; the rest is cut by whoever asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How a server is used: requests in flight, seconds without a byte, tokens in all."""

    concurrency: int = 8
    timeout: float = 120.0
    budget: int | None = None
    log_probabilities: bool = True
    patience: Patience = field(default_factory=Patience)


class Posting(Protocol):
    """What posts a body to a server; `Transport`, or what stands in front of a server."""

    async def post(self, path: str, body: dict[str, Any], read: Callable[[dict[str, Any]], T]) -> T:
        """Returns what `read` makes of the answer; raises Refused, or a CodewrightError."""
        ...

    def refused(self, path: str, reason: str) -> CodewrightError:
        """Returns the error for a request that was refused for good."""
        ...


class Asker:
    """Requests as bodies of the protocol, and answers as completions.

    What a server turned out not to understand is learnt once and kept.
    """

    def __init__(self, model: str, *, log_probabilities: bool) -> None:
        self._model = model
        self._without_log_probabilities = not log_probabilities
        self._limit_name = "max_tokens"

    async def answer(
        self, request: Request, server: Posting, budget: TokenBudget
    ) -> list[Completion]:
        """Returns the `n` completions of one request, asking again for those that did not come.

        Raises:
            CodewrightError: as `server` raises, or as it says of what it refused.
        """
        path = "/chat/completions" if request.messages else "/completions"
        got: list[Completion] = []
        while len(got) < request.n:
            body = self._body(request, missing=request.n - len(got), already=len(got))
            worst = _worst(request, body["n"])
            await budget.hold(worst)
            cost = 0
            try:
                completions, cost = await server.post(path, body, _read)
            except Refused as refusal:
                if not self._adapt(body, refusal.message):
                    raise server.refused(path, refusal.message) from None
                continue
            finally:
                await budget.settle(worst, cost)
            got += completions
        return got[: request.n]

    def _body(self, request: Request, *, missing: int, already: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "n": missing,
            self._limit_name: request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
        }
        if request.messages:
            body["messages"] = [
                {"role": turn.role, "content": turn.content} for turn in request.messages
            ]
        else:
            body["prompt"] = _before(request) + request.prompt
            if request.suffix is not None:
                body["suffix"] = request.suffix
        if request.stop:
            body["stop"] = list(request.stop[:STOPS])
        if request.seed is not None:
            # The same seed again would bring the same texts again.
            body["seed"] = request.seed + already
        if not self._without_log_probabilities:
            body["logprobs"] = True if request.messages else 1
        return body

    def _adapt(self, body: dict[str, Any], reason: str) -> bool:
        """Learns from a refusal what the server does not understand; False if nothing is learnt."""
        if "max_completion_tokens" in reason and "max_tokens" in body:
            self._limit_name = "max_completion_tokens"
            return True
        if "logprobs" in reason and "logprobs" in body:
            self._without_log_probabilities = True
            return True
        return False


class Remote:
    """A model on a server. `spent` counts tokens, prompts included."""

    def __init__(self, model: str, *, service: Service, base_url: str, key: str = "") -> None:
        self._model = model
        self._service = service
        self._base_url = base_url
        self._key = key
        self.spent = 0
        self._asker = Asker(model, log_probabilities=service.log_probabilities)

    @property
    def name(self) -> str:
        return f"openai/{self._model}"

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns `n` completions for each request, in order.

        Raises:
            UserError: the key, the address or the model's name is wrong, or the budget is spent.
            MachineError: the server did not answer properly within the attempts.
        """
        answers = dict(self.stream(requests))
        return [answers[index] for index in range(len(requests))]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index, completions) as each request is answered; raises as `generate`."""
        refuse_grammars(self.name, requests)
        with asyncio.Runner() as runner:
            client = httpx.AsyncClient(timeout=self._service.timeout)
            budget = TokenBudget(self._service.budget, spent=self.spent)
            waiting = runner.run(self._start(requests, client, budget))
            try:
                while waiting:
                    for task in runner.run(_first(waiting)):
                        self.spent = budget.spent
                        yield waiting.pop(task), task.result()
            finally:
                runner.run(_finish(waiting, client))

    async def _start(
        self, requests: Sequence[Request], client: httpx.AsyncClient, budget: TokenBudget
    ) -> dict[Asked, int]:
        """Returns a task for each request, with the request's index; few of them work at once."""
        transport = Transport(
            client, base_url=self._base_url, key=self._key, patience=self._service.patience
        )
        places = asyncio.Semaphore(self._service.concurrency)

        async def work(request: Request) -> list[Completion]:
            async with places:
                return await self._asker.answer(request, transport, budget)

        return {asyncio.create_task(work(request)): i for i, request in enumerate(requests)}


async def _first(tasks: Iterable[Asked]) -> list[Asked]:
    """Returns the tasks that are done, as soon as one is; those that failed stand last.

    What was answered in the same moment as another request failed has been paid for.
    """
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return sorted(done, key=lambda task: task.exception() is not None)


async def _finish(tasks: Iterable[Asked], client: httpx.AsyncClient) -> None:
    """Stops the tasks that are left and closes the connections."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.aclose()


def _worst(request: Request, n: int) -> int:
    """Returns the most tokens that a request could cost: no token is shorter than a byte."""
    turns = (turn.content for turn in request.messages)
    said = "".join((_before(request), request.prompt, request.suffix or "", *turns))
    return len(said.encode("utf-8", "replace")) + 8 * len(request.messages) + n * request.max_tokens


def _read(answer: dict[str, Any]) -> tuple[list[Completion], int]:
    """Returns the completions in an answer and what it cost in tokens.

    A server that does not count is charged a token for every three bytes that it said.
    """
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Broken("no choices in it")
    usage = answer.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    alone = _count(counts.get("completion_tokens")) if len(choices) == 1 else 0
    completions = [_completion(choice, alone) for choice in choices]
    said = sum(len(completion.text.encode("utf-8", "replace")) for completion in completions)
    return completions, _count(counts.get("total_tokens")) or -(-said // 3)


def _completion(choice: object, tokens: int) -> Completion:
    if not isinstance(choice, dict):
        raise Broken("a choice is not an object")
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    if text is None and isinstance(message, dict):
        text = ""  # a refusal or a tool call says nothing
    if not isinstance(text, str):
        raise Broken("a choice has no text")
    scores = _scores(choice.get("logprobs"))
    total = math.fsum(scores) if scores else math.nan
    return Completion(
        text=text,
        finish=str(choice.get("finish_reason") or "stop"),
        log_probability=total if math.isfinite(total) else None,
        tokens=len(scores) or tokens,
    )


def _scores(given: object) -> list[float]:
    """Returns the log-probability of each token, in either protocol's form; empty if not given."""
    if not isinstance(given, dict):
        return []
    flat, content = given.get("token_logprobs"), given.get("content")
    if isinstance(content, list):
        flat = [item.get("logprob") if isinstance(item, dict) else None for item in content]
    if not isinstance(flat, list):
        return []
    # Some servers leave out a token's score: the sum is then unknown, the count is not.
    return [float(x) if isinstance(x, int | float) else math.nan for x in flat]


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _before(request: Request) -> str:
    """Returns what a prompt begins with: what is known of the repository, as text."""
    return "" if request.context is None else request.context.text
