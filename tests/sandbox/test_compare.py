"""Tolerant comparison of values: against a slow and obvious version, and at the edges."""

from __future__ import annotations

import copy
import datetime
import math
import time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.sandbox.compare import values_match

TOLERANCES = st.sampled_from([0.0, 1e-9, 1e-6, 1e-3, 0.1])
NUMBERS = st.one_of(
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.floats(),
    st.floats(-3, 3, width=16),
    st.complex_numbers(),
    st.decimals(),
    st.fractions(),
)
SCALARS = st.one_of(st.none(), NUMBERS, st.text(max_size=3), st.binary(max_size=3), st.dates())
KEYS = st.one_of(st.integers(-3, 3), st.text(max_size=2), st.tuples(st.booleans(), st.integers()))
VALUES = st.recursive(
    st.one_of(SCALARS, st.sets(KEYS, max_size=3), st.frozensets(KEYS, max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=12,
)


def slow_match(got: Any, expected: Any, tolerance: float, loose: bool) -> bool:
    """The same, by plain recursion."""
    numbers = (bool, int, float, complex, Decimal, Fraction)
    if isinstance(got, numbers) and isinstance(expected, numbers):
        nan = [v.is_nan() if isinstance(v, Decimal) else v != v for v in (got, expected)]
        if any(nan):
            return all(nan)
        if got == expected:
            return True
        if not isinstance(got, float | complex) and not isinstance(expected, float | complex):
            return False
        try:
            one, other = complex(got), complex(expected)
        except OverflowError:
            return False
        sizes = (abs(one.real), abs(one.imag), abs(other.real), abs(other.imag))
        if math.inf in sizes:
            return False
        return abs(one - other) <= max(tolerance * max(abs(one), abs(other)), tolerance)
    if isinstance(got, list | tuple) and isinstance(expected, list | tuple):
        return (
            (loose or type(got) is type(expected))
            and len(got) == len(expected)
            and all(slow_match(a, b, tolerance, loose) for a, b in zip(got, expected, strict=True))
        )
    if isinstance(got, dict) and isinstance(expected, dict):
        return got.keys() == expected.keys() and all(
            slow_match(got[key], expected[key], tolerance, loose) for key in got
        )
    return bool(got == expected)


@st.composite
def _near(draw: st.DrawFn, value: Any) -> Any:
    """The value with some of its parts nudged, retyped or replaced."""
    how = draw(st.integers(0, 7))
    if how == 0:
        return draw(SCALARS)
    if isinstance(value, float | int | complex) and how < 4:
        try:
            return value * (1 + draw(st.sampled_from([1e-10, 1e-7, 1e-4, 1e-2]))) + 1e-8
        except OverflowError:
            return float("inf")
    if isinstance(value, list | tuple):
        kind = draw(st.sampled_from([list, tuple])) if how == 1 else type(value)
        return kind(draw(_near(item)) for item in value)
    if isinstance(value, dict):
        return {key: draw(_near(item)) for key, item in value.items()}
    return copy.deepcopy(value)


@settings(max_examples=300, deadline=None)
@given(st.data(), VALUES, TOLERANCES, st.booleans())
def test_agrees_with_the_slow_version(
    data: st.DataObject, value: Any, tolerance: float, loose: bool
) -> None:
    other = data.draw(_near(value))
    same = values_match(other, value, tolerance, loose_sequences=loose)
    assert same == slow_match(other, value, tolerance, loose)
    assert same == values_match(value, other, tolerance, loose_sequences=loose)
    if same:
        assert values_match(other, value, tolerance * 2, loose_sequences=loose)
        assert values_match(other, value, tolerance, loose_sequences=True)


@given(VALUES, TOLERANCES)
def test_reflexive(value: Any, tolerance: float) -> None:
    assert values_match(copy.deepcopy(value), value, tolerance)


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (True, 1, True),
        (True, 1.0, True),
        (1, 1.0000001, True),
        (1, 2, False),
        (10**30, 10**30 + 1, False),
        (float(10**30), 10**30 + 1, True),
        (10**400, math.inf, False),
        (math.nan, math.nan, True),
        (math.nan, float("-nan"), True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, 1e308, False),
        (0.0, -0.0, True),
        (1e-7, 0, True),
        (1e-5, 0, False),
        (1e12, 1e12 + 1, True),
        (1 + 1e-9j, 1, True),
        (complex(math.nan, 0), math.nan, True),
        (Decimal("0.1"), 0.1, True),
        (Decimal("0.1"), Fraction(1, 10), True),
        (Decimal("0.1"), Decimal("0.1000000001"), False),
        (Decimal("sNaN"), Decimal("sNaN"), True),
        (Decimal("sNaN"), 1, False),
        (Decimal("1e999"), math.inf, False),
        (Decimal("1e999999"), 1.5, False),
        (Fraction(1, 3), 1 / 3, True),
        ([1], (1,), False),
        ([], (), False),
        ([], {}, False),
        ("", [], False),
        ("", b"", False),
        (None, 0, False),
        ("1", 1, False),
        ("a", "A", False),
        ("a\0b", "a\0b", True),
        ("é", "e\u0301", False),
        (bytearray(b"a"), b"a", True),
        ({1}, frozenset({1}), True),
        ({1, 2}, {1}, False),
        ({1.0}, {1.0000001}, False),
        ({1: 1.0}, {True: 1.0000001}, True),
        ({1: 1}, {"1": 1}, False),
        ({1: [1.0]}, {1: [1.1]}, False),
        (range(3), range(3), True),
        (range(3), [0, 1, 2], False),
        (datetime.date(2020, 1, 1), datetime.date(2020, 1, 1), True),
        (datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), False),
    ],
)
def test_values(got: Any, expected: Any, same: bool) -> None:
    assert values_match(got, expected, 1e-6) is same
    assert values_match(expected, got, 1e-6) is same


def test_loose_sequences_go_all_the_way_down() -> None:
    assert values_match(([1, (2.0,)],), [(1, [2.0000001])], 1e-6, loose_sequences=True)
    assert not values_match(([1, (2.0,)],), [(1, [2.0])], 1e-6)
    assert not values_match("ab", ["a", "b"], 1e-6, loose_sequences=True)


def test_integers_of_any_size() -> None:
    assert values_match(10**5000, 10**5000, 1e-6)
    assert not values_match(10**5000, 10**5000 + 1, 1e-6)
    assert not values_match(10**5000, 1.0, 1e-6)


def test_no_tolerance_is_exact() -> None:
    assert not values_match(float(2**53), 2**53 + 1, 0.0)
    assert values_match(float(2**53), 2**53 + 1, 1e-12)


class _Liar:
    """What an opaque object of a program could be at worst; none of this may be asked."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("asked")

    __hash__ = None  # type: ignore[assignment]
    __bool__ = __len__ = __iter__ = __float__ = __eq__  # type: ignore[assignment]


@pytest.mark.parametrize("expected", [1, 1.5, "a", None, [1], (1,), {1: 1}, {1}, b"a", range(2)])
def test_asks_nothing_of_foreign_objects(expected: Any) -> None:
    assert not values_match(_Liar(), expected, 1e-6, loose_sequences=True)
    assert not values_match([_Liar()], [expected], 1e-6, loose_sequences=True)
    assert not values_match({1: _Liar()}, {1: expected}, 1e-6, loose_sequences=True)


def test_equality_must_be_true_itself() -> None:
    class Vague:
        def __eq__(self, other: object) -> str:  # type: ignore[override]
            return "yes"

        __hash__ = None  # type: ignore[assignment]

    assert not values_match(Vague(), Vague(), 1e-6)


def _nested(depth: int, kind: type, inner: Any) -> Any:
    value = inner
    for _ in range(depth):
        value = kind([value])
    return value


@pytest.mark.parametrize("kind", [list, tuple])
def test_deep_values(kind: type) -> None:
    one, other = _nested(50_000, kind, 1.0), _nested(50_000, kind, 1.0000001)
    assert values_match(one, other, 1e-6)
    assert not values_match(one, other, 1e-9)


def test_deep_members_of_sets_do_not_raise() -> None:
    one, other = _nested(3_000, frozenset, 1), _nested(3_000, frozenset, 1)
    assert isinstance(values_match(one, other, 1e-6), bool)


def test_cyclic_and_shared_values() -> None:
    one: list[Any] = [1]
    one.append(one)
    other: list[Any] = [1]
    other.append(other)
    assert values_match(one, other, 1e-6)
    other[0] = 2
    assert not values_match(one, other, 1e-6)
    wide: Any = 1
    broad: Any = 1
    for _ in range(100):
        wide, broad = [wide, wide], [broad, broad]
    assert values_match(wide, broad, 1e-6)


def test_cost_is_that_of_the_expected_side() -> None:
    huge = [0] * 3_000_000
    start = time.process_time()
    assert not values_match(huge, [0], 1e-6)
    assert not values_match([huge, 1], [[0], 1], 1e-6)
    assert time.process_time() - start < 0.1


def test_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    ones = numpy.ones((2, 2))
    assert values_match(ones, ones + 1e-9, 1e-6)
    assert values_match(ones, numpy.ones((2, 2), dtype=int), 1e-6)
    assert not values_match(ones, numpy.ones(4), 1e-6)
    assert not values_match(ones, numpy.full((2, 2), "1.0"), 1e-6)
    assert not values_match(ones, [[1.0, 1.0], [1.0, 1.0]], 1e-6)
    assert values_match(ones, [[1, 1], (1, 1)], 1e-6, loose_sequences=True)
    assert values_match([(1, 1), [1, 1]], ones, 1e-6, loose_sequences=True)
    assert values_match(numpy.float32(0.5), 0.5, 1e-6)
    assert values_match(numpy.int64(3), 3, 0.0)
    assert values_match([numpy.bool_(True)], [True], 0.0)
