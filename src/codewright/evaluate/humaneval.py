"""Rows of HumanEval (Chen et al. 2021) and HumanEval+ (Liu et al. 2023) as problems.

A test of HumanEval is a function `check(candidate)`. What the prompt defines besides the entry
point (`poly` of task 32, `encode_cyclic` of 38, `encode_shift` of 50, the imports) is given to the
tests as a trusted preamble, so that a program cannot pass by redefining it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codewright.types.judging import AssertTests, Problem
from codewright.write.source import helpers

FIND_ZERO = "HumanEval/32"
"""Any root of the polynomial is right, so outputs cannot be compared with recorded ones."""

_ROOTS = """
import copy

def check(candidate):
    for xs, in inputs:
        root = candidate(copy.deepcopy(xs))
        assert abs(poly(xs, root)) <= {tolerance}, f"poly(xs, root) is not zero for xs = {{xs}}"

inputs = {inputs}
"""


def build(tables: Sequence[list[dict[str, Any]]]) -> list[Problem]:
    """Returns the problems of the one table of HumanEval's rows.

    Raises:
        KeyError: a row lacks a column.
    """
    (rows,) = tables
    return [_problem(row, row["test"]) for row in rows]


def build_plus(tables: Sequence[list[dict[str, Any]]]) -> list[Problem]:
    """Returns HumanEval+'s problems from its rows in HumanEval's format and its rows of inputs.

    The former carry runnable tests, except that task 32's raises for every program: its test
    unpacks the number that the program returns. It is replaced by evaluating the polynomial at
    the returned root, on the same inputs and within the same tolerance.

    Raises:
        KeyError: a row lacks a column.
    """
    rows, inputs = tables
    plus = {row["task_id"]: row for row in inputs}
    problems = []
    for row in rows:
        test = row["test"]
        if row["task_id"] == FIND_ZERO:
            wide = plus[FIND_ZERO]
            test = _ROOTS.format(
                tolerance=wide["atol"], inputs=repr(wide["base_input"] + wide["plus_input"])
            )
        problems.append(_problem(row, test))
    return problems


def _problem(row: dict[str, Any], test: str) -> Problem:
    prompt, entry_point = row["prompt"], row["entry_point"]
    return Problem(
        id=row["task_id"],
        prompt=prompt,
        entry_point=entry_point,
        tests=AssertTests(
            code=f"{test}\ncheck({entry_point})\n", preamble=helpers(prompt, entry_point)
        ),
        reference=prompt + row["canonical_solution"],
    )
