"""Mutations and edges: near the known, of its types, and never at its expense."""

from __future__ import annotations

import copy
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from codewright.types.behaviour import Call
from codewright.verify.calls import places, replaced, wire_text
from codewright.verify.mutate import boundaries, mutate, seen
from tests.verify.test_hints import VALUES


def many(args: tuple[Any, ...], known: list[Call] | None = None, count: int = 400) -> list[Call]:
    rng = random.Random(0)
    call = Call(args=args)
    return [mutate(call, seen(known or [call]), rng) for _ in range(count)]


@given(
    st.lists(VALUES, max_size=3).map(tuple),
    st.dictionaries(st.sampled_from(["k", "m"]), VALUES, max_size=2),
    st.lists(st.lists(VALUES, max_size=3).map(tuple), max_size=2),
    st.integers(0, 99),
)
def test_laws(args: tuple[Any, ...], kwargs: dict[str, Any], others: list[Any], seed: int):
    call = Call(args=args, kwargs=kwargs, source="example")
    known = [call, *(Call(args=other) for other in others)]
    before = copy.deepcopy((call, known))
    rng, same = random.Random(seed), random.Random(seed)
    made = call
    for _ in range(6):
        following = mutate(made, seen(known), rng)
        assert wire_text(following) == wire_text(mutate(made, seen(known), same))
        made = following
        assert made.source == "mutation"
        assert len(made.args) == len(args)
        assert made.kwargs.keys() == kwargs.keys()
        types_seen: dict[Any, set[type]] = {}
        for one in known:
            for place, value in places(one):
                types_seen.setdefault(place, set()).add(type(value))
        assert all(type(value) in types_seen[place] for place, value in places(made))
        assert wire_text(made) is not None
    edges = boundaries(known)
    assert all(len(edge.args) == len(args) for edge in edges)
    assert all(edge.kwargs.keys() == kwargs.keys() for edge in edges)
    assert before == (call, known), "what was given is as it was"


def test_numbers_keep_their_sign_and_size():
    numbers = {call.args[0] for call in many((5,))}
    assert {4, 6, 10} <= numbers
    assert min(numbers) >= 0
    assert max(numbers) <= 15
    assert {type(n) for n in numbers} == {int}
    signed = {call.args[0] for call in many((5,), [Call(args=(5,)), Call(args=(-2,))])}
    assert {-5, -2} <= signed
    assert {type(call.args[0]) for call in many((2.5,))} == {float}
    assert {call.args[0] for call in many((True,))} == {True, False}
    assert {call.args[0] for call in many((None,))} == {None}
    far = Call(args=(10**6,))
    for _ in range(200):
        far = mutate(far, seen([Call(args=(10**6,))]), random.Random(1))
    assert far.args[0] <= 2 * 10**6 + 5
    grid = [[0, 1, 1], [1, 0, 1], [0, 0, 1]]
    cells = [cell for call in many((grid,)) for row in call.args[0] for cell in row]
    assert sum(cell in (0, 1) for cell in cells) > 0.9 * len(cells)


def test_lists_are_varied_in_every_way():
    known = [Call(args=([3, 1, 2],)), Call(args=([7, 7],))]
    made = {tuple(call.args[0]) for call in many(([3, 1, 2],), known, 3_000)}
    for expected in (
        (1, 2),
        (2, 1, 3),
        (1, 2, 3),
        (3, 3, 1, 2),
        (3, 1, 7),
        (3, 1, 3),
        (7, 7),
        (4, 1, 2),
    ):
        assert expected in made, expected
    assert max(map(len, made)) <= 10
    nested = [call.args[0] for call in many(([[1], [2, 3]],))]
    assert {type(item) for value in nested for item in value} == {list}
    assert {len(call.args[0]) for call in many(((1, 2),))} == {2}, "a pair stays a pair"
    longer = [Call(args=((1, 2),)), Call(args=((1,),))]
    assert len({len(call.args[0]) for call in many(((1, 2),), longer)}) > 1
    assert {type(call.args[0]) for call in many(({1, 2},))} == {set}
    assert [] in [call.args[0] for call in many(([1],))]
    assert any(call.args[0] for call in many(([],)))


def test_strings_stay_in_their_letters():
    made = {
        call.args[0] for call in many(("abc",), [Call(args=("abc",)), Call(args=("x",))], 3_000)
    }
    for expected in ("ab", "abcc", "acb", "xbc", "cba", "aBc", "x", "ABC"):
        assert expected in made, expected
    assert set("".join(made)) <= set("abcxABCX")
    digits = {call.args[0] for call in many(("10-2",))}
    assert set("".join(digits)) <= set("10-2")
    assert "" in {call.args[0] for call in many(("a",))}
    assert any(call.args[0] for call in many(("",), [Call(args=("",)), Call(args=("ab",))]))


def test_dictionaries_change_by_key_and_value():
    made = [call.args[0] for call in many(({"a": 1, "b": 2},), None, 1_000)]
    assert {"b": 2} in made
    assert {"a": 2, "b": 2} in made
    assert any(len(value) == 3 for value in made)
    assert {type(key) for value in made for key in value} == {str}
    assert {} in [call.args[0] for call in many(({"a": 1},))]


def test_edges_are_of_the_types_seen():
    known = [Call(args=([4, 5], "xy", 3)), Call(args=([-1], "z", 0))]
    edges = boundaries(known)
    assert {edge.source for edge in edges} == {"boundary"}
    args = [edge.args for edge in edges]
    for expected in (
        ([], "xy", 3), ([4], "xy", 3), ([4, 4], "xy", 3), ([0], "xy", 3), ([4, 5], "", 3),
        ([4, 5], "x", 3), ([4, 5], "xy", 0), ([4, 5], "xy", 1), ([], "", 0),
    ):  # fmt: skip
        assert expected in args, expected
    texts = [wire_text(edge) for edge in [*edges, *known]]
    assert len(texts) == len(set(texts))
    assert boundaries([]) == []
    assert (-1,) in [edge.args for edge in boundaries([Call(args=(-7,))])]
    assert (-1,) not in [edge.args for edge in boundaries([Call(args=(7,))])]
    assert [edge.args for edge in boundaries([Call(args=(None,))])] == []
    assert [edge.args for edge in boundaries([Call(args=((1, 2),))])] == []
    assert ({},) in [edge.args for edge in boundaries([Call(args=({"a": 1},))])]
    assert (frozenset(),) in [edge.args for edge in boundaries([Call(args=(frozenset({1}),))])]
    assert [e.kwargs for e in boundaries([Call(args=(), kwargs={"k": True})])] == [{"k": False}]


def test_one_argument_is_replaced():
    call = Call(args=(1, 2), kwargs={"k": 3}, source="example")
    assert replaced(call, 1, 9, "x") == Call(args=(1, 9), kwargs={"k": 3}, source="x")
    assert replaced(call, "k", 9, "x") == Call(args=(1, 2), kwargs={"k": 9}, source="x")
    assert call == Call(args=(1, 2), kwargs={"k": 3}, source="example")
