"""What a model is asked and what it answers: the records and the protocol of every generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a chat. `role` is system, user, assistant or tool."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a generator is asked for: a prompt to continue, or a chat to answer.

    Exactly one of `prompt` and `messages` is set. With `suffix`, the middle between `prompt` and
    it is wanted (fill in the middle); an empty one says that nothing follows. `n` completions are
    wanted; with `seed` set, the same request gives the same completions where the generator can
    promise it. `task` names the problem that the request was made from, for generators that replay
    records of it.
    """

    prompt: str = ""
    suffix: str | None = None
    messages: tuple[Message, ...] = ()
    n: int = 1
    max_tokens: int = 512
    temperature: float = 0.8
    top_p: float = 0.95
    stop: tuple[str, ...] = ()
    seed: int | None = None
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One continuation or answer. `log_probability` sums over its `tokens`, natural logarithm."""

    text: str
    finish: str = "stop"
    log_probability: float | None = None
    tokens: int = 0


class Generator(Protocol):
    """Any model: batch in, batch out."""

    @property
    def name(self) -> str: ...

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns, for each request in order, its `n` completions."""
        ...

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index of the request, its completions) as each is ready."""
        ...
