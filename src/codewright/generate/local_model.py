"""A checkpoint folder, opened: its tokenizer, the engine that runs it, and how it is asked.

`LocalGenerator` answers batches of requests with it, a server many clients at once.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codewright.engine.draft import Draft
from codewright.engine.engine import Engine
from codewright.engine.sampling import Sampling
from codewright.engine.scheduler import Limits
from codewright.engine.sequence import Ask, Constraint
from codewright.engine.stops import Stops
from codewright.errors import ConfigError, DataError, MissingExtra, UserError
from codewright.generate.constrained import Ruled, Rules, Tokens
from codewright.generate.healing import Healing, Held
from codewright.generate.layout import lay_out
from codewright.generate.python_rules import PythonRules
from codewright.generate.runners import open_runner
from codewright.generate.settings import CHAT, FIM, Local
from codewright.model.stored import TOKENIZER, Stored
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import SLOTS, SPECIAL, TOOL_CALL, TOOL_CALL_END
from codewright.types.generation import Grammar, Request

if TYPE_CHECKING:
    from codewright.generate.grammars import Grammars

DRAFTED = 8
"""Tokens that a draft model guesses at most, where nobody says otherwise."""
ROWS = 128
"""Texts that are written at the same time, where nobody says otherwise."""


class LocalModel:
    """A model on this machine. `lock` is held by whoever uses the engine."""

    def __init__(
        self,
        folder: Path,
        settings: Local | None = None,
        *,
        name: str = "",
        draft: Path | None = None,
    ) -> None:
        """Reads the checkpoint, and that of the model that guesses for it, if there is one.

        Raises:
            DataError: a folder holds no checkpoint, or a broken one.
            ConfigError: the settings do not go together, or the draft model has other tokens.
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
            guesses=settings.guesses or (DRAFTED if draft else 0),
            guesser=self._guesser(draft, settings, rows) if draft else None,
        )
        self.lock = threading.Lock()
        self._tokens = Tokens(self.spelled, self.ends)
        self._grammars: Grammars | None = None

    @property
    def grammars(self) -> Grammars:
        """What compiles grammars.

        Raises:
            MissingExtra: llguidance is not installed.
        """
        if self._grammars is None:
            try:
                from codewright.generate.grammars import Grammars
            except ModuleNotFoundError as error:
                if error.name != "llguidance":
                    raise
                raise MissingExtra("llguidance", "local") from None
            self._grammars = Grammars(self._tokens, self.tokenizer.encode)
        return self._grammars

    def rules(self, grammar: Grammar, *, before: str = "", after: str | None = None) -> Rules:
        """Returns the rules of a grammar; one that is not known yet is compiled.

        Args:
            grammar: what a text has to be.
            before: the prompt, which a program goes on with.
            after: what has to follow a program.

        Raises:
            UserError: it is no grammar, or too much; or the prompt is no beginning of a program.
            MissingExtra: as `grammars`.
        """
        if grammar.kind == "python":
            return PythonRules.after(before, after or "", cut=grammar.lenient)
        return self.grammars.rules(grammar)

    def _guesser(self, folder: Path, settings: Local, rows: int) -> Draft:
        """Returns the model in `folder` as one that guesses for this one."""
        if Tokenizer.load(folder / TOKENIZER).sha256 != self.tokenizer.sha256:
            raise ConfigError(
                f"the draft model in {folder} has another tokenizer",
                hint="a model guesses for one that it shares its tokens with",
            )
        own = replace(settings, precision="auto", memory=settings.memory // 4)
        runner = open_runner(folder, Stored(folder), own, rows=rows)
        tokens = max(512, rows)
        return Draft(runner, len(self.spelled), self.ends, rows=rows, tokens=tokens)

    def ask(
        self,
        request: Request,
        *,
        sampling: Sampling | None = None,
        alternatives: int = 0,
        window: int = 0,
    ) -> Ask:
        """Returns what the engine is asked for a prompt, with or without a suffix.

        Args:
            request: `temperature` and `top_p` count where `sampling` is not given.
            sampling: how tokens are drawn.
            alternatives: how many of the most probable tokens are reported at each place.
            window: tokens that are read and written at most; 0: as many as the model's context has.

        Raises:
            UserError: it is a conversation, or its grammar is none.
            MissingExtra: as `grammars`.
        """
        if request.messages:
            raise UserError(
                f"{self.name} continues text, it does not answer in a conversation",
                hint="ask it to continue, with --complete",
            )
        context = min(window or self.runner.context, self.runner.context)
        layout = lay_out(request, self.tokenizer, self._healing, context=context, fim=self.fim)
        return Ask(
            prompt=layout.prompt,
            room=layout.room,
            sampling=sampling or Sampling(temperature=request.temperature, top_p=request.top_p),
            stops=Stops(request.stop),
            count=request.n,
            seed=_seed(request.seed),
            held=layout.held,
            constraint=self._constraint(request, layout.held),
            alternatives=alternatives,
        )

    def _constraint(self, request: Request, held: bytes) -> Constraint | None:
        if request.grammar is not None:
            rules = self.rules(request.grammar, before=request.prompt, after=request.suffix)
            return Ruled(rules, self._tokens, self._healing, held)
        return Held(self._healing, held) if held else None

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
        rules: Rules | None = None,
    ) -> Ask:
        """Returns what the engine is asked for a prompt of tokens, which is taken as it is.

        It is asked for what there is room for, where that is less than `max_tokens`, and to keep
        to `rules`.

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
            constraint=None if rules is None else Ruled(rules, self._tokens, self._healing),
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
