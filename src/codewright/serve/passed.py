"""Bodies and answers on their way to another server and back.

Only what has to be known of a body is looked at; the rest is for that server to judge.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from codewright.errors import UserError
from codewright.serve import infill
from codewright.serve.answers import Json
from codewright.serve.forms import InfillBody
from codewright.serve.verify_form import Verified

STOPS = 4
"""The protocol allows so many stop strings."""


class Passed(BaseModel):
    """What is looked at of a body; the rest is for the other server to judge."""

    model_config = ConfigDict(extra="allow")

    model: str = ""
    stream: bool | None = None
    n: Annotated[int, Field(ge=1, le=1024)] | None = None
    stream_options: dict[str, Any] | None = None
    verify: Verified = None


class PassedCompletion(Passed):
    """POST /v1/completions."""

    prompt: str | list[Any] = ""
    suffix: str | None = None


class PassedChat(Passed):
    """POST /v1/chat/completions."""

    messages: Annotated[list[dict[str, Any]], Field(min_length=1)]


def raw(body: Passed) -> Json:
    """Returns what is passed on of a body."""
    return body.model_dump(exclude_unset=True, exclude={"verify"})


def stops(body: Json) -> list[str]:
    """Returns the stop strings of a body."""
    stop = body.get("stop")
    return [stop] if isinstance(stop, str) else list(stop or [])


def of_infill(body: InfillBody) -> Json:
    """Returns a gap in llama.cpp's form as a completion.

    Fields that are llama.cpp's alone are in it where the client sent them.

    Raises:
        UserError: it has a grammar, which servers of the protocol call by other names.
    """
    if body.grammar or body.json_schema is not None:
        raise UserError(
            "grammars of /infill are not passed on",
            hint="ask /v1/completions, with the fields that the other server knows",
        )
    how = body.sampling()
    made: Json = {
        "prompt": infill.before(body),
        "suffix": body.input_suffix,
        "temperature": how.temperature,
        "top_p": how.top_p,
        "stream": body.stream,
    }
    if body.n_predict >= 0:
        made["max_tokens"] = max(1, body.n_predict)
    if body.seed >= 0:
        made["seed"] = body.seed
    if body.stop:
        made["stop"] = body.stop[:STOPS]
    named = ("top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty")
    return made | body.model_dump(include=set(named) & body.model_fields_set)


def stop_type(finish: object) -> str:
    """Returns why a text ended, in llama.cpp\'s words."""
    return "limit" if finish == "length" else "eos"


def as_stream(answer: Json, body: Json) -> list[Json]:
    """Returns a whole completion as the pieces of a stream, one for each text."""
    begin = {key: answer[key] for key in ("id", "object", "created", "model")}
    pieces: list[Json] = [{**begin, "choices": [choice]} for choice in answer["choices"]]
    if (body.get("stream_options") or {}).get("include_usage"):
        pieces.append({**begin, "choices": [], "usage": answer["usage"]})
    return pieces
