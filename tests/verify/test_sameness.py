"""Values that anybody may have made: hashed, compared and chained without failing on one."""

from __future__ import annotations

import collections
import decimal
import fractions
import itertools
import math
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.sandbox.compare import values_match
from codewright.sandbox.unpack import TooSlow, Unpacker
from codewright.sandbox.values import Packer, Reference
from codewright.sandbox.wire import WireError
from codewright.types.behaviour import Outcome
from codewright.verify.behaviour import labels
from codewright.verify.sameness import MOST_DEEP, chained, is_deep, key, numbers, shape
from tests.verify.attackers import MODULUS

PACK = Packer(lambda _: 0).text


def column(*values: Any) -> list[int]:
    """The labels of values that were returned from one call."""
    outcomes = [Outcome(kind="value", value=v, wire=b"%d" % n) for n, v in enumerate(values)]
    found: list[int] = labels([[outcome] for outcome in outcomes])[:, 0].tolist()
    return found


def test_no_value_is_too_odd_to_be_compared() -> None:
    loud = decimal.Decimal("sNaN")
    assert column(loud, loud, decimal.Decimal("NaN"), math.nan, 1.5) == [0, 0, 0, 0, 1]
    assert column(10**400, 0.5, -(10**400), 10**400) == [0, 1, 2, 0]
    assert column(range(10**5000), range(10**5000), range(0), range(3, 3)) == [0, 0, 1, 1]
    assert column(slice(10**5000), slice(10**5000), slice(1), slice(True)) == [0, 0, 1, 1]
    one, other = (collections.deque([10**5000, last]) for last in (1, 2))
    assert column(one, other, one.copy()) == [0, 1, 0]
    assert column(collections.deque([0.3]), collections.deque([0.1 + 0.2])) == [0, 0]
    assert column({1: 0}.keys(), {True: 5}.keys(), {1: 0}.items(), {1: 5}.items()) == [0, 0, 1, 2]
    assert column({1: 0}.values(), {2: False}.values()) == [0, 0]
    drawn = iter([1, 2])
    assert column(drawn, iter([1.0, 2]), iter([2])) == [0, 0, 1]
    assert list(drawn) == [1, 2]
    assert column(1j, 1.0000000001j, 2j, complex(math.nan, 0), math.nan) == [0, 0, 1, 2, 2]
    assert column(np.float64(0.3), 0.1 + 0.2, np.longdouble(1), np.longdouble(1)) == [0, 0, 1, 2]
    assert column(np.array([0.3]), np.array([0.1 + 0.2]), np.array(["a"])) == [0, 0, 1]
    unfound = [{float("nan"): 0.3}, {float("nan"): 0.1 + 0.2}]
    assert column(*unfound, {1: 0.3}, {1.0: 0.1 + 0.2}) == [0, 1, 2, 2]
    assert column({"a": 0.3, "b": 1}, {"b": 1.0, "a": 0.1 + 0.2}) == [0, 0]
    assert column(Reference(0, "A", "a", None), Reference(1, "A", "a", True)) == [0, 0]


def test_depth_is_no_way_to_fail() -> None:
    for depth in (MOST_DEEP // 2, MOST_DEEP + 1, 450, 990):
        values: list[Any] = [1, True, 1.0, 2]
        for _ in range(depth):
            values = [[value] for value in values]
        outcomes = [Outcome(kind="value", value=v, wire=PACK(0) + b"[" * depth + b"%d" % n)
                    for n, v in enumerate(values)]  # fmt: skip
        found = labels([[outcome] for outcome in outcomes])[:, 0].tolist()
        # What is too deep to be looked into is told apart by its text.
        assert found == ([0, 0, 0, 1] if depth < MOST_DEEP else [0, 1, 2, 3])
        assert is_deep([values[0]]) == (depth >= MOST_DEEP)
    late = Outcome(kind="unstable", value=values[0], wire=b"unstable")
    assert labels([[late], [late]])[:, 0].tolist() == [0, 0]


NUMBERS = st.one_of(
    st.integers(-2, 2),
    st.sampled_from([10**9, 10**9 + 1, 10**9 + 2.0, 2**53, 2**53 + 1, 2.0**53, 10**400, math.inf]),
    st.floats(allow_nan=False, width=16),
    st.sampled_from([0.3, 0.1 + 0.2, 1 + 1e-6, 1 + 2e-6, fractions.Fraction(3, 10), -math.inf]),
    st.sampled_from([decimal.Decimal("0.3"), decimal.Decimal("1"), decimal.Decimal("Infinity")]),
)


@given(st.lists(NUMBERS, min_size=1, max_size=8))
def test_chains_are_those_of_all_pairs(column: list[Any]) -> None:
    root = list(range(len(column)))
    for _ in column:
        for one, other in itertools.combinations(range(len(column)), 2):
            if values_match(column[one], column[other], 1e-6):
                root[one] = root[other] = min(root[one], root[other])
    found = chained(column, 1e-6) or [0] * len(column)
    for one, other in itertools.combinations(range(len(column)), 2):
        assert (found[one] == found[other]) == (root[one] == root[other]), column


def test_many_close_values_cost_no_more_than_each() -> None:
    rows = [[0.5] * 3000 + [float(number)] for number in range(120)]
    began = time.process_time()
    assert column(*rows) == list(range(120))
    assert time.process_time() - began < 5
    assert list(numbers([1, (2, {"a": 3j})], [0, (0, {"a": 0j})])) == [1, 2, 0.0, 3.0]
    assert shape([1, "a"]) == shape([2.5, "a"]) != shape([1, "b"])
    assert key([1, 1.0]) == key([True, 1])


def test_what_no_packer_writes_is_refused() -> None:
    unpack = Unpacker(lambda n: n, lambda reference: reference, str).unpack
    for text in (b'{"h":[0,[],{},true]}', b'{"h":[0,"a","b",[]]}', b'{"h":["0","a","b",true]}',
                 b'{"np":["<f8",[1000000000000,0],""]}', b'{"np":["<f8",[0,1000000000000],""]}',
                 b'{"no":[[1000000000000,0],[]]}'):  # fmt: skip
        with pytest.raises(WireError):
            unpack(text)
    assert unpack(b'{"np":["<f8",[3,0],""]}').tolist() == [[], [], []]
    bomb = PACK({number * MODULUS for number in range(200)})
    with pytest.raises(TooSlow):
        unpack(bomb, 10.0)
    assert len(unpack(PACK(set(range(-200, 200))), 10.0)) == 400
