"""The samples that CodeGen wrote for HumanEval, cut as their readme says, and the problems."""

from __future__ import annotations

import ast
import functools
import gzip
import json
import os
import warnings
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CODEWRIGHT_DATA", ROOT / "../shared/data"))
SAMPLES = "codet/HumanEval_codegen16B_temp0.8_topp0.95_num100_max300_code_solution.jsonl.gz"
STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")

needs_data = pytest.mark.skipif(
    not (DATA / SAMPLES).exists(), reason="CODEWRIGHT_DATA names no folder with codet"
)


def rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / name, "rt") as lines:
        return [json.loads(line) for line in lines]


@functools.cache
def problems_by_prompt() -> dict[str, dict[str, Any]]:
    """Prompt without examples -> problem."""
    return {row["prompt"]: row for row in rows("codet/HumanEval_for_code_generation.jsonl.gz")}


@functools.cache
def samples() -> tuple[dict[str, ast.Module], dict[str, dict[str, Any]], int]:
    """(distinct program that parses -> tree, program -> problem, how many do not parse)."""
    trees: dict[str, ast.Module] = {}
    owner: dict[str, dict[str, Any]] = {}
    broken: set[str] = set()
    for row in rows(SAMPLES):
        for sample in row["samples"]:
            ends = [at for stop in STOPS if (at := sample.find(stop)) >= 0]
            program = row["prompt"] + sample[: min(ends, default=len(sample))]
            if program in owner or program in broken:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    trees[program] = ast.parse(program)
                except (SyntaxError, ValueError):
                    broken.add(program)
                else:
                    owner[program] = problems_by_prompt()[row["prompt"]]
    return trees, owner, len(broken)
