"""What the HTTP server needs of a model, wherever it runs: a few doors, and what is told of it.

`local.py` has a model on this machine, `forwarded.py` one behind another server, `replayed.py` any
generator. The server knows none of them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from codewright.serve.answers import Json
from codewright.types.generation import Completion, Request

Body = TypeVar("Body", bound=BaseModel)

DONE = "data: [DONE]\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door(Generic[Body]):
    """What is answered at a path.

    form: what a body has to be. answer: all of it. stream: in pieces; a refusal comes before the
    first of them, and a text among them is a comment. done: what ends a stream.
    """

    path: str
    form: type[Body]
    answer: Callable[[Body], Awaitable[Json]]
    stream: Callable[[Body], AsyncGenerator[Json | str]]
    done: str = DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """The completions of one request; tokens that were read for them, and that they have."""

    completions: list[Completion]
    read: int
    written: int


class Served(Protocol):
    """A model that clients may ask."""

    @property
    def name(self) -> str: ...

    @property
    def doors(self) -> Sequence[Door[Any]]:
        """Where it answers."""
        ...

    async def card(self) -> Json:
        """Returns what it is and what it can, for /v1/models; raises CodewrightError."""
        ...

    def health(self) -> Json:
        """Returns how it is; raises CodewrightError where it cannot be asked."""
        ...

    def gauges(self) -> Mapping[str, float]:
        """Returns what is counted of it, by the names of `metrics.GAUGES`, always the same ones."""
        ...

    async def write(self, request: Request) -> Drafts:
        """Returns the completions of a request; who cancels it stops the writing."""
        ...

    async def close(self) -> None:
        """Lets go of what it holds in the event loop."""
        ...
