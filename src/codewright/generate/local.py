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

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from codewright.engine import sequence
from codewright.engine.sampling import COLDEST
from codewright.engine.sequence import Ask
from codewright.engine.stops import characters
from codewright.generate.local_model import LocalModel
from codewright.generate.settings import Local
from codewright.types.generation import Completion, Request

AHEAD = 2
"""Texts that are laid out before there is room for them, as a multiple of those that there is."""


class LocalGenerator:
    """A decoder with its tokenizer, read from a folder. May be used by several threads."""

    def __init__(
        self,
        folder: Path,
        settings: Local | None = None,
        *,
        name: str = "",
        draft: Path | None = None,
    ) -> None:
        """Reads the checkpoints; raises as `LocalModel`."""
        self._model = LocalModel(folder, settings, name=name, draft=draft)

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def runner(self) -> str:
        """Says by what the model is run, and in which numbers."""
        return self._model.runner.name

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns `n` completions for each request, in order.

        Raises:
            UserError: a request is a conversation, or its grammar is none or too much.
            MissingExtra: llguidance is not installed, and a grammar is given.
        """
        return [completions for _, completions in self.stream(requests)]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index, completions) in the order of `requests`; raises as `generate`."""
        model = self._model
        # Greedy texts are equal, so one is written.
        asks = [
            model.ask(replace(request, n=1) if request.temperature < COLDEST else request)
            for request in requests
        ]
        begun: list[list[sequence.Sequence]] = []
        try:
            for index, request in enumerate(requests):
                while any(not text.finish for text in self._begin(begun, asks, index)):
                    with model.lock:
                        model.engine.step()
                failure = next((text.failure for text in begun[index] if text.failure), None)
                if failure is not None:
                    raise failure
                said = [_completion(text) for text in begun[index]]
                yield index, said * (request.n // len(said))
        finally:
            with model.lock:
                for text in (text for texts in begun for text in texts):
                    model.engine.abort(text)

    def _begin(
        self, begun: list[list[sequence.Sequence]], asks: Sequence[Ask], index: int
    ) -> list[sequence.Sequence]:
        """Gives the engine what it will have room for soon; returns the texts of `index`."""
        with self._model.lock:
            while len(begun) < len(asks) and (
                len(begun) <= index
                or len(self._model.engine.scheduler.waiting)
                < AHEAD * self._model.engine.limits.rows
            ):
                begun.append(self._model.engine.add(asks[len(begun)]))
        return begun[index]


def _completion(text: sequence.Sequence) -> Completion:
    return Completion(
        text=characters(bytes(text.text), whole=text.finish == "stop"),
        finish=text.finish,
        log_probability=text.score,
        tokens=text.written,
    )
