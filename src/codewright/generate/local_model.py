"""A checkpoint folder, opened: its tokenizer, the engine that runs it, and how it is asked.

`LocalGenerator` answers batches of requests with it, a server many clients at once.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codewright.engine.engine import Engine
from codewright.engine.sampling import Sampling
from codewright.engine.scheduler import Limits
from codewright.engine.sequence import Ask
from codewright.engine.stops import Stops
from codewright.errors import DataError, UserError
from codewright.generate.healing import Healing, Held
from codewright.generate.layout import lay_out
from codewright.generate.runners import open_runner
from codewright.generate.settings import CHAT, FIM, Local
from codewright.model.stored import TOKENIZER, Stored
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import SLOTS, SPECIAL, TOOL_CALL, TOOL_CALL_END
from codewright.types.generation import Request

ROWS = 128
"""Texts that are written at the same time, where nobody says otherwise."""


class LocalModel:
    """A model on this machine. `lock` is held by whoever uses the engine."""

    def __init__(self, folder: Path, settings: Local | None = None, *, name: str = "") -> None:
        """Reads the checkpoint.

        Raises:
            DataError: the folder holds no checkpoint, or a broken one.
            MachineError: the runner that the settings name cannot be had here.
        """
        settings = settings or Local()
        stored = Stored(folder)
        self.name = name or f"local/{folder.resolve().name}"
        self.config = stored.config
        self.storage = stored.storage
        self.fim = settings.fim or ("spm" if stored.extra.get(FIM) == "spm" else "psm")
        self.chats = stored.extra.get(CHAT) is True
        self.tokenizer = tokenizer = Tokenizer.load(folder / TOKENIZER)
        if tokenizer.vocabulary > stored.config.vocabulary:
            raise DataError(
                f"the tokenizer in {folder} has {tokenizer.vocabulary} tokens, and the model knows "
                f"{stored.config.vocabulary}",
                hint="put the model's own tokenizer.json there",
            )
        self._healing = Healing(tokenizer)
        rows = settings.rows or ROWS
        self.runner = open_runner(folder, stored, settings, rows=rows)
        self.spelled = [tokenizer.token_bytes(token) for token in range(tokenizer.vocabulary)]
        self.ends = set(range(SLOTS))
        if self.chats:  # the marks of a call are part of an answer, and are read in it
            for mark in (TOOL_CALL, TOOL_CALL_END):
                self.spelled[mark] = SPECIAL[mark].encode()
                self.ends.remove(mark)
        self.engine = Engine(
            self.runner,
            self.spelled,
            self.ends,
            limits=Limits(rows=rows, tokens=max(512, rows)),
            guesses=settings.guesses,
        )
        self.lock = threading.Lock()

    def ask(
        self, request: Request, *, sampling: Sampling | None = None, alternatives: int = 0
    ) -> Ask:
        """Returns what the engine is asked for a prompt, with or without a suffix.

        Args:
            request: `temperature` and `top_p` count where `sampling` is not given.
            sampling: how tokens are drawn.
            alternatives: how many of the most probable tokens are reported at each place.

        Raises:
            UserError: it is a conversation.
        """
        if request.messages:
            raise UserError(
                f"{self.name} continues text, it does not answer in a conversation",
                hint="ask it to continue, with --complete",
            )
        layout = lay_out(
            request, self.tokenizer, self._healing, context=self.runner.context, fim=self.fim
        )
        return Ask(
            prompt=layout.prompt,
            room=layout.room,
            sampling=sampling or Sampling(temperature=request.temperature, top_p=request.top_p),
            stops=Stops(request.stop),
            count=request.n,
            seed=_seed(request.seed),
            held=layout.held,
            constraint=Held(self._healing, layout.held) if layout.held else None,
            alternatives=alternatives,
        )

    def ask_tokens(
        self,
        prompt: Sequence[int],
        *,
        max_tokens: int,
        sampling: Sampling,
        stop: Sequence[str] = (),
        n: int = 1,
        seed: int | None = None,
        alternatives: int = 0,
    ) -> Ask:
        """Returns what the engine is asked for a prompt of tokens, which is taken as it is.

        It is asked for what there is room for, where that is less than `max_tokens`.

        Raises:
            UserError: it has a token that the model does not know, or leaves no room.
        """
        known = range(self.tokenizer.vocabulary)
        if not prompt or any(token not in known for token in prompt):
            raise UserError(
                "the prompt is no list of the model's tokens",
                hint=f"tokens are numbers from 0 to {len(known) - 1}, one at least",
            )
        left = self.runner.context - len(prompt)
        if left < 1:
            raise UserError(
                f"the prompt has {len(prompt)} tokens, and the model a context of "
                f"{self.runner.context}",
                hint="shorten the prompt",
            )
        return Ask(
            prompt=list(prompt),
            room=min(max_tokens, left),
            sampling=sampling,
            stops=Stops(stop),
            count=n,
            seed=_seed(seed),
            alternatives=alternatives,
        )

    def conversation(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()
    ) -> list[int]:
        """Returns the tokens of a conversation up to where the model answers.

        Raises:
            UserError: the model was not made for conversations, or this is none.
            MissingExtra: jinja2 is not installed.
        """
        if not self.chats:
            raise UserError(
                f"{self.name} continues text, it does not answer in a conversation",
                hint="ask for a completion",
            )
        from codewright.tokens.chat import Chat

        return Chat(self.tokenizer).render(messages, tools=tools, answer=True).ids


def _seed(given: int | None) -> int:
    return secrets.randbits(63) if given is None else given
