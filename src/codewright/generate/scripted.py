"""A generator that says what it was told to say: for tests, documentation and dry runs.

    Scripted({"def double(x):\\n": ["    return 2 * x\\n", "    return x + x\\n"]})

It needs no network and no weights, and the same request always gets the same completions.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence

from codewright.errors import DataError
from codewright.generate.ungoverned import refuse_grammars
from codewright.types.generation import Completion, Request

Rule = Callable[[Request, random.Random], str]
"""Makes one text for a request; the generator of random numbers is seeded for that text."""


class Scripted:
    """Replies from a script, else by a rule.

    The i-th completion of a request is the i-th text of the script's list for its prompt (the
    last turn's content, in a chat), beginning again where the list ends. A request with a seed
    draws from the list instead, each text equally likely.
    """

    def __init__(
        self,
        script: Mapping[str, Sequence[str]] | None = None,
        *,
        default: Rule | None = None,
        seed: int = 0,
        name: str = "scripted",
    ) -> None:
        """Takes the texts for each prompt, and the rule for any other prompt.

        Raises:
            DataError: a prompt has an empty list of texts.
        """
        self._script = {prompt: tuple(texts) for prompt, texts in (script or {}).items()}
        self._default = default
        self._seed = seed
        self._name = name
        for prompt, texts in self._script.items():
            if not texts:
                raise DataError(f"the script has no text for the prompt {prompt[:50]!r}")

    @property
    def name(self) -> str:
        return self._name

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns `n` completions for each request.

        Raises:
            DataError: a prompt is not in the script and there is no rule for others.
        """
        return [completions for _, completions in self.stream(requests)]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index, completions) in the order of `requests`; raises as `generate`."""
        refuse_grammars(self.name, requests)
        for index, request in enumerate(requests):
            yield index, [self._complete(request, i) for i in range(request.n)]

    def _complete(self, request: Request, i: int) -> Completion:
        prompt = request.messages[-1].content if request.messages else request.prompt
        # Seeding with text is the same in every process, unlike hash().
        draw = random.Random(f"{self._seed}/{request.seed}/{i}/{prompt}")
        texts = self._script.get(prompt)
        if texts is None:
            if self._default is None:
                raise DataError(
                    f"the script has nothing for the prompt {prompt[:50]!r}",
                    hint="add the prompt, or give the generator a default rule",
                )
            text, chance = self._default(request, draw), 1.0
        else:
            text = texts[i % len(texts)] if request.seed is None else draw.choice(texts)
            chance = texts.count(text) / len(texts)
        text, finish = _stopped(text, request.stop)
        return Completion(
            text=text,
            finish=finish,
            log_probability=math.log(chance),
            tokens=len(text.split()),
        )


def _stopped(text: str, stop: Sequence[str]) -> tuple[str, str]:
    """Returns `text` up to the first of the stop strings, as a server would cut it."""
    ends = [position for mark in stop if mark and (position := text.find(mark)) >= 0]
    return (text[: min(ends)] if ends else text), "stop"
