"""The benchmarks by name: which files each is made of, and how its problems are built.

    load("humaneval", home) -> the 164 problems, in the order of the file

What a row of each family means is said in `humaneval.py`, `infilling.py`, `mbpp.py` and
`cruxeval.py`; where files come from in `fetch.py`. No problem is judged here.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codewright.errors import DataError, UnknownName
from codewright.evaluate import cruxeval, humaneval, infilling, mbpp
from codewright.evaluate.fetch import Home, Source
from codewright.evaluate.manner import PROGRAMS, Manner
from codewright.files import read_bytes, read_rows
from codewright.types.judging import Problem

Rows = list[dict[str, Any]]

_EVALPLUS = "https://github.com/evalplus"
_GOOGLE = "https://raw.githubusercontent.com/google-research/google-research/master/mbpp"
_HUMANEVAL_PLUS = f"{_EVALPLUS}/humanevalplus_release/releases/download/v0.1.10"
_MBPP_PLUS = f"{_EVALPLUS}/mbppplus_release/releases/download/v0.2.0"
_CRUXEVAL = Source(
    path="cruxeval/cruxeval.jsonl.gz",
    url="https://raw.githubusercontent.com/facebookresearch/cruxeval/main/data/cruxeval.jsonl",
)

CODET_PROMPTS = Source(
    path="codet/HumanEval_for_code_generation.jsonl.gz",
    url="https://raw.githubusercontent.com/microsoft/CodeT/main/CodeT/data/dataset/"
    "HumanEval_for_code_generation.jsonl",
)
"""HumanEval's prompts with the examples taken out of the docstrings, with their task ids."""

CODET_TEST_PROMPTS = Source(
    path="codet/HumanEval_for_test_case_generation.jsonl.gz",
    url="https://raw.githubusercontent.com/microsoft/CodeT/main/CodeT/data/dataset/"
    "HumanEval_for_test_case_generation.jsonl",
)
"""The prompts that CodeT asked models for tests with, with their task ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A named set of problems.

    `sources` are its files, `problems` their number. `build` turns the rows of each file, in the
    order of `sources`, into problems. `manner` is how a model is asked and read; `steps` how it is
    asked to reason first, `line` how it is asked for one line, None where the benchmark has no such
    way. `gaps`: what is wanted stands between a prompt and a suffix, which no words ask for.
    """

    name: str
    title: str
    problems: int
    sources: tuple[Source, ...]
    build: Callable[[Sequence[Rows]], list[Problem]]
    manner: Manner = PROGRAMS
    steps: Manner | None = None
    line: Manner | None = None
    gaps: bool = False


def _infilling(name: str, file: str, problems: int, *, line: Manner | None = None) -> Benchmark:
    """One of the four parts of HumanEval-Infilling."""
    return Benchmark(
        name=f"humaneval-infilling-{name}",
        title=f"HumanEval-Infilling, {name}",
        problems=problems,
        sources=(
            Source(
                path=f"humaneval-infilling/HumanEval-{file}.jsonl.gz",
                url="https://raw.githubusercontent.com/openai/human-eval-infilling/master/data/"
                f"HumanEval-{file}.jsonl.gz",
            ),
        ),
        build=infilling.build,
        manner=infilling.GAP,
        line=line,
        gaps=True,
    )


BENCHMARKS = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark(
            name="humaneval",
            title="HumanEval",
            problems=164,
            sources=(
                Source(
                    path="humaneval/HumanEval.jsonl.gz",
                    url="https://raw.githubusercontent.com/openai/human-eval/master/data/"
                    "HumanEval.jsonl.gz",
                ),
            ),
            build=humaneval.build,
        ),
        Benchmark(
            name="humanevalplus",
            title="HumanEval+",
            problems=164,
            sources=(
                Source(
                    path="humanevalplus/HumanEvalPlus-OriginFmt.jsonl.gz",
                    url=f"{_HUMANEVAL_PLUS}/HumanEvalPlus-OriginFmt.jsonl.gz",
                ),
                Source(
                    path="humanevalplus/HumanEvalPlus.jsonl.gz",
                    url=f"{_HUMANEVAL_PLUS}/HumanEvalPlus.jsonl.gz",
                ),
            ),
            build=humaneval.build_plus,
        ),
        Benchmark(
            name="mbpp",
            title="MBPP",
            problems=974,
            sources=(Source(path="mbpp/mbpp.jsonl.gz", url=f"{_GOOGLE}/mbpp.jsonl"),),
            build=mbpp.build,
        ),
        Benchmark(
            name="mbpp-sanitized",
            title="MBPP sanitized",
            problems=427,
            sources=(
                Source(path="mbpp/sanitized-mbpp.json.gz", url=f"{_GOOGLE}/sanitized-mbpp.json"),
            ),
            build=mbpp.build_sanitized,
        ),
        Benchmark(
            name="mbppplus",
            title="MBPP+",
            problems=378,
            sources=(
                Source(
                    path="mbppplus/MbppPlus.jsonl.gz",
                    url=f"{_MBPP_PLUS}/MbppPlus.jsonl.gz",
                ),
                Source(
                    path="mbppplus/MbppPlus-OriginFmt.jsonl.gz",
                    url=f"{_MBPP_PLUS}/MbppPlus-OriginFmt.jsonl.gz",
                ),
            ),
            build=mbpp.build_plus,
        ),
        Benchmark(
            name="cruxeval-o",
            title="CRUXEval-O",
            problems=800,
            sources=(_CRUXEVAL,),
            build=cruxeval.build_outputs,
            manner=cruxeval.OUTPUT,
            steps=cruxeval.OUTPUT_STEPS,
        ),
        Benchmark(
            name="cruxeval-i",
            title="CRUXEval-I",
            problems=800,
            sources=(_CRUXEVAL,),
            build=cruxeval.build_inputs,
            manner=cruxeval.INPUT,
            steps=cruxeval.INPUT_STEPS,
        ),
        _infilling("single-line", "SingleLineInfilling", 1033, line=infilling.LINE),
        _infilling("multi-line", "MultiLineInfilling", 5815),
        _infilling("random-span", "RandomSpanInfilling", 1640),
        _infilling("random-span-light", "RandomSpanInfillingLight", 164),
    )
}


def find(name: str) -> Benchmark:
    """Returns the benchmark called `name`.

    Raises:
        UnknownName: there is none; the message lists those that there are.
    """
    known = ", ".join(BENCHMARKS)
    if name not in BENCHMARKS:
        close = difflib.get_close_matches(name.lower(), BENCHMARKS, n=1)
        raise UnknownName(
            f"no benchmark is called {name!r}; known: {known}",
            hint=f"did you mean {close[0]}?" if close else "choose one of the known names",
        )
    return BENCHMARKS[name]


def load(name: str, home: Home) -> list[Problem]:
    """Returns the problems of benchmark `name`, in the order of its file.

    Raises:
        UnknownName: no such benchmark.
        DataError: its files are missing, broken, or not the ones that are meant.
    """
    benchmark = find(name)
    paths = [home.find(source) for source in benchmark.sources]
    tables = [_rows(path) for path in paths]
    try:
        problems = benchmark.build(tables)
    except KeyError as error:
        raise DataError(
            f"{paths[0]} lacks {error.args[0]!r}: these are not the rows of {benchmark.title}",
            hint="put the benchmark's unmodified files there, or remove them to fetch them again",
        ) from None
    if len(problems) != benchmark.problems:
        raise DataError(
            f"{paths[0]} holds {len(problems)} problems; {benchmark.title} has "
            f"{benchmark.problems}",
            hint="put the benchmark's whole, unmodified files there",
        )
    return problems


def names(task: str) -> tuple[str, ...]:
    """Returns the ways to write a task id, in lower case: `Mbpp/11` is `mbpp/11` and `11`.

    The short one begins at the first part that has a digit in it.
    """
    full = task.lower()
    parts = full.split("/")
    while len(parts) > 1 and not any(character.isdigit() for character in parts[0]):
        del parts[0]
    return full, "/".join(parts).removeprefix("sample_")


def select(problems: Sequence[Problem], wanted: Sequence[str]) -> list[Problem]:
    """Returns the problems that `wanted` names, in the benchmark's order.

    Raises:
        UnknownName: a name is none of theirs.
    """
    known = {name: problem.id for problem in problems for name in names(problem.id)}
    for name in wanted:
        if name.lower() not in known:
            raise UnknownName(
                f"no problem is called {name!r}",
                hint=f"they are called {problems[0].id} to {problems[-1].id}, or by number",
            )
    kept = {known[name.lower()] for name in wanted}
    return [problem for problem in problems if problem.id in kept]


def prompts_without_examples(home: Home) -> dict[str, str]:
    """Returns prompt -> task id for HumanEval's prompts without their docstring examples.

    Raises:
        DataError: the file is missing or broken.
    """
    return {row["prompt"]: row["task_id"] for row in _rows(home.find(CODET_PROMPTS))}


def test_prompts(home: Home) -> dict[str, str]:
    """Returns prompt -> task id for the prompts with which tests for HumanEval were asked.

    Raises:
        DataError: the file is missing or broken.
    """
    return {row["prompt"]: row["task_id"] for row in _rows(home.find(CODET_TEST_PROMPTS))}


def _rows(path: Path) -> Rows:
    """Returns the rows of a JSONL file, or of a JSON file that holds one list."""
    if ".jsonl" in path.name:
        return [row for _, row in read_rows(path)]
    try:
        rows = json.loads(read_bytes(path))
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error})") from None
    if not isinstance(rows, list):
        raise DataError(f"{path} does not hold a list of problems")
    return rows
