"""Inputs from annotations, from known calls, and guesses: of the right types, small, repeatable."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.types.behaviour import Call
from codewright.verify.calls import levelled, tied, wire_text
from codewright.verify.hints import from_hints, guesses, inferred, maker
from codewright.verify.literals import expression, is_data
from codewright.verify.shapes import shape_of


def drawn(annotation: str, count: int = 200) -> list[Any]:
    make = maker(expression(annotation))
    assert make is not None, annotation
    rng = random.Random(0)
    return [make(rng) for _ in range(count)]


@pytest.mark.parametrize(
    ("annotation", "kind", "inner"),
    [
        ("int", int, None), ("float", float, None), ("str", str, None), ("bool", bool, None),
        ("bytes", bytes, None), ("complex", complex, None), ("None", type(None), None),
        ("list", list, int), ("List[str]", list, str), ("list[bool]", list, bool),
        ("typing.List[float]", list, float), ("Sequence[int]", list, int),
        ("Iterable[str]", list, str), ("'list[int]'", list, int), ("list['int']", list, int),
        ("Tuple[int, ...]", tuple, int), ("tuple", tuple, int), ("set[int]", set, int),
        ("Set[str]", set, str), ("frozenset[int]", frozenset, int), ("set", set, str),
        ("dict[str, int]", dict, str), ("Dict[int, List[int]]", dict, int), ("dict", dict, str),
        ("Mapping[str, float]", dict, str), ("list[list[int]]", list, list),
        ("List[Tuple[int, str]]", list, tuple), ("Annotated[int, 3]", int, None),
    ],
)  # fmt: skip
def test_annotations_become_values_of_their_type(annotation: str, kind: type, inner: type | None):
    values = drawn(annotation)
    assert {type(value) for value in values} == {kind}
    assert all(map(is_data, values))
    if inner is not None:
        assert {type(item) for value in values for item in value} == {inner}
    if kind is not type(None):
        assert len({repr(value) for value in values}) > 1


def test_unions_literals_and_pairs():
    assert {type(v) for v in drawn("Optional[int]")} == {int, type(None)}
    assert {type(v) for v in drawn("int | str | None")} == {int, str, type(None)}
    assert {type(v) for v in drawn("Union[str, list[int]]")} == {str, list}
    assert set(drawn("Literal['a', 1, None]")) == {"a", 1, None}
    assert {tuple(map(type, v)) for v in drawn("tuple[int, str]")} == {(int, str)}
    assert len({type(v) for v in drawn("Any")}) > 4
    nones = sum(v is None for v in drawn("Optional[int]"))
    assert 10 < nones < 90
    for unknown in (
        "Callable[[int], int]",
        "Node",
        "np.ndarray",
        "list[Node]",
        "x()",
        "3",
        "Literal[x]",
    ):
        assert maker(expression(unknown)) is None
    assert maker(None) is None
    assert maker(expression("__import__('os').system('true')")) is None


def test_values_are_small():
    for value in drawn("int", 2_000):
        assert -100 <= value <= 1_000
    for value in drawn("float", 2_000):
        assert abs(value) <= 100
        assert value == round(value, 2)
    assert {0, 1, -1} <= set(drawn("int"))
    assert 0 < max(map(len, drawn("list[int]", 1_000))) <= 8
    words = drawn("str", 1_000)
    assert "" in words
    assert max(map(len, words)) < 25
    assert any(" " in word for word in words)
    assert any(word.isupper() for word in words)


PROMPT = "def f(a: int, b: list, c: str = 'x', *, d: bool) -> int:\n    '''Do it.'''\n"


def test_calls_bind_and_repeat():
    calls = from_hints(PROMPT, "f", 50, 1)
    assert len(calls) == 50
    assert calls == from_hints(PROMPT, "f", 50, 1)
    assert calls != from_hints(PROMPT, "f", 50, 2)
    assert len({wire_text(call) for call in calls}) == 50
    for call in calls:
        assert len(call.args) in (2, 3)
        assert set(call.kwargs) == {"d"}
        assert call.source == "hint"
        assert type(call.args[0]) is int
    assert {len(call.args) for call in calls} == {2, 3}, "what has a default may be left out"


def test_known_calls_fill_what_annotations_leave_open():
    known = [Call(args=(1, ["ab", "c"])), Call(args=(2, ["d"]))]
    prompt = "def f(n: int, words):\n    pass\n"
    assert from_hints(prompt, "f", 9, 0) == []
    calls = from_hints(prompt, "f", 20, 0, known)
    assert {call.source for call in calls} == {"inferred"}
    assert {type(word) for call in calls for word in call.args[1]} == {str}
    bare = from_hints("def f(n: int, words: list):\n    pass\n", "f", 20, 0, known)
    assert {type(word) for call in bare for word in call.args[1]} == {str}
    named = [Call(args=(), kwargs={"n": 1, "words": ["ab"]})]
    assert from_hints(prompt, "f", 5, 0, named)
    assert from_hints("def f(g: Callable, x: int): pass", "f", 5, 0) == []
    assert all(len(c.args) == 1 for c in from_hints("def f(x: int, g=None): pass", "f", 5, 0))
    assert from_hints("say something", "f", 5, 0) == []


def test_inferred_calls_are_like_the_known():
    known = [Call(args=([1, 2, 3], "ab-12")), Call(args=([4, 5], "cd-99"))]
    calls = inferred(known, 40, 0)
    assert len(calls) == 40
    assert calls == inferred(known, 40, 0)
    for call in calls:
        numbers, text = call.args
        assert {type(n) for n in numbers} <= {int}
        assert all(0 <= n <= 20 for n in numbers)
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert inferred([], 5, 0) == []
    assert inferred([Call(args=())], 5, 0) == [Call(args=(), source="inferred")]


def test_shapes_stay_near_what_was_seen():
    rng = random.Random(0)

    def many(values: list[Any]) -> list[Any]:
        make = shape_of(values)
        return [make(rng) for _ in range(300)]

    assert all(n >= 1 for n in many([5, 9]))
    assert all(n >= 0 for n in many([0, 3]))
    assert min(many([-3, 3])) < 0
    assert set(many([0, 1] * 5)) == {0, 1}
    assert {type(v) for v in many([1, 2.5, None, "a"])} == {int, float, type(None), str}
    assert all(round(v, 2) == v for v in many([1.25, 3.5]))
    assert {len(v) for v in many([(1, "a"), (2, "b")])} == {2}
    assert {type(v) for v in many([{1, 2}])} == {set}
    assert {type(key) for v in many([{"a": [1]}]) for key in v} == {str}
    for grid in many([[[1, 2], [3, 4]], [[1, 2, 3]]]):
        assert len({len(row) for row in grid}) == 1
    for words in many(["one two", "two three"]):
        assert set(words) <= set("abcdefghijklmnopqrstuvwxyz ")
    assert {type(v) for v in many([[]])} == {list}
    assert set(many([True])) == {True, False}
    assert many([b"x"]) == [b"x"] * 300
    assert many([float("inf")]) == [float("inf")] * 300


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
        | st.frozensets(st.integers(), max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(VALUES, min_size=1, max_size=4), st.integers(0, 9))
def test_shapes_know_every_value(values: list[Any], seed: int):
    before = repr(values)
    make = shape_of(values)
    for _ in range(5):
        value = make(random.Random(seed))
        assert type(value) in {type(known) for known in values}
        assert wire_text(Call(args=(value,))) is not None
    assert repr(values) == before


def test_guesses_try_several_shapes():
    for arity in range(5):
        calls = guesses(arity, 0)
        assert calls == guesses(arity, 0)
        assert {len(call.args) for call in calls} == {arity}
        assert len(calls) <= 72
    assert {type(call.args[0]) for call in guesses(1, 0)} >= {int, str, list, float, dict, tuple}
    pairs = {tuple(map(type, call.args)) for call in guesses(2, 0)}
    assert {(int, int), (list, list), (str, str), (list, int), (str, int)} <= pairs


def test_arguments_that_belong_together_keep_one_length():
    known = [Call(args=([1, 2], [3, 4], 5)), Call(args=([1], [3], 5))]
    assert tied(known) == (0, 1)
    assert all(len(c.args[0]) == len(c.args[1]) for c in inferred(known, 20, 0))
    assert tied(known[:1]) == tied([*known, Call(args=([1], [2, 3], 4))]) == ()
    assert levelled(Call(args=("abc", [1], 2)), (0, 1)) == Call(args=("a", [1], 2))
    assert levelled(Call(args=()), (0, 1)) == Call(args=())


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    from_hints(PROMPT, "f", 50, 1)
    guesses(2, 1)
    assert list(tmp_path.iterdir()) == []
