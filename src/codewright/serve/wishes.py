"""What a body asks of a verification: bodies become the arguments of `write/`.

A prompt to continue is a specification as `write --complete` takes it, the last turn of a
conversation one as `write --chat` does, behind the turns before it. A prompt with a suffix is a gap
in a Python file. What has no sense with candidates, and what the server does not allow, is refused
by name.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace

from codewright.errors import UserError
from codewright.serve.forms import ChatBody, ChatMessage, CompletionBody
from codewright.serve.refusal import Refusal
from codewright.serve.verification import Trials
from codewright.serve.verify_form import Verify
from codewright.types.generation import Message
from codewright.verify.select import METHODS
from codewright.write.complete import Cursor
from codewright.write.given import GivenExamples, examples_in
from codewright.write.prompts import Asking
from codewright.write.specification import LONGEST, Specification, specification
from codewright.write.synthesize import Plan

HEARD = frozenset(
    {
        *("model", "prompt", "suffix", "messages", "max_tokens", "max_completion_tokens"),
        *("temperature", "top_p", "seed", "stop", "stream", "stream_options", "verify"),
    }
)
"""Fields that say something to a verification; others that would change an answer are refused."""
TOKENS, FILLING = 1024, 256
"""Tokens of a candidate at most, where nobody says it: of a program, and of what fills a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A body, read: what is sought, and how.

    stops: end a candidate, besides those of a program. before: the turns of the conversation up to
    the one that asks. counted: a stream ends with the number of tokens. One of `spec` and `place`
    is there.
    """

    wish: Verify
    plan: Plan
    examples: GivenExamples
    stops: tuple[str, ...]
    chat: bool
    seconds: float
    counted: bool
    spec: Specification | None = None
    place: Cursor | None = None
    before: tuple[Message, ...] = ()


def read(body: CompletionBody | ChatBody, trials: Trials) -> Task:
    """Returns what a body asks for.

    Raises:
        Refusal: a field of it cannot be had with `verify`, or is beyond what the server allows.
        UserError: it does not say clearly enough what is wanted.
    """
    wish = body.verify
    assert wish is not None
    strange = sorted(set(body.model_dump(exclude_defaults=True)) - HEARD)
    if strange:
        raise _refused(strange[0], f"{strange[0]} cannot be had with verify")
    _check(wish, trials)
    chat = isinstance(body, ChatBody)
    suffix = body.suffix if isinstance(body, CompletionBody) else None
    filling = suffix is not None and bool(suffix.strip())
    tokens = body.max_tokens if "max_tokens" in body.model_fields_set else None
    if isinstance(body, ChatBody):
        tokens = body.max_completion_tokens or tokens
    warm = body.temperature if "temperature" in body.model_fields_set else 0.8
    asserted = wish.examples if isinstance(wish.examples, str) else json.dumps(wish.examples)
    given = GivenExamples(pairs=())
    if asserted.strip() and asserted != "[]":
        given = examples_in(asserted, "verify.examples", wish.entry_point)
    plan = Plan(
        n=wish.candidates,
        temperature=warm if wish.temperature is None else wish.temperature,
        top_p=body.top_p if "top_p" in body.model_fields_set else 0.95,
        max_tokens=tokens or (FILLING if filling else TOKENS),
        seed=secrets.randbits(31) if body.seed is None else body.seed,
        asking=Asking(chat=chat),
        written_tests=wish.written_tests,
        method=wish.method,
        early_stop=wish.early_stop,
    )
    seconds = trials.seconds if wish.seconds is None else wish.seconds
    counted = body.stream_options is not None and body.stream_options.include_usage
    made = Task(
        wish=wish, plan=plan, examples=given, seconds=seconds, stops=body.stops(), chat=chat,
        counted=counted,
    )  # fmt: skip
    return _of(body, made, wish.entry_point or given.name, filling=filling)


def _check(wish: Verify, trials: Trials) -> None:
    if wish.method not in METHODS:
        raise _refused(
            "verify.method", f"no method is called {wish.method!r}: {', '.join(METHODS)}"
        )
    if wish.candidates > trials.candidates:
        raise _refused("verify.candidates", f"this server runs {trials.candidates} at most")
    if wish.seconds is not None and wish.seconds > trials.seconds:
        raise _refused("verify.seconds", f"this server gives {trials.seconds:g} at most")
    if wish.entry_point and not wish.entry_point.isidentifier():
        raise _refused("verify.entry_point", f"{wish.entry_point!r} cannot be a function's name")


def _of(body: CompletionBody | ChatBody, made: Task, name: str, *, filling: bool) -> Task:
    """The task with what is to be written: the specification, or the place of a gap."""
    if isinstance(body, ChatBody):
        turns = [_turn(message) for message in body.messages]
        if turns[-1].role != "user":
            raise _refused("messages", "the last turn is not the user's, so nothing is asked")
        spec = specification(_few(turns[-1].content), name)
        return replace(made, spec=spec, before=tuple(turns[:-1]))
    prompt = body.prompt
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str):
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise _refused("prompt", "one text at a time can be verified")
    if filling:
        assert body.suffix is not None
        _few(prompt + body.suffix)
        return replace(made, place=Cursor(before=prompt, after=body.suffix, python=True))
    return replace(made, spec=specification(_few(prompt), name))


def _few(text: str) -> str:
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        raise UserError(
            f"what is asked has more than {LONGEST:,} bytes",
            hint="keep what the function has to do, or what stands near the gap",
        )
    return text


def _turn(message: ChatMessage) -> Message:
    content = message.content
    if isinstance(content, list):
        other = next((part.get("type") for part in content if part.get("type") != "text"), None)
        if other is not None:
            raise UserError(f"a message has content of type {other!r}", hint="text is known")
        content = "".join(str(part.get("text", "")) for part in content)
    role = "system" if message.role == "developer" else message.role
    return Message(role=role, content=content or "")


def _refused(param: str, message: str) -> Refusal:
    return Refusal(message, status=400, param=param)
