"""The work that every judge gets: programs that CodeGen-16B wrote for HumanEval.

From the benchmark data, unmodified: `codet` holds 100 samples for each prompt, HumanEval the tests,
HumanEval+ the inputs of evalplus's base tests. A program is the prompt and the completion, cut at
the first of the stop sequences with which the published figures were made.
"""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
_SAMPLES = "codet/HumanEval_codegen16B_temp0.8_topp0.95_num100_max300_code_solution.jsonl.gz"
_PROMPTS = "codet/HumanEval_for_code_generation.jsonl.gz"
_TESTS = "humaneval/HumanEval.jsonl.gz"
_PLUS = "humanevalplus/HumanEvalPlus.jsonl.gz"
_ROOT = Path(__file__).resolve().parents[2]


class NoData(Exception):
    """The benchmark data is not on this machine; the argument says where it was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One program. `id` is the task and the sample's number: HumanEval/0#3."""

    id: str
    task: str
    prompt: str
    completion: str

    @property
    def program(self) -> str:
        """The whole text."""
        return self.prompt + self.completion


def data_folder() -> Path:
    """The folder that CODEWRIGHT_DATA names, or `../shared/data` beside the checkout.

    Raises:
        NoData: it does not hold the files.
    """
    folder = Path(os.environ.get("CODEWRIGHT_DATA") or _ROOT.parent / "shared" / "data")
    for name in (_SAMPLES, _PROMPTS, _TESTS, _PLUS):
        if not (folder / name).is_file():
            raise NoData(f"{folder / name} does not exist")
    return folder


def _rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load_tests(folder: Path) -> dict[str, dict[str, Any]]:
    """HumanEval's rows by task."""
    return {row["task_id"]: row for row in _rows(folder / _TESTS)}


def load_plus(folder: Path) -> dict[str, dict[str, Any]]:
    """HumanEval+'s rows by task."""
    return {row["task_id"]: row for row in _rows(folder / _PLUS)}


def cut(completion: str) -> str:
    """A completion up to the first stop sequence."""
    ends = [at for stop in STOPS if (at := completion.find(stop)) >= 0]
    return completion[: min(ends)] if ends else completion


def load_samples(folder: Path, each: int) -> list[Sample]:
    """The first `each` samples of every problem, problem by problem."""
    tasks = {row["prompt"]: row["task_id"] for row in _rows(folder / _PROMPTS)}
    return [
        Sample(
            id=f"{tasks[row['prompt']]}#{number}",
            task=tasks[row["prompt"]],
            prompt=row["prompt"],
            completion=cut(text),
        )
        for row in _rows(folder / _SAMPLES)
        for number, text in enumerate(row["samples"][:each])
    ]
