"""Answers made by hand, for tests of what is told about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from codewright.types.behaviour import Answer, BehaviourClass, Call, Outcome, Question
from codewright.types.judging import Candidate
from codewright.verify.report import Report

POSITIONS = """\
from itertools import combinations


def zero_triple(numbers):
    return any(sum(three) == 0 for three in combinations(numbers, 3))
"""
VALUES = """\
from itertools import combinations


def zero_triple(numbers):
    # Equal numbers count once.
    return any(sum(three) == 0 for three in combinations(set(numbers), 3))
"""
BROKEN = "def zero_triple(numbers:\n    return False\n"


def value(said: Any) -> Outcome:
    return Outcome(kind="value", value=said, wire=repr(said).encode())


def raised(name: str, *, loading: bool = False) -> Outcome:
    return Outcome(kind="exception", exception=name, loading=loading, wire=name.encode())


def ended(kind: Any) -> Outcome:
    return Outcome(kind=kind, wire=str(kind).encode())


def candidate(program: str) -> Candidate:
    return Candidate(text=f"```python\n{program}```", program=program, rule="block")


def report(
    groups: Sequence[tuple[str, int, Sequence[Outcome]]],
    calls: Sequence[Call],
    *,
    question: bool = False,
    **changes: Any,
) -> Report:
    """Returns the report of an answer whose classes are (program, members, outcomes)."""
    candidates: list[Candidate] = []
    classes = []
    total = sum(count for _, count, _ in groups)
    for program, count, outcomes in groups:
        members = tuple(range(len(candidates), len(candidates) + count))
        candidates += [candidate(program)] * count
        classes.append(
            BehaviourClass(
                members=members,
                representative=members[0],
                outcomes=tuple(outcomes),
                mass=count / total,
            )
        )
    asked = None
    if question:
        asked = Question(
            call=calls[0],
            classes=(0, 1),
            choices=(classes[0].outcomes[0], classes[1].outcomes[0]),
        )
    settings: dict[str, Any] = {
        "chosen": 0 if groups else None,
        "program": groups[0][0] if groups else "",
        "entry_point": "zero_triple",
        "state": "uncertain",
        "confidence": 0.62,
        "entropy": 1.16,
        "probability_entropy": None,
        "text_entropy": 3.2,
        "classes": tuple(classes),
        "calls": tuple(calls),
        "candidates": total,
        "question": asked,
        "findings": ("3 examples were read from the prompt",),
    }
    return Report(
        answer=Answer(**{**settings, **changes}),
        candidates=candidates,
        specification="Is there a triple that sums to zero?",
        facts={"model": "scripted/demo", "isolation": "namespaces, seccomp"},
    )


def usual(**changes: Any) -> Report:
    """Distinct positions or distinct values, and a program that does not parse."""
    calls = [
        Call(args=([0, 0, 0],), source="boundary"),
        Call(args=([1, -1, 0],), source="hint"),
        Call(args=([],), source="boundary"),
        Call(args=([2, -4, 2, 7],), source="mutation"),
    ]
    said = {"question": True, **changes}
    return report(
        [
            (POSITIONS, 11, [value(True), value(True), value(False), value(True)]),
            (VALUES, 7, [value(False), value(True), value(False), value(False)]),
            (BROKEN, 2, [raised("SyntaxError", loading=True)] * 4),
        ],
        calls,
        **said,
    )


def plain_json(value: Any) -> Any:
    """Returns `value` after a journey through strict JSON."""
    return json.loads(json.dumps(value, allow_nan=False))
