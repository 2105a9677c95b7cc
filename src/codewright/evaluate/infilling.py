"""Rows of HumanEval-Infilling (Bavarian et al. 2022) as problems: a program with a gap to fill.

A program is the prompt, what the model said, and the suffix; nothing is added, cut or indented, as
in the benchmark's own evaluation: a model has to end by itself. `LINE` takes the first line alone,
as users of an editor would, and as later papers do (Li et al. 2023, "StarCoder"): it asks for no
more, and reads recorded samples in the same way.

The four parts differ in the gap: one line of the solution, several, or a span between any two
characters (ten of each program; light: one, its prompt and suffix with a line break around them).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from codewright.evaluate.manner import Manner, Reader
from codewright.types.judging import AssertTests, Problem
from codewright.write.extract import Form
from codewright.write.source import helpers


def build(tables: Sequence[list[dict[str, Any]]]) -> list[Problem]:
    """Returns the problems of the one table.

    Raises:
        KeyError: a row lacks a column.
    """
    (rows,) = tables
    return [_problem(row) for row in rows]


def _problem(row: dict[str, Any]) -> Problem:
    prompt, suffix, entry_point = row["prompt"], row["suffix"], row["entry_point"]
    reference = prompt + row["canonical_solution"] + suffix
    return Problem(
        id=row["task_id"],
        prompt=prompt,
        suffix=suffix,
        entry_point=entry_point,
        tests=AssertTests(
            code=f"{row['test']}\ncheck({entry_point})\n",
            preamble=helpers(reference, entry_point),
        ),
        reference=reference,
    )


def _no_words(problem: Problem) -> str:
    raise AssertionError("a gap is filled, not asked for in words")


def _manner(stops: tuple[str, ...], rule: str, take: Callable[[str], str]) -> Manner:
    def reader(problem: Problem, prompt: str) -> Reader:
        def whole(text: str, form: Form) -> tuple[str, str]:
            if form == "solution":
                return text, "as is"
            return prompt + take(text) + (problem.suffix or ""), rule

        return whole

    return Manner(
        words=_no_words,
        prompt=lambda problem: problem.prompt,
        stops=lambda problem: stops,
        reader=reader,
    )


def _first_line(text: str) -> str:
    """Returns the first line of `text`, with the line break that the suffix stands behind."""
    return text.partition("\n")[0] + "\n"


GAP = _manner((), "filled", lambda text: text)
LINE = _manner(("\n",), "filled, first line", _first_line)
