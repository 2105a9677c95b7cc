"""Values like those that were seen: a maker of more of their kind.

A maker draws one value with the `random.Random` that it is given. It stays near what was seen: in
its types, its range of numbers, its lengths, its letters. Nothing here knows what a function wants
beyond that.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Sequence
from typing import Any, Final

Make = Callable[[random.Random], Any]
"""Draws a value."""

WORDS: Final = (
    "a", "b", "ab", "ba", "abc", "aab", "hello", "world", "Hello", "level", "code", "the", "A",
    "Zz", "x1", "42", "a b", "Hello World", "the quick brown fox", "one two  three",
)  # fmt: skip
ALPHABETS: Final = (
    "ab", "abc", string.ascii_lowercase, string.ascii_letters, string.digits, "01", " ab",
    string.ascii_letters + string.digits + " ", "()[]{}", "aeiou xyz", ".,!?-_ ab",
)  # fmt: skip
_CLASSES: Final = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
_MOST_ITEMS: Final = 12


def integer(rng: random.Random) -> int:
    """A small integer, often one where something begins."""
    if rng.random() < 0.35:
        return rng.choice((0, 1, 2, 3, -1, 5, 10))
    if rng.random() < 0.05:
        return rng.choice((100, 101, 256, 1000, -100))
    return rng.randint(-10, 100)


def real(rng: random.Random) -> float:
    """A small finite float of at most two decimals."""
    if rng.random() < 0.3:
        return rng.choice((0.0, 1.0, -1.0, 0.5, 2.5, 10.0))
    return round(rng.uniform(-10, 100), rng.choice((1, 2)))


def text(rng: random.Random) -> str:
    """A short string: nothing, a word, or a few characters of one alphabet."""
    chance = rng.random()
    if chance < 0.08:
        return ""
    if chance < 0.4:
        return rng.choice(WORDS)
    alphabet = rng.choice(ALPHABETS)
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 10)))


def many(make: Make, least: int = 0, most: int = 8) -> Make:
    """Lists of what `make` draws; some with few different items, some sorted."""

    def draw(rng: random.Random) -> list[Any]:
        length = rng.randint(least, most)
        chance = rng.random()
        if chance < 0.2 and length:
            few = [make(rng) for _ in range(2)]
            return [rng.choice(few) for _ in range(length)]
        items = [make(rng) for _ in range(length)]
        if chance > 0.85:
            try:
                items.sort()
            except TypeError:
                return items
        return items

    return draw


def any_of(makers: Sequence[Make]) -> Make:
    """What one of the makers draws, each as often as it is given."""
    return lambda rng: rng.choice(makers)(rng)


def always(value: Any) -> Make:
    return lambda _: value


def boolean(rng: random.Random) -> bool:
    return rng.random() < 0.5


def shape_of(values: Sequence[Any]) -> Make:
    """Returns a maker of values like these, which are plain data, one or more.

    Values of several types are drawn as often as they were seen.
    """
    kinds: dict[type, list[Any]] = {}
    for value in values:
        kinds.setdefault(type(value), []).append(value)
    makers = {kind: _of_kind(kind, alike) for kind, alike in kinds.items()}
    return any_of([makers[type(value)] for value in values] or [integer])


def _of_kind(kind: type, values: list[Any]) -> Make:
    if kind is bool:
        return boolean
    if kind is int:
        return _integers(values)
    if kind is float:
        return _floats(values)
    if kind is str:
        return _strings(values)
    if kind in (list, tuple, set, frozenset):
        return _collections(kind, values)
    if kind is dict:
        keys = [key for value in values for key in value]
        held = [item for value in values for item in value.values()]
        if not keys:
            return always({})
        pairs = many(_pair(shape_of(keys), shape_of(held)), 0, max(map(len, values)) + 1)
        return lambda rng: dict(pairs(rng))
    return lambda rng: rng.choice(values)


def _pair(one: Make, other: Make) -> Make:
    return lambda rng: (one(rng), other(rng))


def is_few(seen: int, different: int) -> bool:
    """Whether values seen so often would have shown more different ones, if there were more."""
    return seen >= 8 and different <= 3


def _integers(values: list[int]) -> Make:
    if is_few(len(values), len(set(values))):
        return lambda rng: rng.choice(values)
    low, high = _range(min(values), max(values))
    return lambda rng: rng.choice(values) if rng.random() < 0.2 else rng.randint(low, high)


def _range(least: Any, most: Any) -> tuple[int, int]:
    """A little wider than what was seen; the sign of it all is kept."""
    reach = max(4, int(most - least) // 4)
    low, high = int(least) - reach, int(most) + reach
    if least >= 0:
        low = min(int(least), max(low, 1))
    if most <= 0:
        high = max(int(most), min(high, -1))
    return low, high


def _floats(values: list[float]) -> Make:
    finite = [value for value in values if abs(value) < 1e15]
    if not finite:
        return lambda rng: rng.choice(values)
    low, high = _range(min(finite), max(finite))
    decimals = min(4, max(len(repr(value).partition(".")[2]) for value in finite))
    return lambda rng: (
        rng.choice(values) if rng.random() < 0.2 else round(rng.uniform(low, high), decimals)
    )


def _strings(values: list[str]) -> Make:
    letters = sorted({character for value in values for character in value})
    if not letters:
        return text
    words = sorted({word for value in values for word in value.split()})
    spaced = [value for value in values if " " in value.strip()]
    most = min(_MOST_ITEMS + 8, max(map(len, values)) + 3)
    least = min(map(len, values))

    def draw(rng: random.Random) -> str:
        if rng.random() < 0.15:
            return rng.choice(values)
        chance = rng.random()
        if chance < 0.5 or not words:
            # The same pattern with other letters: dates stay dates.
            return "".join(_like(character, letters, rng) for character in rng.choice(values))
        if spaced and chance < 0.8:
            return " ".join(rng.choice(words) for _ in range(rng.randint(1, 6)))
        return "".join(rng.choice(letters) for _ in range(rng.randint(min(least, most), most)))

    return draw


def _like(character: str, letters: Sequence[str], rng: random.Random) -> str:
    if rng.random() < 0.5:
        return character
    if rng.random() < 0.5:
        alike = [letter for letter in letters if _class(letter) == _class(character)]
        return rng.choice(alike) if alike else character
    return rng.choice(_class(character) or character)


def _class(character: str) -> str:
    return next((letters for letters in _CLASSES if character in letters), "")


def _collections(kind: type, values: list[Any]) -> Make:
    members = [sorted(v, key=repr) if kind in (set, frozenset) else list(v) for v in values]
    lengths = [len(value) for value in members]
    if kind is tuple and len(set(lengths)) == 1:
        fixed = [shape_of(column) for column in zip(*members, strict=True)]
        return lambda rng: tuple(make(rng) for make in fixed)
    items = [item for value in members for item in value]
    if not items:
        return many(integer) if kind is list else always(kind())
    least = min(lengths) if min(lengths) <= 1 else min(lengths) - 1
    most = min(max(_MOST_ITEMS, *lengths), max(lengths) + 2)
    if _rectangular(members):
        return _grids(kind, items, max(1, least), most)
    draw = many(shape_of(items), least, most)
    return lambda rng: kind(draw(rng))


def _rectangular(members: list[list[Any]]) -> bool:
    """Whether each value is rows of the same length: a grid."""
    return any(len(value) > 1 for value in members) and all(
        type(row) is list and len(row) == len(value[0]) for value in members for row in value
    )


def _grids(kind: type, rows: list[list[Any]], least: int, most: int) -> Make:
    cells = [cell for row in rows for cell in row]
    cell = shape_of(cells) if cells else integer
    widths = [len(row) for row in rows]

    def draw(rng: random.Random) -> Any:
        width = rng.randint(max(1, min(widths) - 1), max(widths) + 1)
        height = rng.randint(least, most)
        return kind([cell(rng) for _ in range(width)] for _ in range(height))

    return draw
