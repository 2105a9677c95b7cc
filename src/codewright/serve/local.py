"""A model on this machine, as the HTTP server knows models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from codewright.engine.sampling import Sampling
from codewright.engine.sequence import Ask
from codewright.serve import chat, completions, infill
from codewright.serve.answers import Json, whole
from codewright.serve.forms import ChatBody, CompletionBody, InfillBody
from codewright.serve.loop import EngineLoop
from codewright.serve.served import Door, Drafts
from codewright.types.generation import Completion, Request


class Local:
    """The engine of one model, for many clients."""

    def __init__(self, engine: EngineLoop) -> None:
        self._engine = engine
        self._doors = (
            Door(
                path="/v1/completions",
                form=CompletionBody,
                answer=partial(completions.complete, engine),
                stream=partial(completions.stream, engine),
            ),
            Door(
                path="/v1/chat/completions",
                form=ChatBody,
                answer=partial(chat.answer, engine),
                stream=partial(chat.stream, engine),
            ),
            Door(
                path="/infill",
                form=InfillBody,
                answer=partial(infill.fill, engine),
                stream=partial(infill.stream, engine),
                done="",
            ),
        )

    @property
    def name(self) -> str:
        return self._engine.model.name

    @property
    def doors(self) -> Sequence[Door[Any]]:
        return self._doors

    async def card(self) -> Json:
        """Returns what a client may want to know of the model."""
        model = self._engine.model
        return {
            "owned_by": "codewright",
            "context": model.config.context,
            "parameters": model.config.parameters(),
            "runner": model.runner.name,
            "stored": model.storage,
            "suffix": True,
            "chat": model.chats,
        }

    def health(self) -> Json:
        """Returns how many texts are in hand; raises what the engine stopped with."""
        if self._engine.failed is not None:
            raise self._engine.failed
        return {"status": "ok", "texts": self._engine.texts}

    def gauges(self) -> Mapping[str, float]:
        """Returns the engine's counts."""
        engine = self._engine.model.engine
        scheduler, counts = engine.scheduler, engine.counts
        return {
            "texts_running": len(scheduler.running),
            "texts_waiting": len(scheduler.waiting),
            "blocks_held": engine.blocks.count - engine.blocks.available,
            "blocks": engine.blocks.count,
            "tokens_read_total": counts.read,
            "tokens_written_total": counts.drawn,
            "tokens_reused_total": scheduler.reused,
            "preemptions_total": scheduler.preempted,
        }

    async def write(self, request: Request) -> Drafts:
        """Returns the completions; a conversation is answered where the model was made for it."""
        ask = self._ask(request)
        said = await whole(self._engine, ask)
        made = [
            Completion(
                text=one.text,
                finish=one.finish,
                log_probability=one.log_probability,
                tokens=len(one.tokens),
            )
            for one in said
        ]
        written = sum(each.tokens for each in made)
        return Drafts(completions=made, read=len(ask.prompt), written=written)

    def _ask(self, request: Request) -> Ask:
        model = self._engine.model
        if not request.messages:
            return model.ask(request)
        turns = [{"role": turn.role, "content": turn.content} for turn in request.messages]
        return model.ask_tokens(
            model.conversation(turns),
            max_tokens=request.max_tokens,
            sampling=Sampling(temperature=request.temperature, top_p=request.top_p),
            stop=request.stop,
            n=request.n,
            seed=request.seed,
        )

    async def close(self) -> None:
        """Holds nothing: the engine is closed by who opened it."""
