"""Plain values of every kind, and structure that only looks like their text."""

from __future__ import annotations

import collections
import datetime
import decimal
import math
from typing import Any

from hypothesis import strategies as st


def same(one: Any, other: Any) -> bool:
    """Equal in value and in exact type, all the way down; NaN is NaN and -0.0 is not 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, list | tuple | collections.deque):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        if isinstance(one, collections.Counter) or not isinstance(one, collections.OrderedDict):
            return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
        return all(map(same, one.items(), other.items())) and len(one) == len(other)
    if isinstance(one, decimal.Decimal):
        return one.as_tuple() == other.as_tuple()
    if isinstance(one, datetime.datetime | datetime.time):
        return one == other and one.utcoffset() == other.utcoffset()
    return bool(one == other)


UTC_OFFSETS = st.none() | st.timedeltas(
    datetime.timedelta(hours=-23), datetime.timedelta(hours=23)
).map(
    lambda offset: datetime.timezone(
        datetime.timedelta(minutes=offset // datetime.timedelta(minutes=1))
    )
)
HASHABLE_ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(4000, 6000).map(lambda digits: -(10**digits) + 7)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.complex_numbers(allow_nan=False)
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.dates()
    | st.datetimes(timezones=UTC_OFFSETS)
    | st.times(timezones=UTC_OFFSETS)
    | st.timedeltas()
    | st.builds(range, st.integers(), st.integers(), st.integers().filter(bool))
    | st.just(...)
)
HASHABLE = st.recursive(
    HASHABLE_ATOMS,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.frozensets(inner, max_size=4),
    max_leaves=8,
)
ATOMS = (
    HASHABLE_ATOMS
    | st.floats()
    | st.complex_numbers()
    | st.decimals()
    | st.just(decimal.Decimal("sNaN12"))
    | st.binary().map(bytearray)
    | st.builds(slice, st.none() | st.integers(), st.integers(), st.none() | st.integers())
    | st.sets(HASHABLE, max_size=6)
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.lists(inner, max_size=5).map(collections.deque)
        | st.dictionaries(HASHABLE, inner, max_size=5)
        | st.dictionaries(HASHABLE, inner, max_size=5).map(collections.OrderedDict)
        | st.dictionaries(HASHABLE, st.integers(), max_size=5).map(collections.Counter)
    ),
    max_leaves=20,
)

TAGS = st.sampled_from(
    ["t", "d", "s", "f", "b", "B", "c", "r", "sl", "e", "i", "D", "F", "dd", "dt", "tm", "td", "q",
     "o", "C", "dk", "dv", "di", "it", "h", "m", "ty", "np", "ns", "no", "ps", "pd", "zz", ""]
)  # fmt: skip
TEXTS = st.sampled_from(
    ["", "AAAA", "0x10", "2020-01-01", "12:00", "<f8", "<i4", "O", "V8", "f4,f4", "S", "M8[ns]",
     "int", "math", "nan", "1e999999999"]
) | st.text(max_size=5)  # fmt: skip
FORGED = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(lambda tag, v: {tag: v}, TAGS, inner)
        | st.dictionaries(TAGS, inner, max_size=3)
    ),
    max_leaves=12,
)
