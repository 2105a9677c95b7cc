"""POST /v1/completions: text goes on, or a gap before a suffix is filled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from codewright.engine.sequence import Ask
from codewright.errors import UserError
from codewright.generate.local_model import LocalModel
from codewright.serve.answers import (
    Json,
    Said,
    head,
    is_shown,
    pieces,
    spelled,
    together,
    usage,
)
from codewright.serve.follow import Token
from codewright.serve.forms import CompletionBody
from codewright.serve.loop import EngineLoop
from codewright.serve.structure import of_completion
from codewright.tokens.bpe import Tokenizer
from codewright.types.generation import Grammar, Request

MOST_PROMPTS = 128


async def complete(engine: EngineLoop, body: CompletionBody) -> Json:
    """Returns the answer when all of it is there."""
    asks = await _asks(engine, body)
    _refuse_prompt_scores(body)
    texts = [[Said(finish="length") for _ in range(ask.count)] for _, ask in asks]
    if body.max_tokens:
        texts = await together(engine, [ask for _, ask in asks])
    choices, read, written = [], 0, 0
    for place, ((prompt, ask), said) in enumerate(zip(asks, texts, strict=True)):
        read += len(ask.prompt)
        written += sum(len(one.tokens) for one in said)
        best = sorted(said, key=_worse)[: body.n] if body.best_of else said
        choices += [
            _choice(engine.model.tokenizer, body, place * body.n + i, one, prompt)
            for i, one in enumerate(best)
        ]
    return {
        **head("text_completion", "cmpl", engine.model.name),
        "choices": choices,
        "usage": usage(read, written),
    }


async def stream(engine: EngineLoop, body: CompletionBody) -> AsyncGenerator[Json]:
    """Yields the answer in pieces."""
    if body.best_of is not None and body.best_of > body.n:
        raise UserError("best_of cannot be streamed", hint="leave out stream or best_of")
    asks = await _asks(engine, body)
    begin = head("text_completion", "cmpl", engine.model.name)
    counted = body.stream_options is not None and body.stream_options.include_usage
    read, written = 0, 0
    for place, (prompt, ask) in enumerate(asks):
        read += len(ask.prompt)
        offsets = [len(prompt)] * ask.count
        echoes = [_piece(place * body.n + index, prompt, None, None) for index in range(ask.count)]
        echoes = echoes if body.echo else []
        if not body.max_tokens:
            for echo in echoes:
                yield {**begin, "choices": [{**echo, "finish_reason": "length"}]}
            continue
        async with pieces(engine, ask) as deltas:
            async for delta in deltas:
                for echo in echoes:  # not before there is an answer: a refusal is none
                    yield {**begin, "choices": [echo]}
                echoes = []
                logs = None
                if body.logprobs is not None:
                    logs = _logs(engine.model.tokenizer, delta.tokens, body.logprobs)
                    logs["text_offset"] = _offsets(offsets[delta.index], logs["tokens"])
                    offsets[delta.index] += sum(map(len, logs["tokens"]))
                written += len(delta.tokens)
                index, end = place * body.n + delta.index, delta.finish or None
                yield {**begin, "choices": [_piece(index, delta.text, logs, end)]}
    if counted:
        yield {**begin, "choices": [], "usage": usage(read, written)}


async def _asks(engine: EngineLoop, body: CompletionBody) -> list[tuple[str, Ask]]:
    """Returns for each prompt its text, and what the engine is asked."""
    grammar = of_completion(body)
    await engine.trial.prepare(grammar)
    # Reading prompts takes its time, a program's more: other requests go on meanwhile.
    return await asyncio.to_thread(_laid_out, engine.model, body, grammar)


def _laid_out(
    model: LocalModel, body: CompletionBody, grammar: Grammar | None
) -> list[tuple[str, Ask]]:
    count = body.best_of or body.n
    if count < body.n:
        raise UserError(f"best_of is {count}, and n is {body.n}", hint="best_of is n or more")
    prompts = _prompts(body)
    if len(prompts) > MOST_PROMPTS:
        raise UserError(f"{len(prompts)} prompts at once", hint=f"send {MOST_PROMPTS} at most")
    asks = []
    for prompt in prompts:
        if isinstance(prompt, str):
            ask = model.ask(
                Request(
                    prompt=prompt,
                    suffix=body.suffix,
                    n=count,
                    max_tokens=max(1, body.max_tokens),
                    stop=body.stops(),
                    seed=body.seed,
                    grammar=grammar,
                ),
                sampling=body.sampling(),
                alternatives=body.logprobs or 0,
            )
            asks.append((prompt, ask))
            continue
        if body.suffix is not None:
            raise UserError("a prompt of tokens has no suffix", hint="send the prompt as text")
        # Tokens that there are not are refused below.
        text = model.tokenizer.decode(t for t in prompt if 0 <= t < model.tokenizer.vocabulary)
        ask = model.ask_tokens(
            prompt,
            max_tokens=max(1, body.max_tokens),
            sampling=body.sampling(),
            stop=body.stops(),
            n=count,
            seed=body.seed,
            alternatives=body.logprobs or 0,
            rules=None if grammar is None else model.rules(grammar, before=text),
        )
        asks.append((text, ask))
    return asks


def _prompts(body: CompletionBody) -> list[str | list[int]]:
    if isinstance(body.prompt, str):
        return [body.prompt]
    if not body.prompt:
        raise UserError("the list of prompts is empty", hint="send one prompt at least")
    tokens = [entry for entry in body.prompt if isinstance(entry, int)]
    return [tokens] if tokens else [entry for entry in body.prompt if not isinstance(entry, int)]


def _refuse_prompt_scores(body: CompletionBody) -> None:
    if body.echo and body.logprobs is not None and not body.max_tokens:
        raise UserError(
            "log-probabilities of a prompt are not given", hint="leave out echo or logprobs"
        )


def _worse(said: Said) -> float:
    """Orders texts by the mean of what their tokens had, the best first."""
    return -said.log_probability / max(1, len(said.tokens))


def _choice(
    tokenizer: Tokenizer, body: CompletionBody, index: int, said: Said, prompt: str
) -> Json:
    text = prompt + said.text if body.echo else said.text
    logs = None
    if body.logprobs is not None:
        logs = _logs(tokenizer, said.tokens, body.logprobs)
        logs["text_offset"] = _offsets(len(prompt) if body.echo else 0, logs["tokens"])
    return _piece(index, text, logs, said.finish)


def _piece(index: int, text: str, logs: Json | None, finish: str | None) -> Json:
    return {"index": index, "text": text, "logprobs": logs, "finish_reason": finish}


def _logs(tokenizer: Tokenizer, tokens: Sequence[Token], most: int) -> Json:
    shown = [token for token in tokens if is_shown(token)]
    return {
        "tokens": [spelled(tokenizer, token.id) for token in shown],
        "token_logprobs": [token.log_probability for token in shown],
        "top_logprobs": [
            {spelled(tokenizer, other): log for other, log in token.top[:most]} for token in shown
        ],
    }


def _offsets(start: int, tokens: Sequence[str]) -> list[int]:
    found = []
    for token in tokens:
        found.append(start)
        start += len(token)
    return found
