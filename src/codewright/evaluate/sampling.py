"""Asking a generator for programs, and keeping every answer in a file as it comes.

The file is a samples file like any other (task_id and completion), so what a model wrote can be
graded again, elsewhere too. A run that is started again asks only for what is missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from codewright.errors import DataError
from codewright.evaluate.manner import PROGRAMS, Manner
from codewright.evaluate.samples import Candidates, from_texts
from codewright.files import RowLog
from codewright.types.generation import Completion, Generator, Message, Request
from codewright.types.judging import Problem
from codewright.write.extract import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a model is asked: `n` answers a problem; `chat` asks in words, else it continues."""

    n: int = 1
    temperature: float = 0.0
    top_p: float = 0.95
    max_tokens: int = 1024
    seed: int = 0
    chat: bool = True

    @property
    def form(self) -> Form:
        """How the texts are to be read."""
        return "answer" if self.chat else "completion"


def sample(
    problems: Sequence[Problem],
    generator: Generator,
    sampling: Sampling,
    log: RowLog,
    watch: Callable[[int], None],
    manner: Manner = PROGRAMS,
) -> Candidates:
    """Returns `n` candidates for each problem; those that `log` holds are not asked for again.

    Args:
        problems: what to write programs for.
        generator: who writes them.
        sampling: how to ask.
        log: where completions are kept.
        watch: told how many more completions there are.
        manner: how the benchmark asks, and how its answers are read.

    Raises:
        DataError: a row of `log` is not a completion.
        CodewrightError: as the generator raises; what came before is in `log`.
    """
    texts: dict[str, list[str]] = {problem.id: [] for problem in problems}
    for where, row in log.rows:
        task, text = row.get("task_id"), row.get("completion")
        if task not in texts or not isinstance(text, str):
            raise DataError(
                f"{where}: not a completion for one of these problems",
                hint="start over with --fresh, or name another folder with --out",
            )
        texts[task].append(text)
    watch(sum(len(each) for each in texts.values()))
    short = [problem for problem in problems if len(texts[problem.id]) < sampling.n]
    requests = [_request(problem, sampling, manner, len(texts[problem.id])) for problem in short]
    for index, completions in generator.stream(requests):
        task = short[index].id
        for completion in completions:
            log.append(_row(task, completion))
            texts[task].append(completion.text)
        watch(len(completions))
    return {
        problem.id: from_texts(
            problem, texts[problem.id][: sampling.n], sampling.form, generator.name, manner
        )
        for problem in problems
    }


def _request(problem: Problem, sampling: Sampling, manner: Manner, already: int) -> Request:
    """Returns the request for what is missing; its seed follows on from what is there."""
    messages: tuple[Message, ...] = ()
    if sampling.chat:
        messages = (Message(role="user", content=manner.words(problem)),)
    # Problems far apart, so that one's n-th seed is not another's first.
    start = int.from_bytes(hashlib.sha256(f"{sampling.seed}/{problem.id}".encode()).digest()[:3])
    return Request(
        prompt="" if sampling.chat else manner.prompt(problem),
        suffix=None if sampling.chat else problem.suffix,
        messages=messages,
        n=sampling.n - already,
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        stop=() if sampling.chat else manner.stops(problem),
        seed=start * 100 + already,
        task=problem.id,
    )


def _row(task: str, completion: Completion) -> dict[str, Any]:
    return {
        "task_id": task,
        "completion": completion.text,
        "finish": completion.finish,
        "log_probability": completion.log_probability,
        "tokens": completion.tokens,
    }
