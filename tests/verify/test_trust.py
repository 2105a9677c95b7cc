"""Learned weights: they find what is right, say how sure they are, and survive a round trip."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from codewright.errors import DataError
from codewright.types.judging import CallPair
from codewright.verify.case import Case
from codewright.verify.metrics import auroc
from codewright.verify.select import offered, select
from codewright.verify.trust import KINDS, Trust, kind_of, shipped
from tests.verify.made import made

INPUTS = [(number,) for number in range(5)]


def problem(rng: random.Random) -> tuple[Case, list[bool]]:
    """A task to double a number: the more candidates agree on it, the likelier they are right."""
    wrong = [f"{k} * x + {d}" for k in range(1, 4) for d in range(1, 4)] + ["x.no", "-x", "x * x"]
    skill = rng.random()
    programs = ["2 * x" if rng.random() < skill else rng.choice(wrong) for _ in range(12)]
    tests = [
        f"assert f({n}) == {2 * n if rng.random() < skill else n}"
        for n in (rng.randrange(5) for _ in range(6))
    ]
    case = made(programs, INPUTS, examples=[CallPair(args=(3,), expected=6)], tests=tests)
    return case, [program == "2 * x" for program in programs]


@pytest.fixture(scope="module")
def learned() -> tuple[Trust, list[tuple[Case, list[bool]]]]:
    rng = random.Random(0)
    problems = [problem(rng) for _ in range(80)]
    train, test = problems[:50], problems[50:]
    return Trust.fit([case for case, _ in train], [truth for _, truth in train]), test


def test_weights_find_what_is_right(learned: tuple[Trust, list[tuple[Case, list[bool]]]]) -> None:
    trust, held_out = learned
    right = {"majority": 0, "best": 0}
    sure, correct = [], []
    for case, truth in held_out:
        blind = case.without_examples()
        chances = trust.probabilities(blind)
        assert len(chances) == len(offered(blind))
        assert 0 <= chances.sum() <= 1 + 1e-9
        for method in right:
            group = select(blind, method, list(chances))[0]
            right[method] += truth[group.members[0]]
        chosen = select(blind, "best", list(chances))[0].members
        sure.append(trust.confidence(blind, chosen))
        correct.append(truth[chosen[0]])
    assert right["best"] >= right["majority"]
    assert right["best"] > len(held_out) / 2
    assert auroc(np.array(sure), np.array(correct)) > 0.7
    # An example that only the right class satisfies decides.
    shown = [
        truth[select(case, "best", list(trust.probabilities(case)))[0].members[0]]
        for case, truth in held_out
        if any(truth)
    ]
    assert all(shown)


def test_each_kind_of_evidence_has_its_own_weights(
    learned: tuple[Trust, list[tuple[Case, list[bool]]]],
) -> None:
    trust, ((case, _), *_) = learned
    kinds = [case.without_tests().without_examples(), case.without_examples(),
             case.without_tests(), case]  # fmt: skip
    assert [kind_of(each) for each in kinds] == list(KINDS)
    for each in kinds:
        members = offered(each)[0]
        assert 0 <= trust.confidence(each, members) <= 1
        assert trust.confidence(each, []) <= trust.confidence(each, members)
        assert trust.state(each, 1.0) == "confident"
        assert trust.state(each, 0.0) == "abstain"
        line = trust.models[kind_of(each)].confident
        assert trust.state(each, (line + trust.abstain) / 2) == "uncertain"


def test_a_round_trip_changes_nothing(
    learned: tuple[Trust, list[tuple[Case, list[bool]]]],
) -> None:
    trust, held_out = learned
    again = Trust.from_dict(json.loads(json.dumps(trust.to_dict())))
    for case, _ in held_out[:5]:
        assert np.array_equal(trust.probabilities(case), again.probabilities(case))
        members = offered(case)[0]
        assert trust.confidence(case, members) == again.confidence(case, members)
    for broken in ({}, {**trust.to_dict(), "more": 1}, {**trust.to_dict(), "models": {"both": {}}}):
        with pytest.raises(DataError):
            Trust.from_dict(broken)


def test_the_shipped_weights_are_whole() -> None:
    trust = shipped()
    assert set(trust.models) == set(KINDS)
    assert all(0 < trust.abstain < model.confident <= 1 for model in trust.models.values())
    agreed = made(["2 * x"] * 9 + ["x + 2"], INPUTS, tests=["assert f(3) == 6"] * 3)
    divided = made([f"{k} * x" for k in range(10)], INPUTS, tests=["assert f(3) == 100"])
    one, other = (
        trust.confidence(case, select(case, "best", list(trust.probabilities(case)))[0].members)
        for case in (agreed, divided)
    )
    assert one > 2 * other
