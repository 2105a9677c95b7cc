"""Small problems and candidates that the tests of `evaluate` share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codewright.evaluate.fetch import Home
from codewright.types.judging import AssertTests, Candidate, Problem

PROMPT = 'from math import floor\n\n\ndef half(x):\n    """Return half of x."""\n'

RIGHT = f"{PROMPT}    return x / 2\n"
WRONG = f"{PROMPT}    return x / 3\n"
BROKEN = f"{PROMPT}    return x /\n"
RAISES = f"{PROMPT}    raise KeyError(x)\n"


def problem(number: int, *, reference: str = RIGHT) -> Problem:
    """Returns a problem that asks for half of a number; each has tests of its own."""
    return Problem(
        id=f"Made/{number}",
        prompt=PROMPT,
        entry_point="half",
        tests=AssertTests(code=f"assert half({number}) == {number} / 2\nassert half(3) == 1.5\n"),
        reference=reference,
    )


def candidate(program: str, rule: str = "whole") -> Candidate:
    return Candidate(text=program, program=program, rule=rule)


def home() -> Home:
    """Returns the place of the benchmark data, or skips the test that wants it."""
    folder = os.environ.get("CODEWRIGHT_DATA")
    if not folder:
        pytest.skip("CODEWRIGHT_DATA names no folder with benchmark data")
    return Home(folder=Path(folder), cache=Path(folder), offline=True)
