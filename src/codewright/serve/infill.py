"""POST /infill: llama.cpp's form of filling a gap, for the editors that speak it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from codewright.engine.sequence import Ask
from codewright.serve.answers import Json, pieces, whole
from codewright.serve.forms import InfillBody
from codewright.serve.loop import EngineLoop
from codewright.types.generation import Request


async def fill(engine: EngineLoop, body: InfillBody) -> Json:
    """Returns the answer when all of it is there."""
    ask = _ask(engine, body)
    (said,) = await whole(engine, ask)
    return {
        "index": 0,
        "content": said.text,
        "tokens": [],
        "stop": True,
        "model": engine.model.name,
        "tokens_predicted": len(said.tokens),
        "tokens_evaluated": len(ask.prompt),
        "truncated": False,
        "stop_type": "limit" if said.finish == "length" else "eos",
        "stopping_word": "",
    }


async def stream(engine: EngineLoop, body: InfillBody) -> AsyncGenerator[Json]:
    """Yields the answer in pieces."""
    ask = _ask(engine, body)
    written = 0
    async with pieces(engine, ask) as deltas:
        async for delta in deltas:
            written += len(delta.tokens)
            piece: Json = {"index": 0, "content": delta.text, "stop": bool(delta.finish)}
            if delta.finish:
                piece |= {
                    "model": engine.model.name,
                    "tokens_predicted": written,
                    "tokens_evaluated": len(ask.prompt),
                    "stop_type": "limit" if delta.finish == "length" else "eos",
                }
            yield piece


def _ask(engine: EngineLoop, body: InfillBody) -> Ask:
    """Other files stand before the prefix, the last of them nearest to it, each with its name."""
    others = "".join(f"# {extra.filename}\n{extra.text}\n" for extra in body.input_extra)
    most = engine.model.config.context if body.n_predict < 0 else max(1, body.n_predict)
    return engine.model.ask(
        Request(
            prompt=others + body.input_prefix + body.prompt,
            suffix=body.input_suffix,
            n=1,
            max_tokens=most,
            stop=tuple(body.stop),
            seed=None if body.seed < 0 else body.seed,
        ),
        sampling=body.sampling(),
        alternatives=body.n_probs,
    )
