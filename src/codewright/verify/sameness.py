"""When values are the same: stand-ins that can be hashed, and chains of close numbers.

The values are data of exact built-in types, as they come off the wire, made by anybody: nothing
here may fail on any of them, ask for what is endless, or cost more than sorting.
"""

from __future__ import annotations

import collections
import copy
import datetime
import decimal
import fractions
import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from codewright.sandbox.compare import values_match
from codewright.sandbox.values import Reference

MOST_DEEP: Final = 100
"""Containers in one another; what is nested deeper is told apart by its text."""

_NUMBERS: Final = frozenset({bool, int, float, complex, decimal.Decimal, fractions.Fraction})
_SHOWN: Final = frozenset({
    type, type(...), datetime.date, datetime.datetime, datetime.time, datetime.timedelta,
})  # fmt: skip
_IN_ORDER: Final = frozenset({list, tuple, collections.deque})
_UNORDERED: Final[frozenset[type]] = frozenset({type({}.keys()), type({}.items())})
_ONCE: Final[frozenset[type]] = frozenset(type(iter(kind())) for kind in (list, tuple, str, dict))
_VIEW: Final[type] = type({}.values())
_HOLDS: Final = frozenset({*_IN_ORDER, set, frozenset, *_UNORDERED, _VIEW})
_REAL: Final = "biuf"


class NoKey(Exception):
    """Nothing hashable stands for the value."""


def is_deep(values: Iterable[Any]) -> bool:
    """Whether one of them is nested too deep for functions that call themselves."""
    level = list(values)
    for _ in range(MOST_DEEP):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += [*value.keys(), *value.values()]
            elif isinstance(value, np.ndarray):
                inner += value.ravel().tolist() if value.dtype.kind == "O" else []
            elif type(value) in _HOLDS:
                inner += value
            elif type(value) in _ONCE:
                inner += copy.copy(value)
        if not inner:
            return False
        level = inner
    return True


def chained(column: Sequence[Any], tolerance: float) -> list[int]:
    """For each number the number of its chain; empty where all are equal.

    Sorted numbers with a float near both belong together; without one they are exact.
    """
    distinct = set(map(_named, column))
    if len(distinct) == 1:
        return []
    ordered = sorted(distinct - {"nan"}, key=_magnitude)
    after: list[Any] = []  # the nearest float that is not smaller
    for number in reversed(ordered):
        after.append(number if type(number) is float else after[-1] if after else None)
    after.reverse()
    chain: dict[Any, int] = {"nan": -1}
    below: Any = None  # the nearest float that is not larger than `before`
    before: Any = None
    for place, number in enumerate(ordered):
        joined = place > 0 and (
            (below is not None and values_match(below, number, tolerance))
            or (after[place] is not None and values_match(before, after[place], tolerance))
        )
        chain[number] = chain[before] if joined else place
        below, before = number if type(number) is float else below, number
    return [chain[_named(number)] for number in column]


def _magnitude(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _named(number: Any) -> Any:
    """The number, or one name for all that are none."""
    if type(number) is decimal.Decimal and number.is_nan():
        return "nan"  # asking a signalling one for equality is an error
    return number if number == number else "nan"


def key(value: Any) -> Hashable:
    """A hashable stand-in, equal for values that `==` calls equal, NaN included.

    Raises:
        NoKey: there is none.
    """
    kind = type(value)
    if kind in _NUMBERS:
        named = _named(value)
        return named if type(named) is str else ("number", named)
    if value is None or kind is str:
        return value, kind
    if kind in _IN_ORDER:
        return kind, tuple(map(key, value))
    if isinstance(value, dict):
        return dict, frozenset((key(k), key(v)) for k, v in value.items())
    if kind is set or kind is frozenset:
        return set, frozenset(map(key, value))
    if kind is Reference:
        return Reference, value.type_name, value.shown
    if kind is bytes or kind is bytearray:
        return bytes, bytes(value)
    if isinstance(value, np.ndarray):
        return np.ndarray, value.shape, key(value.tolist())
    return _odd_key(value)


def _odd_key(value: Any) -> Hashable:
    kind = type(value)
    if kind in _SHOWN:
        return kind, repr(value)
    if kind is slice:
        return kind, *map(key, (value.start, value.stop, value.step))
    if kind is range:
        return kind, value
    if kind in _UNORDERED:
        return kind, frozenset(map(key, value))
    if kind in _ONCE:
        # A copy is drawn from, for the value will be looked at again.
        return kind, tuple(map(key, copy.copy(value)))
    if kind is _VIEW:
        return kind, tuple(map(key, value))
    if isinstance(value, np.generic) and not isinstance(value.item(), np.generic):
        return key(value.item())
    raise NoKey


def shape(value: Any) -> Hashable:
    """As `_key`, but every number that may be close to another looks the same."""
    kind = type(value)
    if kind is complex:
        return "complex"
    if kind in _NUMBERS or (isinstance(value, np.generic) and value.dtype.kind in _REAL):
        return "number"
    if kind in _IN_ORDER:
        return kind, tuple(map(shape, value))
    if isinstance(value, dict):
        return dict, frozenset((key(k), shape(v)) for k, v in value.items())
    if isinstance(value, np.ndarray) and value.dtype.kind in _REAL:
        return np.ndarray, value.shape
    return key(value)


def numbers(value: Any, like: Any) -> Iterator[Any]:
    """The numbers of a value that may be close to others, in the order of one of equal shape.

    Raises:
        KeyError: the order cannot be found.
    """
    kind = type(value)
    if kind is complex:
        yield from (value.real, value.imag)
    elif kind in _NUMBERS:
        yield value
    elif kind in _IN_ORDER:
        for one, other in zip(value, like, strict=True):
            yield from numbers(one, other)
    elif isinstance(value, dict):
        for key, other in like.items():
            yield from numbers(dict.__getitem__(value, key), other)
    elif isinstance(value, np.ndarray | np.generic) and value.dtype.kind in _REAL:
        yield from value.ravel().tolist()


def has_float(value: Any) -> bool:
    kind = type(value)
    if kind is float or kind is complex:
        return True
    if kind in _IN_ORDER:
        return any(map(has_float, value))
    if isinstance(value, dict):
        return any(map(has_float, value.values()))
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fc"
