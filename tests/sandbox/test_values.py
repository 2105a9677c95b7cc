"""Plain values cross as they are, exact in type; an object that is no data crosses as a number."""

from __future__ import annotations

import collections
import copy
import enum
import fractions
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.sandbox.unpack import Unpacker
from codewright.sandbox.values import MAX_ITERATOR, Handed, Packer, Reference
from codewright.sandbox.wire import WireError
from tests.sandbox.plain import VALUES, same


def refuse(_: Any) -> Any:
    raise WireError("there are no objects here")


PACKER = Packer(refuse)
UNPACK = Unpacker(refuse, refuse, refuse).unpack


def crossed(value: Any) -> Any:
    return UNPACK(PACKER.text(value))


@given(VALUES)
def test_every_plain_value_arrives_as_it_left(value: Any) -> None:
    assert same(crossed(value), value)


@given(st.lists(VALUES, max_size=3))
def test_iterators_and_views_arrive_with_their_items(items: list[Any]) -> None:
    backwards = items[::-1]
    makers: list[Callable[[], Any]] = [
        lambda: iter(items), lambda: (x for x in items), lambda: map(copy.copy, items),
        lambda: reversed(backwards), lambda: filter(lambda _: True, items),
    ]  # fmt: skip
    for make in makers:
        assert same(list(crossed(make())), items)
    table = dict(enumerate(items))
    assert same(list(crossed(table.keys())), list(table))
    assert same(list(crossed(table.values())), items)
    assert same(list(crossed(enumerate(items))), list(enumerate(items)))
    assert crossed({1: 2}.items()) == {(1, 2)}
    assert crossed({1: 2, 3: 4}.keys()) == {3, 1}


def test_huge_integers_cross_anywhere() -> None:
    huge = 10**5000 + 1
    for value in (huge, [1, huge], {huge: [-huge]}, (huge, [huge]), {huge}, [[huge], "a", 2.5]):
        assert same(crossed(value), value)
    assert crossed(range(huge, huge + 2))[1] == huge + 1
    assert crossed(fractions.Fraction(huge, 3)) * 3 == huge


class LyingInt(int):
    def __eq__(self, other: object) -> bool:
        return True

    def __add__(self, other: int) -> Any:
        return 999

    __hash__ = int.__hash__
    __pos__ = __index__ = __int__ = lambda self: 999


class LyingFloat(float):
    def __pos__(self) -> float:
        return 0.0

    __float__ = __pos__


class LyingText(str):
    def __getitem__(self, key: Any) -> str:
        return "lie"

    __str__ = __repr__ = lambda self: "lie"


class LyingBytes(bytes):
    def __getitem__(self, key: Any) -> Any:
        return b"lie"


class LyingList(list):  # type: ignore[type-arg]
    def __iter__(self) -> Any:
        return iter(["lie"])

    def __len__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class LyingTuple(tuple):  # type: ignore[type-arg]
    __iter__ = LyingList.__iter__


class LyingDict(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        return [("lie", "lie")]

    keys = values = __iter__ = items


class LyingSet(set):  # type: ignore[type-arg]
    __iter__ = LyingList.__iter__


class LyingFrozen(frozenset):  # type: ignore[type-arg]
    __iter__ = LyingList.__iter__


class Liar(type):
    __mro__ = property(lambda cls: (cls, int, object))  # type: ignore[assignment]

    def __instancecheck__(cls, instance: object) -> bool:
        return True


class Masked(str, metaclass=Liar):
    __class__ = property(lambda self: int)  # type: ignore[assignment]


Point = collections.namedtuple("Point", "x y")
Colour = enum.IntEnum("Colour", "RED GREEN")


@pytest.mark.parametrize(
    ("value", "base"),
    [
        (LyingInt(7), 7),
        (LyingFloat(2.5), 2.5),
        (LyingText("truth"), "truth"),
        (LyingBytes(b"truth"), b"truth"),
        (LyingList([1, 2]), [1, 2]),
        (LyingTuple((1, 2)), (1, 2)),
        (LyingDict({1: 2}), {1: 2}),
        (LyingSet({1, 2}), {1, 2}),
        (LyingFrozen({1, 2}), frozenset({1, 2})),
        (Masked("truth"), "truth"),
        (Point(1, 2), (1, 2)),
        (Colour.GREEN, 2),
        (collections.defaultdict(list, {1: [2]}), {1: [2]}),
    ],
)
def test_a_subclass_arrives_as_the_data_below_its_overrides(value: Any, base: Any) -> None:
    for wrap in (lambda v: v, lambda v: [v, 1], lambda v: {"k": (v,)}):
        assert same(crossed(wrap(value)), wrap(base))


class Thing:
    def __eq__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        raise RuntimeError

    __hash__ = object.__hash__


class Empty:
    def __bool__(self) -> bool:
        return False


class Undecided:
    def __bool__(self) -> bool:
        raise ValueError


def test_an_object_that_is_no_data_arrives_as_a_reference_that_equals_nothing() -> None:
    handed = Handed()
    packer, thing = Packer(handed.number), Thing()
    unpack = Unpacker(handed.find, lambda reference: reference, refuse).unpack
    first, second, empty, undecided = unpack(packer.text([thing, thing, Empty(), Undecided()]))
    assert isinstance(first, Reference)
    assert first.number == second.number != empty.number
    assert handed.find(first.number) is thing
    assert first.type_name == "Thing"
    for value in (1, "x", "Thing", 0, None, object()):
        assert first != value
    assert (bool(first), bool(empty)) == (True, False)
    with pytest.raises(TypeError, match="has no truth"):
        bool(undecided)
    # Sent back, it is the object itself again, and no other number is anybody's.
    assert unpack(b'{"h":%d}' % first.number) is thing
    for number in (b"-1", b"3", b'"0"', b"null", b"1.5", b"99999999999999999999"):
        with pytest.raises(WireError):
            unpack(b'{"h":%s}' % number)
    handed.clear()
    with pytest.raises(WireError):
        unpack(b'{"h":0}')


def test_types_and_modules_cross_by_name() -> None:
    seen: list[str] = []
    unpack = Unpacker(refuse, refuse, lambda name: seen.append(name) or name).unpack
    assert unpack(PACKER.text([int, KeyError, math])) == [int, KeyError, "math"]
    assert seen == ["math"]
    with pytest.raises(WireError):
        unpack(b'{"ty":"Thing"}')
    with pytest.raises(WireError):
        PACKER.text(Thing)


def nested(depth: int, inner: Any, wrap: Callable[[Any], Any]) -> Any:
    for _ in range(depth):
        inner = wrap(inner)
    return inner


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: (v,), lambda v: {1: v}])
@pytest.mark.parametrize("inner", [0, 10**5000], ids=["small", "huge"])
def test_depth_is_limited_and_too_deep_is_refused(wrap: Callable[[Any], Any], inner: int) -> None:
    fine = nested(60, inner, wrap)
    assert crossed(fine) == fine
    for depth in (*range(120, 420, 4), 900, 5000):
        value = nested(depth, inner, wrap)
        try:
            text = PACKER.text(value)
        except WireError:
            continue
        try:
            back = UNPACK(text)
        except WireError:
            continue
        for _ in range(depth):
            back = back[1] if type(back) is dict else back[0]
        assert back == inner


def test_cycles_and_endless_iterators_are_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    table: dict[int, Any] = {}
    table[1] = [table]
    for value in (
        cycle,
        table,
        iter(int, 1),
        (x for x in range(MAX_ITERATOR + 1)),
        Thing(),
        refuse,
    ):
        with pytest.raises(WireError):
            PACKER.text(value)
    # The packer is as good as new after a refusal.
    assert crossed([10**5000, "x"]) == [10**5000, "x"]
