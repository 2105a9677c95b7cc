"""The plainest call on which something still holds: what a person can be asked about.

The predicate decides what the call is worth, and may be slow, so it is asked in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from codewright.types.behaviour import Call
from codewright.verify.calls import distinct, places, replaced

DiffersMany = Callable[[Sequence[Call]], Sequence[bool]]
"""Whether the predicate holds, for each call."""

_PLAIN_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 "
_SHORT: Final = 40
_SMALL: Final = 13
_SETS: Final = (set, frozenset)


def shrink(call: Call, differs_many: DiffersMany, *, rounds: int = 40, batch: int = 60) -> Call:
    """Returns the plainest call found, by `plainness`, for which the predicate holds.

    Shorter containers and strings, numbers nearer to 0, positive and whole, plainer letters; the
    types, the length of tuples and the number of arguments stay. `call` itself comes back where
    nothing plainer holds.

    Args:
        rounds: how often the predicate is asked, at most.
        batch: about how many calls at a time.
    """
    best = call
    tried = [call]
    asked = 0
    while asked < rounds:
        plainer = sorted(
            (c for c in distinct(_simpler(best), tried) if plainness(c) < plainness(best)),
            key=plainness,
        )
        found = None
        for start in range(0, len(plainer), batch):
            if asked == rounds:
                break
            asked += 1
            some = plainer[start : start + batch]
            tried += some
            held = [c for c, holds in zip(some, differs_many(some), strict=True) if holds]
            if held:
                found = held[0]
                break
        if found is None:
            break
        best = found
    return best


def plainness(call: Call) -> tuple[int, float, str]:
    """Returns a key by which the plainer of two calls comes first: size, magnitude, text."""
    size, weight = _weight([value for _, value in places(call)])
    return size, weight, repr((call.args, sorted(call.kwargs.items())))


def _weight(value: Any) -> tuple[int, float]:
    """How many items and letters, and how far numbers and letters are from the plainest."""
    kind = type(value)
    if kind is bool or value is None:
        return 1, float(value or 0)
    if kind in (int, float):
        if value != value or abs(value) > 1e300:
            return 1, 1e301
        # A sign and a fraction each weigh less than a step to a larger number.
        return 1, abs(value) + 0.25 * (value < 0) + 0.25 * (value != int(value))
    if kind is str:
        return 1 + len(value), float(sum(map(_strangeness, value)))
    if kind is dict:
        parts = [*value, *value.values()]
    elif kind in (list, tuple, *_SETS):
        parts = list(value)
    else:
        return 1, 0.0
    weights = [_weight(part) for part in parts]
    return 1 + sum(size for size, _ in weights), sum(weight for _, weight in weights)


def _strangeness(letter: str) -> int:
    place = _PLAIN_LETTERS.find(letter)
    return place if place >= 0 else len(_PLAIN_LETTERS) + 1


def _simpler(call: Call) -> Iterator[Call]:
    for place, value in places(call):
        for other in simpler(value):
            yield replaced(call, place, other, call.source)


def simpler(value: Any) -> Iterator[Any]:
    """Yields values of the same type that are a step plainer, the boldest steps first."""
    kind = type(value)
    if kind is bool:
        if value:
            yield False
    elif kind is int:
        yield from range(min(abs(value), _SMALL))
        yield from (abs(value), value // 10, value // 2, value - (1 if value > 0 else -1))
    elif kind is float:
        yield from (0.0, 1.0, abs(value))
        if abs(value) < 1e15:
            yield from (float(int(value)), float(int(value / 2)), round(value, 1))
    elif kind is str:
        yield from map("".join, _shorter(list(value)))
        if len(value) <= _SHORT:
            for place, letter in enumerate(value):
                for other in _plainer(letter):
                    yield value[:place] + other + value[place + 1 :]
            for letter in sorted(set(value)):
                for other in _plainer(letter):
                    yield value.replace(letter, other)
    elif kind is list:
        yield from _shorter(value)
        yield from _inside(value)
    elif kind is tuple:
        yield from map(tuple, _inside(list(value)))
    elif kind in _SETS:
        yield from map(kind, _shorter(sorted(value, key=repr)))
        yield from map(kind, _inside(sorted(value, key=repr)))
    elif kind is dict:
        yield from map(dict, _shorter(list(value.items())))
        for key, held in value.items():
            for other in simpler(held):
                yield {**value, key: other}


def _shorter(items: list[Any]) -> Iterator[list[Any]]:
    """Nothing, halves, and all but a few; each of a long list is not left out in turn."""
    if not items:
        return
    yield []
    half = len(items) // 2
    if half:
        yield items[:half]
        yield items[half:]
    if len(items) <= _SHORT:
        for place in range(len(items)):
            yield items[:place] + items[place + 1 :]


def _inside(items: list[Any]) -> Iterator[list[Any]]:
    """One item plainer, or all that are equal to it, or as many of the first."""
    for place, item in enumerate(items[:_SHORT]):
        for other in simpler(item):
            yield [*items[:place], other, *items[place + 1 :]]
            if items.count(item) > 1:
                yield [other if known == item else known for known in items]
    if items and all(type(item) in (int, float, str) for item in items):
        yield [type(items[0])()] * len(items)
        yield [items[0]] * len(items)


def _plainer(letter: str) -> tuple[str, ...]:
    if letter.isdigit():
        return tuple(digit for digit in "01" if digit < letter)
    if letter.isalpha():
        same = "a" if letter.islower() else "A"
        return tuple(other for other in (same, "a", "b") if other != letter)
    return ("a", " ")
