"""Choosing among candidates: each method against an obvious reference, and under attack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.types.behaviour import Call
from codewright.types.judging import CallPair
from codewright.verify.case import in_scope
from codewright.verify.select import FEATURES, METHODS, features, offered, select
from tests.reference.codet import ranked
from tests.verify.made import made, outcome

DOUBLE, PLUS, SQUARE, DEAD = "2 * x", "x + 2", "x * x", "x.nothing"
INPUTS = [(number,) for number in range(6)]
TWICE = CallPair(args=(3,), expected=6)


def test_each_method_on_candidates_that_all_disagree_about() -> None:
    programs = [DEAD, SQUARE, PLUS, PLUS, PLUS, DOUBLE, DOUBLE, DEAD, DEAD, DEAD, DEAD]
    tests = ["assert f(3) == 6", "assert f(3) == 6", "assert f(5) == 10", "assert f(5) == 25"]
    case = made(programs, INPUTS, examples=[TWICE], tests=tests)
    assert case.classes[0] == (0, 7, 8, 9, 10)
    assert [set(members) for members in offered(case)] == [{2, 3, 4}, {5, 6}, {1}]
    assert select(case, "first")[0].members == (1,)
    assert select(case, "majority")[0].members == (2, 3, 4)
    assert select(case, "dual")[0].members == (5, 6)
    assert select(case, "examples")[0].members == (5, 6)
    assert select(case, "best", [0.1, 0.2, 0.7])[0].members == (1,)
    for method in METHODS:
        groups = select(case, method, [0.3, 0.3, 0.1])
        rows = [row for group in groups for row in group.members]
        assert len(set(rows)) == len(rows)
        assert all(case.live[row] for row in rows)
        assert [group.score for group in groups] == sorted((g.score for g in groups), reverse=True)
    assert select(case, "best", [0.3, 0.3, 0.1])[0].members == (2, 3, 4, 5, 6)


def test_nothing_to_choose_from() -> None:
    dead = made([DEAD, DEAD], INPUTS)
    assert all(select(dead, method, []) == [] for method in METHODS)
    assert features(dead).shape == (0, len(FEATURES))
    untested = made([DOUBLE, PLUS], INPUTS)
    assert select(untested, "dual")[0].members == (0, 1)
    # No example: most of none is what all satisfy.
    assert select(untested, "examples")[0].members == (0, 1)
    with pytest.raises(AssertionError):
        select(untested, "best")


@given(
    st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=9),
    st.lists(st.integers(1, 4), min_size=4, max_size=4),
)
def test_dual_is_the_published_method(passes: list[list[bool]], counts: list[int]) -> None:
    case = made([DOUBLE] * len(passes), [(1,)])
    case = replace(
        case,
        passes=np.array(passes, dtype=bool),
        counts=np.array(counts, dtype=float),
    )
    groups = [set(group.members) for group in select(case, "dual")]
    expected = ranked(passes, counts)
    assert groups == (expected or [set(range(len(passes)))])


def test_features_say_what_they_claim() -> None:
    case = made(
        [DOUBLE, DOUBLE, PLUS, SQUARE], INPUTS, examples=[TWICE],
        tests=["assert f(3) == 6", "assert f(4) == 8", "assert f(4) == 6"],
    )  # fmt: skip
    table = features(case)
    rows = {case.classes[0]: 0}
    assert offered(case)[0] == (0, 1) == next(iter(rows))
    named = dict(zip(FEATURES, table[0], strict=True))
    assert named["mass"] == pytest.approx(np.log(0.5))
    assert named["tests"] == pytest.approx(2 / 3)
    assert named["dual"] == pytest.approx(np.log1p(100 * np.sqrt(0.5) * 2 / 3))
    assert named["values"] == pytest.approx(1.0)
    assert named["held"] == named["all_held"] == named["any_held"] == 1.0
    assert named["n"] == pytest.approx(np.log(4))
    blind = dict(zip(FEATURES, features(case.without_examples().without_tests())[0], strict=True))
    assert (blind["held"], blind["all_held"], blind["tests"], blind["dual"]) == (0.5, 0, 0, 0)
    part = case.subset([0, 2, 3])
    assert part.n == 3
    assert part.classes == ((0,), (1,), (2,))
    assert features(part).shape == (3, len(FEATURES))


def test_calls_that_the_function_is_not_for_are_left_out() -> None:
    good = [lambda x: 10 // x, lambda x: 10 // x, lambda x: x]
    calls = [Call(args=(0,)), Call(args=(1,)), Call(args=("a",), source="example")]
    observed = [[outcome(function, call.args) for call in calls] for function in good]
    assert in_scope(observed, [False, False, True]) == [1, 2]
    assert in_scope(observed, [False, False, False]) == [1]
    assert in_scope([[outcome(lambda x: x.no, c.args) for c in calls]], [False] * 3) == [0, 1, 2]
    assert in_scope([], [False] * 3) == [0, 1, 2]
