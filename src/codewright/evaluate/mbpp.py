"""Rows of MBPP (Austin et al. 2021), its sanitized part, and MBPP+ (Liu et al. 2023) as problems.

Problems are called `Mbpp/N` in all three, as MBPP+ calls them. The prompt is the task in a
docstring followed by its asserts, as base models are usually asked. The score counts `test_list`;
the challenge tests are left out, as in the paper.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from codewright.types.judging import AssertTests, Problem
from codewright.write.source import parse


def build(tables: Sequence[list[dict[str, Any]]]) -> list[Problem]:
    """Returns the problems of the one table of MBPP's rows.

    Raises:
        KeyError: a row lacks a column.
    """
    (rows,) = tables
    return [_problem(row, row["text"], row["test_setup_code"]) for row in rows]


def build_sanitized(tables: Sequence[list[dict[str, Any]]]) -> list[Problem]:
    """Returns the problems of the one table of sanitized MBPP's rows.

    Raises:
        KeyError: a row lacks a column.
    """
    (rows,) = tables
    return [_problem(row, row["prompt"], "\n".join(row["test_imports"])) for row in rows]


def build_plus(tables: Sequence[list[dict[str, Any]]]) -> list[Problem]:
    """Returns MBPP+'s problems: prompts and ids of its rows, tests of the same in MBPP's format.

    Raises:
        KeyError: a row lacks a column, or a problem has no row in MBPP's format.
    """
    rows, formatted = tables
    tests = {str(row["task_id"]): row["test"] for row in formatted}
    return [
        Problem(
            id=row["task_id"],
            prompt=row["prompt"],
            entry_point=row["entry_point"],
            tests=AssertTests(code=tests[row["task_id"].partition("/")[2]]),
            reference=row["prompt"] + row["canonical_solution"],
        )
        for row in rows
    ]


def _problem(row: dict[str, Any], text: str, setup: str) -> Problem:
    reference = _lines(row["code"])
    asserts = [test.strip() for test in row["test_list"]]
    shown = "\n".join([text.strip(), *asserts])
    return Problem(
        id=f"Mbpp/{row['task_id']}",
        prompt=f'"""\n{shown}\n"""\n',
        entry_point=entry_point(reference, asserts),
        tests=AssertTests(code="\n".join([_lines(setup), *asserts]).lstrip() + "\n"),
        reference=reference,
    )


def _lines(code: str) -> str:
    """Returns `code` with the line ends that the rest of the world uses."""
    return code.replace("\r\n", "\n").replace("\r", "\n")


def entry_point(reference: str, asserts: Sequence[str]) -> str:
    """Returns the function that the tests ask for: the first that they call of those defined.

    MBPP does not name it. Empty where no assert calls a function of the reference.
    """
    body = tree.body if (tree := parse(reference)) else []
    defined = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    for test in asserts:
        called = [
            (node.lineno, node.col_offset, node.func.id)
            for node in ast.walk(parse(test) or ast.Module(body=[], type_ignores=[]))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in defined
        ]
        if called:
            return min(called)[2]
    return ""
