"""POST /v1/chat/completions: the next turn of a conversation, with the calls that it makes.

The model writes a call as the template shows it: JSON between <tool_call> and </tool_call>. What is
no sound call stays text. While an answer is streamed, text is held back as soon as it may be the
beginning of a call; calls are sent whole.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from codewright.engine.sequence import Ask
from codewright.errors import UserError
from codewright.serve.answers import Json, Said, head, is_shown, pieces, spelled, usage, whole
from codewright.serve.follow import Token
from codewright.serve.forms import ChatBody
from codewright.serve.loop import EngineLoop
from codewright.serve.structure import of_chat
from codewright.tokens.bpe import Tokenizer

OPENING = "<tool_call>"
CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


async def answer(engine: EngineLoop, body: ChatBody) -> Json:
    """Returns the answer when all of it is there."""
    ask = await _ask(engine, body)
    said = await whole(engine, ask)
    return {
        **head("chat.completion", "chatcmpl", engine.model.name),
        "choices": [
            _choice(engine.model.tokenizer, body, index, one) for index, one in enumerate(said)
        ],
        "usage": usage(len(ask.prompt), sum(len(one.tokens) for one in said)),
    }


async def stream(engine: EngineLoop, body: ChatBody) -> AsyncGenerator[Json]:
    """Yields the answer in pieces."""
    ask = await _ask(engine, body)
    begin = head("chat.completion.chunk", "chatcmpl", engine.model.name)
    counted = body.stream_options is not None and body.stream_options.include_usage
    texts, shown = [Said() for _ in range(body.n)], [0] * body.n

    def piece(index: int, delta: Json, finish: str | None, logs: Json | None = None) -> Json:
        choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": logs}
        return {**begin, "choices": [choice]}

    begun = False
    async with pieces(engine, ask) as deltas:
        async for delta in deltas:
            if not begun:  # not before there is an answer: a refusal is none
                begun = True
                for index in range(body.n):
                    yield piece(index, {"role": "assistant", "content": ""}, None)
            index = delta.index
            text = texts[index]
            text.add(delta)
            logs = _logs(engine.model.tokenizer, body, delta.tokens)
            if delta.finish:
                content, calls = read(text.text) if _tools(body) else (text.text, [])
                rest = (content or "")[shown[index] :]
                if rest or logs:
                    yield piece(index, {"content": rest}, None, logs)
                for number, call in enumerate(calls):
                    yield piece(index, {"tool_calls": [{"index": number, **call}]}, None)
                yield piece(index, {}, _finish(calls, delta.finish))
                continue
            end = _safe(text.text) if _tools(body) else len(text.text)
            if end > shown[index] or logs:
                yield piece(index, {"content": text.text[shown[index] : end]}, None, logs)
                shown[index] = max(end, shown[index])
    if counted:
        written = sum(len(text.tokens) for text in texts)
        yield {**begin, "choices": [], "usage": usage(len(ask.prompt), written)}


def read(text: str) -> tuple[str | None, list[Json]]:
    """Returns the content of an answer and its calls, in OpenAI's form.

    Content is what stands before the first sound call; None where there is nothing but calls.
    """
    calls, first = [], None
    for found in CALL.finditer(text):
        call = _call(found[1])
        if call is not None:
            calls.append(call)
            first = found.start() if first is None else first
    if not calls:
        return text, []
    return text[:first].removesuffix("\n") or None, calls


def _call(text: str) -> Json | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        return None
    arguments = found.get("arguments", {})
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments)
    function = {"name": found["name"], "arguments": arguments}
    return {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}


def _safe(text: str) -> int:
    """Returns how much of a text that is being written is no part of a call."""
    start = text.find(OPENING)
    if start < 0:
        start = len(text)
        for count in range(min(len(OPENING) - 1, len(text)), 0, -1):
            if OPENING.startswith(text[-count:]):
                start = len(text) - count
                break
    # The line break before a call belongs to it.
    return start - text[:start].endswith("\n")


async def _ask(engine: EngineLoop, body: ChatBody) -> Ask:
    if body.top_logprobs is not None and not body.logprobs:
        raise UserError("top_logprobs needs logprobs", hint="send logprobs: true")
    turns = [_turn(one.model_dump()) for one in body.messages]
    prompt = engine.model.conversation(turns, _tools(body))
    grammar = of_chat(body, _tools(body))
    await engine.trial.prepare(grammar)
    return engine.model.ask_tokens(
        prompt,
        max_tokens=body.max_completion_tokens or body.max_tokens or engine.model.config.context,
        sampling=body.sampling(),
        stop=body.stops(),
        n=body.n,
        seed=body.seed,
        alternatives=body.top_logprobs or 0,
        rules=None if grammar is None else engine.model.rules(grammar),
    )


def _tools(body: ChatBody) -> list[Json]:
    """Returns the tools that may be called."""
    return [] if body.tool_choice == "none" else body.tools or []


def _turn(message: dict[str, Any]) -> dict[str, Any]:
    """Returns a message as the template knows it."""
    role = "system" if message["role"] == "developer" else message["role"]
    content = message.get("content")
    if isinstance(content, list):
        other = next((part.get("type") for part in content if part.get("type") != "text"), None)
        if other is not None:
            raise UserError(f"a message has content of type {other!r}", hint="text is known")
    return {**message, "role": role}


def _choice(tokenizer: Tokenizer, body: ChatBody, index: int, said: Said) -> Json:
    content, calls = read(said.text) if _tools(body) else (said.text, [])
    message: Json = {"role": "assistant", "content": content, "refusal": None}
    if calls:
        message["tool_calls"] = calls
    return {
        "index": index,
        "message": message,
        "logprobs": _logs(tokenizer, body, said.tokens),
        "finish_reason": _finish(calls, said.finish),
    }


def _finish(calls: Sequence[Json], finish: str) -> str:
    """Says how an answer ended; one that was cut off may lack calls."""
    return "tool_calls" if calls and finish == "stop" else finish


def _logs(tokenizer: Tokenizer, body: ChatBody, tokens: Sequence[Token]) -> Json | None:
    if not body.logprobs:
        return None
    shown = [token for token in tokens if is_shown(token)]
    return {
        "content": [
            {
                **_one(tokenizer, token.id, token.log_probability),
                "top_logprobs": [
                    _one(tokenizer, other, log)
                    for other, log in token.top[: body.top_logprobs or 0]
                ],
            }
            for token in shown
        ],
        "refusal": None,
    }


def _one(tokenizer: Tokenizer, token: int, log: float) -> Json:
    return {
        "token": spelled(tokenizer, token),
        "logprob": log,
        "bytes": list(tokenizer.token_bytes(token)),
    }
