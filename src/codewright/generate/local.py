"""A checkpoint folder as a generator: `--model FOLDER`, and `embedded`, which comes along.

What is asked for goes to one engine, which writes many texts at the same time. The same request
with the same seed gets the same completions, whatever else is asked: with the native runner bit
for bit, with torch as far as its sums do not depend on the size of a batch. Row i of seed s is row
0 of seed s + i, so that a run may ask for its candidates in pieces.

log_probability is the natural log of the model's own distribution, at temperature 1 and without a
nucleus, summed over the tokens that were drawn: the one that ended the text, and those of a stop
string, included. `tokens` counts the same. Where the first bytes were given (`healing.py`) it is
the distribution over the tokens that spell them.

A base model continues text; conversations are refused.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from codewright.engine import sequence
from codewright.engine.engine import Engine
from codewright.engine.sampling import Sampling
from codewright.engine.scheduler import Limits
from codewright.engine.sequence import Ask
from codewright.engine.stops import Stops, characters
from codewright.errors import UserError
from codewright.generate.healing import Healing, Held
from codewright.generate.layout import lay_out
from codewright.generate.runners import open_runner
from codewright.generate.settings import FIM, Local
from codewright.model.stored import TOKENIZER, Stored
from codewright.tokens.bpe import Tokenizer
from codewright.tokens.special import SLOTS
from codewright.types.generation import Completion, Request

AHEAD = 2
"""Texts that are laid out before there is room for them, as a multiple of those that there is."""


class LocalGenerator:
    """A decoder with its tokenizer, read from a folder. May be used by several threads."""

    def __init__(self, folder: Path, settings: Local | None = None, *, name: str = "") -> None:
        """Reads the checkpoint.

        Raises:
            DataError: the folder holds no checkpoint, or a broken one.
            MachineError: the runner that the settings name cannot be had here.
        """
        settings = settings or Local()
        stored = Stored(folder)
        self._fim = settings.fim or ("spm" if stored.extra.get(FIM) == "spm" else "psm")
        self._tokenizer = tokenizer = Tokenizer.load(folder / TOKENIZER)
        self._healing = Healing(tokenizer)
        rows = settings.rows or 128
        self._runner = open_runner(folder, stored, settings, rows=rows)
        self._engine = Engine(
            self._runner,
            [tokenizer.token_bytes(token) for token in range(tokenizer.vocabulary)],
            range(SLOTS),
            limits=Limits(rows=rows, tokens=max(512, rows)),
            guesses=settings.guesses,
        )
        self._lock = threading.Lock()
        self._name = name or f"local/{folder.resolve().name}"

    @property
    def name(self) -> str:
        return self._name

    @property
    def runner(self) -> str:
        """Says by what the model is run, and in which numbers."""
        return self._runner.name

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns `n` completions for each request, in order.

        Raises:
            UserError: a request is a conversation.
        """
        return [completions for _, completions in self.stream(requests)]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index, completions) in the order of `requests`; raises as `generate`."""
        asks = [self._ask(request) for request in requests]
        begun: list[list[sequence.Sequence]] = []
        try:
            for index, request in enumerate(requests):
                while any(not text.finish for text in self._begin(begun, asks, index)):
                    with self._lock:
                        self._engine.step()
                said = [_completion(text) for text in begun[index]]
                yield index, said * (request.n // len(said))
        finally:
            with self._lock:
                for text in (text for texts in begun for text in texts):
                    self._engine.abort(text)

    def _begin(
        self, begun: list[list[sequence.Sequence]], asks: Sequence[Ask], index: int
    ) -> list[sequence.Sequence]:
        """Gives the engine what it will have room for soon; returns the texts of `index`."""
        with self._lock:
            while len(begun) < len(asks) and (
                len(begun) <= index
                or len(self._engine.scheduler.waiting) < AHEAD * self._engine.limits.rows
            ):
                begun.append(self._engine.add(asks[len(begun)]))
        return begun[index]

    def _ask(self, request: Request) -> Ask:
        if request.messages:
            raise UserError(
                f"{self._name} continues text, it does not answer in a conversation",
                hint="ask it to continue, with --complete",
            )
        layout = lay_out(
            request,
            self._tokenizer,
            self._healing,
            context=self._runner.context,
            fim=self._fim,
        )
        sampling = Sampling(temperature=request.temperature, top_p=request.top_p)
        return Ask(
            prompt=layout.prompt,
            room=layout.room,
            sampling=sampling,
            stops=Stops(request.stop),
            # Greedy texts are equal, so one is written.
            count=1 if sampling.greedy else request.n,
            seed=secrets.randbits(64) if request.seed is None else request.seed,
            held=layout.held,
            constraint=Held(self._healing, layout.held) if layout.held else None,
        )


def _completion(text: sequence.Sequence) -> Completion:
    return Completion(
        text=characters(bytes(text.text), whole=text.finish == "stop"),
        finish=text.finish,
        log_probability=text.score,
        tokens=text.written,
    )
