"""`scripted/FILE`: says what a JSON file tells it to, for documentation, demonstrations and tests.

    {"three distinct": ["```python\\ndef f(…", "…"], "*": ["I do not know."]}

A request gets the texts of the longest key that occurs in what was asked last; `*` stands for any
request. Its seed is the number of the text to begin with, and after the last text comes the first;
so asking in several rounds, with seeds that go on, gives what asking once would have given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from codewright.errors import DataError
from codewright.files import read_bytes
from codewright.generate.ungoverned import refuse_grammars
from codewright.types.generation import Completion, Request

SHAPE = 'one object: {"words of a prompt, or *": ["a text", "another"]}'


class ScriptFile:
    """A generator that follows a script. It gives no log-probabilities."""

    def __init__(self, path: Path) -> None:
        """Reads the script.

        Raises:
            DataError: the file is missing or has another shape.
        """
        self._path = path
        self._texts = _read(path)

    @property
    def name(self) -> str:
        return f"scripted/{self._path.name}"

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns `n` texts for each request, from the one on that its seed names.

        Raises:
            DataError: the script has nothing for a request.
        """
        return [completions for _, completions in self.stream(requests)]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index, completions) in the order of `requests`; raises as `generate`."""
        refuse_grammars(self.name, requests)
        for index, request in enumerate(requests):
            texts = self._for(request.messages[-1].content if request.messages else request.prompt)
            start = request.seed or 0
            said = [texts[(start + turn) % len(texts)] for turn in range(request.n)]
            yield index, [Completion(text=text, tokens=len(text.split())) for text in said]

    def _for(self, asked: str) -> list[str]:
        keys = [key for key in self._texts if key != "*" and key in asked]
        texts = self._texts.get(max(keys, key=len, default="*"))
        if texts is None:
            raise DataError(
                f"{self._path} has nothing to say to {asked[:50]!r}",
                hint='add words of the prompt, or "*" for any other',
            )
        return texts


def _read(path: Path) -> dict[str, list[str]]:
    try:
        told = json.loads(read_bytes(path).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}", hint=SHAPE) from None
    sound = (
        isinstance(told, dict)
        and bool(told)
        and all(
            isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts)
            for texts in told.values()
        )
    )
    if not sound:
        raise DataError(f"{path} is no script", hint=SHAPE)
    return dict(told)
