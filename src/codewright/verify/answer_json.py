"""An answer as JSON-ready data, with everything that the report says and more.

A value stands there as Python source text (`text`, cut where it is long) and, where JSON says
exactly the same, as itself (`value`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codewright.types.behaviour import BehaviourClass, Call, Outcome, Question
from codewright.types.judging import Candidate
from codewright.verify.contrast import contrast
from codewright.verify.report import Report
from codewright.verify.show import call_text, class_name, exact_json, outcome_text, value_text

TEXT = 500
"""Characters of a value's text."""
_PROGRAM = 100_000


def answer_json(report: Report) -> dict[str, Any]:
    """Returns the report of an answer.

    `classes` stand as in the answer; their `outcomes` are in the order of `calls`. `separating`
    are the numbers of the calls that tell the heaviest classes apart, the most telling first.
    """
    answer = report.answer
    return {
        "state": answer.state,
        "confidence": answer.confidence,
        "entropy": answer.entropy,
        "probability_entropy": answer.probability_entropy,
        "text_entropy": answer.text_entropy,
        "method": answer.method,
        "entry_point": answer.entry_point,
        "chosen": answer.chosen,
        "program": answer.program,
        "candidates": answer.candidates,
        "examples": answer.examples,
        "question": _question(answer.question, answer.entry_point),
        "findings": list(answer.findings),
        "classes": [
            _class(number, each, report.candidates) for number, each in enumerate(answer.classes)
        ],
        "calls": [_call(call, answer.entry_point) for call in answer.calls],
        "separating": list(contrast(answer, classes=8, rows=12).rows),
        "specification": report.specification,
        "facts": dict(report.facts),
    }


def _class(number: int, each: BehaviourClass, candidates: Sequence[Candidate]) -> dict[str, Any]:
    return {
        "name": class_name(number),
        "mass": each.mass,
        "probability_mass": each.probability_mass,
        "score": each.score,
        "examples_held": each.examples_held,
        "members": list(each.members),
        "representative": each.representative,
        "programs": _programs(each, candidates),
        "outcomes": [_outcome(outcome) for outcome in each.outcomes],
    }


def _programs(each: BehaviourClass, candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """The distinct programs of a class, the representative's first, and who wrote each."""
    members: dict[str, list[int]] = {candidates[each.representative].program: []}
    for number in each.members:
        members.setdefault(candidates[number].program, []).append(number)
    return [
        {"program": program[:_PROGRAM], "members": numbers, "rule": candidates[numbers[0]].rule}
        for program, numbers in members.items()
    ]


def _call(call: Call, entry_point: str) -> dict[str, Any]:
    told: dict[str, Any] = {"text": call_text(call, entry_point, TEXT), "source": call.source}
    exact, args = exact_json(list(call.args))
    named, kwargs = exact_json(dict(call.kwargs))
    if exact and named:
        told |= {"args": args, "kwargs": kwargs}
    return told


def _value(value: Any) -> dict[str, Any]:
    exact, said = exact_json(value)
    return {"text": value_text(value, TEXT), **({"value": said} if exact else {})}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": outcome.kind, "text": outcome_text(outcome, TEXT)}
    if outcome.kind == "value":
        told["returned"] = _value(outcome.value)
    if outcome.exception:
        told |= {"exception": outcome.exception[:200], "loading": outcome.loading}
    if outcome.changed:
        told["changed"] = [
            {"argument": place, **_value(value)} for place, value in outcome.changed[:20]
        ]
    if outcome.output:
        told["output"] = outcome.output[:TEXT]
    return told


def _question(question: Question | None, entry_point: str) -> dict[str, Any] | None:
    if question is None:
        return None
    return {
        "call": _call(question.call, entry_point),
        "choices": [
            {"name": class_name(number), "class": number, **_outcome(outcome)}
            for number, outcome in zip(question.classes, question.choices, strict=True)
        ],
    }
