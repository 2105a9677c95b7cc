"""Calls and outcomes as short text: Python source where the value has one, cut where it is long.

What is shown was made by programs that nobody trusts. Nothing of them runs here, and the work is
bounded by the length that is asked for, not by the size of the value.
"""

from __future__ import annotations

import collections
import copy
import heapq
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from codewright.types.behaviour import Call, Outcome, OutcomeKind

CUT = "…"
"""Stands for what was left out."""

_DEPTH = 40
_TOTAL_ORDER = frozenset({bool, int, str, bytes})
_ENDS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    frozenset: ("frozenset({", "})"),
    set: ("{", "}"),
    collections.deque: ("deque([", "])"),
    type(iter([])): ("iter([", "])"),
    type({}.keys()): ("dict_keys([", "])"),
    type({}.values()): ("dict_values([", "])"),
    type({}.items()): ("dict_items([", "])"),
}
_FATES: dict[OutcomeKind, str] = {
    "timeout": "does not end in time",
    "memory": "runs out of memory",
    "crashed": "ends its process",
    "unstable": "differs from call to call",
}


def class_name(number: int) -> str:
    """Returns the letter of a class: A for 0, Z for 25, AA for 26."""
    name = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def value_text(value: Any, limit: int = 80) -> str:
    """Returns `value` as source text on one line, of at most `limit` characters.

    What is longer ends in `CUT`. Sets are in the order of their members' texts, so that a value
    looks the same in every process.
    """
    told = ""
    for piece in _pieces(value, limit, 0):
        told += piece
        if len(told) > limit:
            return told[: max(limit - 1, 0)] + CUT
    return told


def _pieces(value: Any, limit: int, depth: int) -> Iterator[str]:
    kind = type(value)
    if depth > _DEPTH:
        yield CUT
    elif kind is dict or isinstance(value, dict):
        head = "" if kind is dict else f"{kind.__name__}("
        yield head + "{"
        for number, (key, item) in enumerate(value.items()):
            yield ", " if number else ""
            yield from _pieces(key, limit, depth + 1)
            yield ": "
            yield from _pieces(item, limit, depth + 1)
        yield "}" + (")" if head else "")
    elif kind is tuple:
        yield "("
        yield from _joined(value, limit, depth)
        yield ",)" if len(value) == 1 else ")"
    elif kind in (set, frozenset) and not value:
        yield f"{kind.__name__}()"
    elif kind in _ENDS:
        left, right = _ENDS[kind]
        yield left
        yield from _joined(_ordered(value, limit), limit, depth)
        yield right
    else:
        yield _atom(value, limit)


def _joined(values: Iterable[Any], limit: int, depth: int) -> Iterator[str]:
    for number, value in enumerate(values):
        yield ", " if number else ""
        yield from _pieces(value, limit, depth + 1)


def _ordered(values: Any, limit: int) -> Iterable[Any]:
    """The members that can be shown, sets in an order of their own."""
    if isinstance(values, set | frozenset):
        kinds = set(map(type, values))
        if len(kinds) == 1 and kinds <= _TOTAL_ORDER:
            return heapq.nsmallest(limit, values)
        return heapq.nsmallest(limit, values, key=lambda member: value_text(member, limit))
    # An iterator can be drawn from once; its copy leaves it as it is.
    return itertools.islice(copy.copy(values) if isinstance(values, Iterator) else values, limit)


def _atom(value: Any, limit: int) -> str:
    if isinstance(value, str | bytes | bytearray):
        return repr(value[: limit + 1])
    if isinstance(value, int) and value.bit_length() > 4 * limit + 64:
        return f"<an integer of {value.bit_length():,} bits>"
    if type(value) is float and not math.isfinite(value):
        return f"float('{value}')"
    try:
        # An opaque object's repr is the program's own text, and may have any shape.
        return " ".join(repr(value).split())
    except ValueError:  # an integer inside it has more digits than the interpreter prints
        return f"<{type(value).__name__} too long to print>"


def call_text(call: Call, entry_point: str, limit: int = 80) -> str:
    """Returns a call as source text; with an empty `entry_point` only what is in the brackets."""
    room = max(limit - len(entry_point) - 2, 8)
    parts = [value_text(arg, room) for arg in call.args]
    parts += [f"{name}={value_text(value, room)}" for name, value in call.kwargs.items()]
    told = ", ".join(parts)
    if len(told) > room:
        told = told[: room - 1] + CUT
    return f"{entry_point}({told})" if entry_point else told


def same_call(one: Call, other: Call) -> bool:
    """Tells whether two calls look the same; what is no plain data cannot be compared by ==."""
    return one is other or call_text(one, "", 5000) == call_text(other, "", 5000)


def place_of(call: Call, calls: Sequence[Call]) -> int | None:
    """Returns the number of a call among others, or None."""
    return next((i for i, each in enumerate(calls) if same_call(each, call)), None)


def outcome_text(outcome: Outcome, limit: int = 80) -> str:
    """Returns in words what a call did, in about `limit` characters: the value first."""
    if outcome.kind == "value":
        told = value_text(outcome.value, limit)
    elif outcome.kind == "exception":
        name = outcome.exception[:60] or "an exception"
        told = f"does not load: {name}" if outcome.loading else f"raises {name}"
    else:
        told = _FATES[outcome.kind]
    for place, value in outcome.changed[:2]:
        which = f"argument {place + 1}" if isinstance(place, int) else place[:30]
        told += f", leaves {which} as {value_text(value, max(limit // 2, 12))}"
    if outcome.output:
        told += f", prints {value_text(outcome.output, max(limit // 2, 12))}"
    return told


def exact_json(value: Any, most: int = 10_000) -> tuple[bool, Any]:
    """Returns (True, the value) where JSON says exactly the same, else (False, None).

    Integers beyond 2**53 do not count, for many readers round them; nor does anything with more
    than `most` characters and members.
    """
    left = most
    waiting = [value]
    while waiting:
        item = waiting.pop()
        left -= 1 + (len(item) if isinstance(item, str | list | dict) else 0)
        if left < 0 or not _json_holds(item):
            return False, None
        if type(item) is list:
            waiting += item
        elif type(item) is dict:
            waiting += [*item.keys(), *item.values()]
            if not all(type(key) is str for key in item):
                return False, None
    return True, value


def _json_holds(item: Any) -> bool:
    """Tells what JSON can hold, looking at no member."""
    if item is None or type(item) in (bool, list, dict):
        return True
    if type(item) is int:
        return -(2**53) <= item <= 2**53
    if type(item) is float:
        return math.isfinite(item)
    return type(item) is str and not any("\ud800" <= letter <= "\udfff" for letter in item)
