"""Shrinking: the plainest call that still has what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.types.behaviour import Call
from codewright.verify.shrink import plainness, shrink, simpler
from tests.verify.test_hints import VALUES


def shrunk(holds: Callable[..., bool], *args: Any, rounds: int = 60) -> tuple[Any, ...]:
    def many(calls: Sequence[Call]) -> list[bool]:
        return [holds(*call.args) for call in calls]

    return shrink(Call(args=args, source="test"), many, rounds=rounds).args


@pytest.mark.parametrize(
    ("holds", "args", "plainest"),
    [
        (lambda xs: len(xs) > 1, ([9, -4, 7, 3],), ([0, 0],)),
        (lambda xs: any(x > 3 for x in xs), ([9, -4, 77, 3],), ([4],)),
        (lambda xs: len(set(xs)) < len(xs), ([9, -4, 9],), ([0, 0],)),
        (lambda n: n > 10, (97,), (11,)),
        (lambda n: n < 0, (-97,), (-1,)),
        (lambda n: abs(n) > 5, (-97,), (6,)),
        (lambda x: x > 0.5, (3.75,), (1.0,)),
        (lambda s: "x" in s, ("hexagon",), ("x",)),
        (lambda s: len(s) == 3, ("Q-7",), ("aa0",)),
        (lambda s: any(c.isdigit() for c in s), ("Q-7",), ("0",)),
        (lambda d: "k" in d, ({"k": 5, "m": 6},), ({"k": 0},)),
        (lambda t: t[0] > 1, ((7, "abc"),), ((2, ""),)),
        (lambda s: 3 in s, ({3, 5, 8},), ({3},)),
        (lambda xs, k: len(xs) > k, ([4, 5, 6], 2), ([0], 0)),
        (lambda b: True, (True,), (False,)),
        (lambda x: False, ([1, 2],), ([1, 2],)),
        (lambda x: True, (None, [[3], "a", {"b": 1.5}]), (None, [])),
    ],
)  # fmt: skip
def test_the_plainest_is_found(holds: Callable[..., bool], args: Any, plainest: Any):
    if len(args) == 2 and args[0] is None:
        assert shrunk(lambda *_: True, *args) == plainest
        return
    assert shrunk(holds, *args) == plainest
    assert [type(value) for value in shrunk(holds, *args)] == [type(value) for value in args]


@given(st.lists(VALUES, max_size=2).map(tuple), st.integers(0, 6))
def test_laws(args: tuple[Any, ...], modulus: int):
    call = Call(args=args, source="test")
    before = repr(call)
    asked: list[int] = []

    def holds(one: Call) -> bool:
        return one is call or len(repr(one.args)) % 7 != modulus

    def many(calls: Sequence[Call]) -> list[bool]:
        asked.append(len(calls))
        return [holds(one) for one in calls]

    best = shrink(call, many, rounds=5, batch=20)
    assert holds(best)
    assert best is call or plainness(best) < plainness(call)
    assert repr(call) == before
    assert len(asked) <= 5
    assert max(asked, default=0) <= 20
    assert len(best.args) == len(args)
    assert [type(value) for value in best.args] == [type(value) for value in args]
    assert repr(shrink(call, many, rounds=5, batch=20)) == repr(best)


def test_plain_is_short_then_near_zero():
    def plain_last(values: list[Any]) -> list[Any]:
        return sorted(values, key=lambda value: plainness(Call(args=(value,))))[::-1]

    for rows in (["aa", "-", "0", "A", "b", "a", ""], [-10, 10, 2.5, 2, -1, 1, 0]):
        assert plain_last(rows) == rows
    assert plainness(Call(args=(float("inf"),))) > plainness(Call(args=(1e299,)))
    assert plainness(Call(args=([],), kwargs={"a": 1})) < plainness(
        Call(args=([0],), kwargs={"a": 1})
    )
    for value in (None, float("nan"), float("-inf"), b"x", "é", 10**400, ""):
        assert all(type(other) is type(value) for other in simpler(value))
