"""Calls near a known call, and at the edges of what is known.

A mutation stays in the domain that the known calls show: types, the sign of numbers, the letters
of strings, the length of tuples, the number of arguments. Type-aware mutation of inputs is due to
Liu et al. 2023 (EvalPlus, arXiv 2305.01210, section 2.2). Given values are never changed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from codewright.types.behaviour import Call
from codewright.verify.calls import Place, distinct, is_hashable, places, replaced
from codewright.verify.shapes import is_few

_SETS: Final = (set, frozenset)
_SEQUENCES: Final = (list, tuple)
_GROWTH: Final = 2
"""What grows does so to at most so many times the largest that was seen, and a little.

More would send programs that take exponential time, as naive recursions do, to their time limit.
"""


@dataclass(frozen=True, slots=True)
class _Here:
    """What was seen at one place: whole values, and what is in them at any depth.

    few: its integers are many, and always the same few, as in a grid of 0 and 1.
    """

    values: tuple[Any, ...]
    parts: Mapping[type, tuple[Any, ...]]
    letters: str
    few: bool

    @property
    def negative(self) -> bool:
        return any(number < 0 for kind in (int, float) for number in self.parts.get(kind, ()))

    def most(self, kind: type) -> float:
        """The largest magnitude of a number, the largest length of anything else."""
        if kind in (int, float):
            return max((abs(number) for number in self.parts.get(kind, ())), default=0)
        return max(map(len, self.parts.get(kind, ())), default=0)


Seen = Mapping[Place, _Here]
"""What known calls hold, by place."""


def seen(calls: Sequence[Call]) -> Seen:
    """Returns what `calls` hold, for `mutate` to stay near it."""
    values: dict[Place, list[Any]] = {}
    for call in calls:
        for place, value in places(call):
            values.setdefault(place, []).append(value)
    return {place: _here(held) for place, held in values.items()}


def _here(values: list[Any]) -> _Here:
    parts: dict[type, list[Any]] = {}
    integers = 0
    waiting = list(values)
    for value in waiting:
        integers += type(value) is int
        alike = parts.setdefault(type(value), [])
        if not any(known is value or known == value for known in alike[:200]):
            alike.append(value)
        waiting += _members(value)
    letters = sorted({letter for text in parts.get(str, ()) for letter in text})
    return _Here(
        values=tuple(values),
        parts={kind: tuple(held) for kind, held in parts.items()},
        letters="".join(letters),
        few=is_few(integers, len(parts.get(int, ()))),
    )


def _members(value: Any) -> list[Any]:
    if type(value) is dict:
        return [*value, *value.values()]
    if type(value) in _SETS:
        # The order of a set of strings differs from process to process.
        return sorted(value, key=repr)
    return list(value) if type(value) in _SEQUENCES else []


def mutate(call: Call, known: Seen, rng: random.Random) -> Call:
    """Returns a call like `call` with one argument, sometimes two, changed; source "mutation".

    Args:
        known: what `seen` says of the known calls, of which `call` should be one, or near one.
    """
    changed = Call(args=call.args, kwargs=dict(call.kwargs), source="mutation")
    at = [place for place, _ in places(call)]
    rng.shuffle(at)
    for place in at[: 2 if rng.random() < 0.25 else 1]:
        value = dict(places(changed))[place]
        here = known.get(place) or _here([value])
        if rng.random() < 0.12:
            value = rng.choice(here.values)
        for _ in range(1 if rng.random() < 0.7 else 2):
            value = mutated(value, here, rng)
        changed = replaced(changed, place, value, "mutation")
    return changed


def mutated(value: Any, here: _Here, rng: random.Random) -> Any:
    """Returns another value of the same type; None, and what is of no known type, as it is."""
    change = _CHANGES.get(type(value))
    return value if change is None else change(value, here, rng)


def _integer(value: int, here: _Here, rng: random.Random) -> int:
    if here.few and rng.random() < 0.95:
        return int(rng.choice(here.parts[int]))
    made = [value + 1, value - 1, value * 2, value // 2, value + rng.randint(2, 9)]
    made += [rng.choice(here.parts.get(int, (value,)))] * 2
    if here.negative:
        made.append(-value)
    return rng.choice([n for n in made if _allowed(n, here, int)] or [value])


def _real(value: float, here: _Here, rng: random.Random) -> float:
    made = [value + 1, value - 1, value * 2, value / 2, round(value, 1), value + 0.5, value + 0.01]
    made += [rng.choice(here.parts.get(float, (value,)))] * 2
    if here.negative:
        made.append(-value)
    kept = [n for n in made if _allowed(n, here, float)] or [value]
    chosen = rng.choice(kept)
    return round(chosen, 6) if abs(chosen) < 1e9 else chosen


def _allowed(number: float, here: _Here, kind: type) -> bool:
    return (here.negative or number >= 0) and abs(number) <= _GROWTH * here.most(kind) + 5


def _truth(value: bool, _: _Here, __: random.Random) -> bool:
    return not value


def _text(value: str, here: _Here, rng: random.Random) -> str:
    letters = here.letters or "ab"
    place = rng.randrange(len(value) + 1)
    other = rng.randrange(len(value) + 1)
    start, end = sorted((place, other))
    letter = rng.choice(letters)
    made: list[str] = [
        value[:place] + value[place + 1 :],
        value[:place] + letter + value[place + 1 :],
        value[:place] + letter + value[place:],
        value[:place] + value[place : place + 1] * 2 + value[place + 1 :],
        value[:start] + value[end : end + 1] + value[start:end] + value[end + 1 :],
        value[:start] + value[end:],
        value[:end] + value[start:],
        value[::-1],
        rng.choice(here.parts.get(str, (value,))),
    ]
    if any(letter.isalpha() for letter in letters):
        swapped = value[place : place + 1].swapcase()
        made += [value[:place] + swapped + value[place + 1 :], value.swapcase()]
    kept = [text for text in made if len(text) <= _longest(here, str)]
    return rng.choice(kept or [value])


def _longest(here: _Here, kind: type) -> float:
    return _GROWTH * here.most(kind) + 4


def _items(value: list[Any], here: _Here, rng: random.Random, longest: float) -> list[Any]:
    items = list(value)
    kind = rng.randrange(9)
    if not items or (kind == 0 and len(items) < longest):
        return [*items, _another(items, here, rng)]
    place, other = rng.randrange(len(items)), rng.randrange(len(items))
    if kind == 1:
        del items[place]
    elif kind == 2 and len(items) < longest:
        items.insert(other, items[place])
    elif kind == 3:
        items[place], items[other] = items[other], items[place]
    elif kind == 4:
        items.reverse()
    elif kind == 5:
        try:
            items.sort()
        except TypeError:
            items.reverse()
    elif kind == 6:
        items[place] = items[other]
    elif kind == 7:
        items[place] = _another(items, here, rng)
    else:
        items[place] = mutated(items[place], here, rng)
    return items


def _another(items: list[Any], here: _Here, rng: random.Random) -> Any:
    """Something that may stand among the items: one of them changed, or a part of the same type."""
    kinds = {type(item) for item in items}
    if not kinds:
        kinds = {type(part) for held in here.values for part in _members(held)} or {int}
    kind = rng.choice(sorted(kinds, key=repr))
    parts = here.parts.get(kind, ())
    if parts and rng.random() < 0.6:
        return rng.choice(parts)
    return mutated(rng.choice(items), here, rng) if items else (rng.choice(parts) if parts else 0)


def _list(value: list[Any], here: _Here, rng: random.Random) -> list[Any]:
    return _items(value, here, rng, _longest(here, list))


def _tuple(value: tuple[Any, ...], here: _Here, rng: random.Random) -> tuple[Any, ...]:
    lengths = {len(part) for part in here.parts.get(tuple, ())}
    if len(lengths) > 1:
        return tuple(_items(list(value), here, rng, _longest(here, tuple)))
    if not value:
        return value
    place = rng.randrange(len(value))
    return (*value[:place], mutated(value[place], here, rng), *value[place + 1 :])


def _set(value: Any, here: _Here, rng: random.Random) -> Any:
    made = _items(_members(value), here, rng, _longest(here, type(value)))
    return type(value)(filter(is_hashable, made))


def _dict(value: dict[Any, Any], here: _Here, rng: random.Random) -> dict[Any, Any]:
    made = dict(value)
    if not made:
        others = [held for held in here.values if type(held) is dict and held]
        return dict(rng.choice(others)) if others else made
    key = rng.choice(list(made))
    kind = rng.randrange(5)
    if kind == 0:
        del made[key]
    elif kind in (1, 2):
        other = mutated(key, here, rng)
        held = made.pop(key) if kind == 1 else mutated(made[key], here, rng)
        made[other if is_hashable(other) else key] = held
    elif kind == 3:
        made[key] = made[rng.choice(list(made))]
    else:
        made[key] = mutated(made[key], here, rng)
    return made


_CHANGES: Final[Mapping[type, Callable[[Any, _Here, random.Random], Any]]] = {
    bool: _truth,
    int: _integer,
    float: _real,
    str: _text,
    list: _list,
    tuple: _tuple,
    set: _set,
    frozenset: _set,
    dict: _dict,
}


def boundaries(calls: Sequence[Call]) -> list[Call]:
    """Returns the edges of what is known: nothing, zero, one, a single item, equal items.

    One argument is at its edge while the others are as in the first known call; then all are at
    their first edge. Only of types that were seen at the place; source "boundary".
    """
    if not calls:
        return []
    known = seen(calls)
    first = calls[0]
    edges = {place: _edges(known[place]) for place, _ in places(first)}
    made = [
        replaced(first, place, value, "boundary")
        for number in range(max(map(len, edges.values()), default=0))
        for place, values in edges.items()
        for value in values[number : number + 1]
    ]
    together = first
    for place, values in edges.items():
        if values:
            together = replaced(together, place, values[0], "boundary")
    return list(distinct([*made, together], calls))


def _edges(here: _Here) -> list[Any]:
    edges: list[Any] = []
    kinds = dict.fromkeys(type(value) for value in here.values)
    for kind in kinds:
        whole = [value for value in here.values if type(value) is kind]
        if kind is bool:
            edges += [False, True]
        elif kind in (int, float):
            edges += [kind(0), kind(1), kind(2), *([kind(-1)] if here.negative else [])]
        elif kind is str:
            letter = next((value[0] for value in whole if value), "a")
            edges += ["", letter, letter * 3]
        elif kind in (list, *_SETS) or (kind is tuple and len(set(map(len, whole))) > 1):
            edges += _few(kind, whole)
        elif kind is dict:
            edges += [{}, *({k: v} for value in whole[:1] for k, v in list(value.items())[:1])]
    return edges


def _few(kind: type, whole: list[Any]) -> list[Any]:
    items = [item for value in whole for item in _members(value)]
    if not items:
        return [kind()]
    one = items[0]
    few = [[], [one], [one, one], [one, one, one], items[:2]]
    zero = {int: 0, float: 0.0, str: ""}.get(type(one))
    if zero is not None:
        few += [[zero], [zero] * 3]
    return [kind(values) for values in few]
