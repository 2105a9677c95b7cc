"""What a model is asked and what it answers: the records and the protocol of every generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from codewright.types.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a chat. `role` is system, user, assistant or tool."""

    role: str
    content: str


GrammarKind = Literal["schema", "object", "regex", "choice", "lark", "python"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """What a text has to be.

    `kind` says what `source` is: a JSON schema as JSON; nothing (any JSON object); a regular
    expression, of all of the text; a JSON list of strings, one of which is the text; a grammar in
    the form of Lark or of llama.cpp (GBNF). python: prompt, text and suffix together are a Python
    program. lenient: keywords of a schema that cannot be held to are passed over, not refused; of
    Python, the suffix may have been cut off.
    """

    kind: GrammarKind
    source: str = ""
    lenient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a generator is asked for: a prompt to continue, or a chat to answer.

    Exactly one of `prompt` and `messages` is set. With `suffix`, the middle between `prompt` and
    it is wanted (fill in the middle); an empty one says that nothing follows. `n` completions are
    wanted; with `seed` set, the same request gives the same completions where the generator can
    promise it. `task` names the problem that the request was made from, for generators that replay
    records of it. With `grammar`, nothing else may be written; a generator that cannot see to that
    refuses. `context` is what else is known of the repository; it stands before the prompt, and is
    no part of the text that is continued.
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
    grammar: Grammar | None = None
    context: Context | None = None


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
