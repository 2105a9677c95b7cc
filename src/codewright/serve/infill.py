"""POST /infill: llama.cpp's form of filling a gap, for the editors that speak it.

What those read is in the answer: `content`, `timings`, `tokens_cached`, `truncated`, and with
`response_fields` only what they name ("timings/prompt_ms"). How its limits on indentation and on
time end a text is llama.cpp's rule.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from codewright.engine.sequence import Ask
from codewright.serve.answers import Json, is_shown, pieces
from codewright.serve.follow import Delta
from codewright.serve.forms import InfillBody
from codewright.serve.loop import EngineLoop
from codewright.serve.structure import of_infill
from codewright.types.generation import Request


async def fill(engine: EngineLoop, body: InfillBody) -> Json:
    """Returns the answer when all of it is there."""
    text = ""
    async for piece in stream(engine, body.model_copy(update={"response_fields": []})):
        text += piece["content"]
    return _chosen({**piece, "content": text}, body.response_fields)


async def stream(engine: EngineLoop, body: InfillBody) -> AsyncGenerator[Json]:
    """Yields the answer in pieces."""
    ask = await _ask(engine, body)
    text = _Text(body)
    async with pieces(engine, ask) as deltas:
        async for delta in deltas:
            piece: Json = {"index": 0, "content": text.add(delta), "tokens": [], "stop": False}
            if text.stop_type:
                last = piece | _end(engine, body, ask, text)
                yield _chosen(last, body.response_fields)
                return  # which takes the request back, where it would go on
            yield piece


@dataclass(slots=True)
class _Text:
    """What was written, where it has to end, and how long it took."""

    body: InfillBody
    shown: str = ""
    written: int = 0
    reused: int = 0
    stop_type: str = ""
    began: float = field(default_factory=time.monotonic)
    first: float = 0.0
    last: float = 0.0
    _line: int = 0

    def add(self, delta: Delta) -> str:
        """Takes what came; returns what of it is shown."""
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.reused = delta.reused
        if self.body.n_predict == 0:
            self.stop_type = "limit" if delta.finish else ""
            return ""
        self.written += sum(map(is_shown, delta.tokens))
        before = len(self.shown)
        self.shown += delta.text
        if delta.finish:
            shown = bool(delta.tokens) and is_shown(delta.tokens[-1])
            ended = "word" if shown and self.body.stop else "eos"
            self.stop_type = "limit" if delta.finish == "length" else ended
        end = self._outdented()
        if end is not None:
            self.shown, self.stop_type = self.shown[:end], "limit"
        elif "\n" in delta.text and 0 < self.body.t_max_predict_ms < self.seconds * 1000:
            self.stop_type = "limit"
        return self.shown[before:]

    @property
    def seconds(self) -> float:
        """Since the first token."""
        return self.last - self.first

    def _outdented(self) -> int | None:
        """Returns where the text ends because a new line has too little indent."""
        while self.body.n_indent:
            if not self._line:
                self._line = self.shown.find("\n") + 1
            if not self._line:
                return None
            line = self.shown[self._line :]
            indent = len(line) - len(line.lstrip(" \t"))
            if indent < len(line) and line[indent] != "\n" and indent < self.body.n_indent:
                return self._line + indent
            following = self.shown.find("\n", self._line) + 1
            if not following:
                return None
            self._line = following
        return None


def _end(engine: EngineLoop, body: InfillBody, ask: Ask, text: _Text) -> Json:
    """Returns what the last piece says besides."""
    prompt = len(ask.prompt)
    sampling = ask.sampling
    return {
        "stop": True,
        "model": engine.model.name,
        "tokens_predicted": text.written,
        "tokens_evaluated": prompt,
        "tokens_cached": prompt + text.written,
        "generation_settings": {
            "n_ctx": engine.model.config.context,
            "n_predict": body.n_predict,
            "n_indent": body.n_indent,
            "seed": body.seed,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "min_p": sampling.min_p,
            "stop": body.stop,
        },
        "has_new_line": "\n" in text.shown,
        "truncated": False,
        "stop_type": text.stop_type,
        "stopping_word": "",
        "timings": {
            "cache_n": text.reused,
            **_rate("prompt", prompt - text.reused, text.first - text.began),
            **_rate("predicted", text.written, text.seconds),
        },
    }


def _rate(what: str, count: int, seconds: float) -> Json:
    return {
        f"{what}_n": count,
        f"{what}_ms": round(seconds * 1000, 3),
        f"{what}_per_token_ms": round(seconds * 1000 / max(1, count), 3),
        f"{what}_per_second": round(count / seconds, 3) if seconds > 0 else 0.0,
    }


def _chosen(answer: Json, fields: list[str]) -> Json:
    """Returns the fields that are named, in parts where a name has a slash; all without names."""
    if not fields:
        return answer
    chosen: Json = {}
    for name in fields:
        found: object = answer
        for key in name.split("/"):
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            chosen[name] = found
    return chosen


def before(body: InfillBody) -> str:
    """Returns what stands before the gap: other files, the last of them nearest, and the prefix."""
    others = "".join(f"# {extra.filename}\n{extra.text}\n" for extra in body.input_extra)
    return others + body.input_prefix + body.prompt


async def _ask(engine: EngineLoop, body: InfillBody) -> Ask:
    most = engine.model.config.context if body.n_predict < 0 else max(1, body.n_predict)
    grammar = of_infill(body)
    await engine.trial.prepare(grammar)
    return await asyncio.to_thread(
        engine.model.ask,
        Request(
            prompt=before(body),
            suffix=body.input_suffix,
            n=1,
            max_tokens=most,
            stop=tuple(body.stop),
            seed=None if body.seed < 0 else body.seed,
            grammar=grammar,
        ),
        sampling=body.sampling(),
    )
