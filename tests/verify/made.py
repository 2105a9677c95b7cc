"""Cases out of small programs that are run here, for the tests of choosing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from codewright.sandbox.values import Packer
from codewright.types.behaviour import Call, Outcome
from codewright.types.judging import CallPair, Candidate
from codewright.verify.asserts import parse_test
from codewright.verify.behaviour import labels
from codewright.verify.case import Case, case, in_scope

PACK = Packer(lambda _: 0).text


def outcome(function: Any, args: tuple[Any, ...]) -> Outcome:
    """What a trusted function does."""
    try:
        value = function(*args)
    except Exception as error:
        name = type(error).__name__
        return Outcome(kind="exception", exception=name, wire=f"x{name}".encode())
    return Outcome(kind="value", value=value, wire=PACK(value))


def made(
    programs: Sequence[str],
    inputs: Sequence[tuple[Any, ...]],
    *,
    examples: Sequence[CallPair] = (),
    tests: Sequence[str] = (),
    log_probabilities: Sequence[float] | None = None,
) -> Case:
    """The case of programs that are expressions of x, or "raise"."""
    functions = [eval(f"lambda x: {text}") for text in programs]
    bodies = [f"def f(x):\n    return {text}\n" for text in programs]
    calls = [Call(args=args) for args in inputs]
    parsed = {text: test for text in tests if (test := parse_test(text, "f")) is not None}
    asked = [call for test in parsed.values() for call in test.calls]
    asked += [Call(args=pair.args, source="example") for pair in examples]
    calls += [call for call in asked if call.args not in {c.args for c in calls}]
    observed = [[outcome(function, call.args) for call in calls] for function in functions]
    known = log_probabilities or [None] * len(programs)
    return case(
        [
            Candidate(text=body, program=body, log_probability=log, tokens=4)
            for body, log in zip(bodies, known, strict=True)
        ],
        "f",
        calls,
        observed,
        labels(observed),
        scope=in_scope(observed, [call.source == "example" for call in calls]),
        examples=examples,
        tests=parsed,
        counts=Counter(tests),
    )
