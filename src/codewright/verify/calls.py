"""Calls as things to be told apart and put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from codewright.sandbox.values import Packer
from codewright.sandbox.wire import WireError
from codewright.types.behaviour import Call

_MOSTLY: Final = 0.8

Place = int | str
"""Where an argument stands: its position, or its keyword."""


def wire_text(call: Call) -> bytes | None:
    """Returns the arguments as they would cross; None where they cannot.

    Equal text means the same input: True, 1 and 1.0 are three.
    """
    try:
        return Packer(lambda _: 0).text((call.args, call.kwargs))
    except WireError:
        return None


def distinct(calls: Iterable[Call], known: Iterable[Call] = ()) -> Iterator[Call]:
    """Yields each input once, as it first comes, without those that are `known`."""
    seen = {wire_text(call) for call in known} | {None}
    for call in calls:
        text = wire_text(call)
        if text not in seen:
            seen.add(text)
            yield call


def is_hashable(value: Any) -> bool:
    """Whether a set or the keys of a dict may hold it."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def places(call: Call) -> list[tuple[Place, Any]]:
    """Returns the arguments with where they stand."""
    return [*enumerate(call.args), *call.kwargs.items()]


def replaced(call: Call, place: Place, value: Any, source: str) -> Call:
    """Returns the call with another value at one place."""
    if isinstance(place, str):
        return Call(args=call.args, kwargs={**call.kwargs, place: value}, source=source)
    args = (*call.args[:place], value, *call.args[place + 1 :])
    return Call(args=args, kwargs=dict(call.kwargs), source=source)


def tied(known: Sequence[Call]) -> tuple[int, ...]:
    """Returns the positions of lists or strings that have one length in (nearly) every call.

    Such arguments belong together, item by item. Empty where two calls or more do not show it.
    """
    if len(known) < 2:
        return ()
    count = min(len(call.args) for call in known)
    sized = tuple(
        place
        for place in range(count)
        if all(type(call.args[place]) in (list, str) for call in known)
    )
    level = sum(len({len(call.args[place]) for place in sized}) == 1 for call in known)
    return sized if len(sized) > 1 and level >= _MOSTLY * len(known) else ()


def levelled(call: Call, level: Sequence[int]) -> Call:
    """Returns the call with the arguments at some positions cut to the shortest of them."""
    if not level or max(level) >= len(call.args):
        return call
    length = min(len(call.args[place]) for place in level)
    args = tuple(
        value[:length] if place in level else value for place, value in enumerate(call.args)
    )
    return Call(args=args, kwargs=call.kwargs, source=call.source)
