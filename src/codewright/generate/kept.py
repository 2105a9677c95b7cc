"""A generator whose every word is kept in a file, and never asked for twice.

It stands before another generator. What the file holds for a request is given first, in the order
in which it was said, and only the rest is asked for; so a run that was killed, or is started again
with more candidates wanted, pays for what is missing.

A row of the file is a row of a samples file (`task_id` and `completion`), so that it can be
replayed and graded, with the digest of its request as `request`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from codewright.errors import DataError
from codewright.files import RowLog
from codewright.types.generation import Completion, Generator, Request


class Kept:
    """Asks `generator` for what `log` does not hold. `reused` counts what it did hold."""

    def __init__(self, generator: Generator, log: RowLog, *, run: str = "") -> None:
        """Reads the log.

        Args:
            generator: who is asked for the rest.
            log: where every completion is written as it comes.
            run: what sets this run apart from others with equal requests, such as its seed.

        Raises:
            DataError: a row of the log is not one that was written here.
        """
        self._generator = generator
        self._log = log
        self._run = run
        self._held: dict[str, list[Completion]] = {}
        self._given: dict[str, int] = {}
        self.reused = 0
        for where, row in log.rows:
            self._held.setdefault(str(row.get("request")), []).append(_completion(row, where))

    @property
    def name(self) -> str:
        return self._generator.name

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Returns `n` completions for each request; raises as the generator does."""
        answers = dict(self.stream(requests))
        return [answers[index] for index in range(len(requests))]

    def stream(self, requests: Sequence[Request]) -> Iterator[tuple[int, list[Completion]]]:
        """Yields (index, completions); those that are held completely come first."""
        missing: list[tuple[int, Request, list[Completion]]] = []
        for index, request in enumerate(requests):
            key = self._key(request)
            start = self._given.get(key, 0)
            held = self._held.get(key, [])[start : start + request.n]
            self._given[key] = start + request.n
            self.reused += len(held)
            if len(held) == request.n:
                yield index, held
                continue
            # The same seed again would bring what is held again.
            seed = None if request.seed is None else request.seed + len(held)
            rest = replace(request, n=request.n - len(held), seed=seed)
            missing.append((index, rest, held))
        for place, completions in self._generator.stream([rest for _, rest, _ in missing]):
            index, rest, held = missing[place]
            for completion in completions:
                self._log.append(_row(rest.task, self._key(rest), completion))
            yield index, [*held, *completions]

    def _key(self, request: Request) -> str:
        """A digest of what was asked; neither how often, nor with which seed of the run's."""
        said: list[Any] = [
            *(self._generator.name, self._run, request.task, request.prompt),
            [[turn.role, turn.content] for turn in request.messages],
            *(request.max_tokens, request.temperature, request.top_p, list(request.stop)),
        ]
        if request.suffix is not None:
            said.append(request.suffix)
        if request.context is not None:
            said.append(f"context: {request.context.text}")
        if request.grammar is not None:
            said.append(["grammar", request.grammar.kind, request.grammar.source])
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:20]


def _row(task: str, key: str, completion: Completion) -> dict[str, Any]:
    return {
        "task_id": task,
        "request": key,
        "completion": completion.text,
        "finish": completion.finish,
        "log_probability": completion.log_probability,
        "tokens": completion.tokens,
    }


def _completion(row: dict[str, Any], where: str) -> Completion:
    text, finish = row.get("completion"), row.get("finish", "stop")
    score, tokens = row.get("log_probability"), row.get("tokens", 0)
    sound = (
        isinstance(text, str)
        and isinstance(row.get("request"), str)
        and isinstance(finish, str)
        and (score is None or isinstance(score, int | float))
        and isinstance(tokens, int)
    )
    if not sound:
        raise DataError(
            f"{where}: not a completion that was kept by a run", hint="name another folder"
        )
    return Completion(text=str(text), finish=str(finish), log_probability=score, tokens=tokens)
