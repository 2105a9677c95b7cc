"""Classes of behaviour: a partition whatever the order, and as `==` within a tolerance has it."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.sandbox.compare import values_match
from codewright.sandbox.pool import Pool
from codewright.sandbox.values import Packer, Reference
from codewright.types.behaviour import Call, Inputs, Outcome
from codewright.verify.behaviour import (
    Relation,
    classes,
    distance,
    distances,
    labels,
    observe,
)

PACK = Packer(lambda _: 0).text


def did(value: Any, *, output: str = "", changed: tuple[tuple[int, Any], ...] = ()) -> Outcome:
    wire = PACK([value, output, changed]) + repr(value).encode()
    return Outcome(kind="value", value=value, output=output, changed=changed, wire=wire)


def raised(name: str) -> Outcome:
    return Outcome(kind="exception", exception=name, wire=name.encode())


def same(one: Outcome, other: Outcome, relation: Relation | None = None) -> bool:
    table = labels([[one], [other]], relation)
    return bool(table[0, 0] == table[1, 0])


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, 0.1 + 0.2, 0.3, math.nan, math.inf, 2.5]),
    st.sampled_from(["", "a", "1"]),
    st.binary(max_size=1),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.sampled_from(["a", 1, True, None]), inner, max_size=2),
        st.frozensets(st.integers(0, 3), max_size=2),
        st.sets(st.integers(0, 3), max_size=2),
    ),
    max_leaves=6,
)
OUTCOMES = st.one_of(
    VALUES.map(did),
    st.sampled_from(["ValueError", "KeyError"]).map(raised),
    st.just(Outcome(kind="timeout", wire=b"timeout")),
    st.just(Outcome(kind="unstable", wire=b"unstable")),
)


@given(VALUES, VALUES)
def test_values_are_the_same_as_the_judge_has_it(one: Any, other: Any) -> None:
    assert same(did(one), did(other)) == values_match(one, other, 1e-6)
    assert same(did(one), did(other)) == same(did(other), did(one))
    assert same(did(one), did(one))


def test_what_is_the_same_and_what_is_not() -> None:
    nearly, list_of, tuple_of = did(0.1 + 0.2), did([1, 2.0]), did((1, 2.0))
    assert same(nearly, did(0.3))
    assert not same(nearly, did(0.3), Relation(tolerance=0))
    assert same(did(1), did(True))
    assert same(did(1), did(1.0))
    assert not same(list_of, tuple_of)
    assert same(did({1, 2}), did(frozenset([2, 1])))
    assert same(did({"a": 1, "b": 2}), did({"b": 2, "a": 1.0}))
    assert same(did(math.nan), did(math.nan))
    assert same(raised("ValueError"), raised("ValueError"))
    assert not same(raised("ValueError"), raised("KeyError"))
    assert not same(did(None), raised("ValueError"))
    printed = did(1, output="x")
    assert not same(did(1), printed)
    assert same(did(1), printed, Relation(printed=False))
    altered = did(1, changed=((0, [1]),))
    assert not same(did(1), altered)
    assert same(did(1), altered, Relation(changed=False))
    a_thing = Reference(0, "A", "<A>", True)
    assert same(did(a_thing), did(Reference(7, "A", "<A>", True)))
    assert not same(did(a_thing), did(Reference(0, "B", "<B>", True)))
    assert same(did(np.array([1.0, 2.0])), did(np.array([1.0, 2.0 + 1e-9])))
    assert not same(did(np.array([1.0])), did(np.array([[1.0]])))
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    assert same(did(deep), did(deep))


def test_closeness_is_made_an_equivalence() -> None:
    steps = [did(1 + step * 0.6e-6) for step in range(6)]
    for order in itertools.islice(itertools.permutations(steps), 50):
        table = labels([[outcome] for outcome in order])
        assert len(set(table[:, 0].tolist())) == 1
    apart = [*steps, did(1.1)]
    assert len(set(labels([[outcome] for outcome in apart])[:, 0].tolist())) == 2
    pairs = [did([1.0 + step * 0.6e-6, 5]) for step in range(4)]
    assert len(set(labels([[outcome] for outcome in pairs])[:, 0].tolist())) == 1


@given(
    st.integers(0, 4).flatmap(
        lambda calls: st.lists(st.lists(OUTCOMES, min_size=calls, max_size=calls), max_size=8)
    ),
    st.randoms(use_true_random=False),
)
def test_classes_are_a_partition_whatever_the_order(
    rows: list[list[Outcome]], rng: random.Random
) -> None:
    table = labels(rows)
    parts = classes(table)
    assert sorted(row for part in parts for row in part) == list(range(len(rows)))
    assert [len(part) for part in parts] == sorted((len(p) for p in parts), reverse=True)
    order = list(range(len(rows)))
    rng.shuffle(order)
    shuffled = classes(labels([rows[place] for place in order]))
    assert {frozenset(order[row] for row in part) for part in shuffled} == set(
        map(frozenset, parts)
    )
    if not rows:
        return
    again = [*rows, rows[0]]
    grown = next(part for part in classes(labels(again)) if 0 in part)
    before = next(part for part in parts if 0 in part)
    assert set(before) | {len(rows)} == set(grown)
    assert len(grown) / len(again) >= len(before) / len(rows)
    apart = distances(table, [part[0] for part in parts])
    for one, other in itertools.combinations(range(len(parts)), 2):
        assert 0 < apart[one, other] <= 1
        assert apart[one, other] == distance(table, parts[one][0], parts[other][0])
    assert not apart.diagonal().any()


def test_hostile_candidates_have_one_vote_each() -> None:
    honest = "def f(xs):\n    return sorted(xs)\n"
    programs = [honest] * 3 + [
        "import random\ndef f(xs):\n    return random.sample(xs, len(xs))\n",
        "import time\ndef f(xs):\n    time.sleep(60)\n",
        "def f(xs):\n    return 'x' * 10**8\n",
        "class A(list):\n    def __eq__(self, other): return True\n"
        "def f(xs):\n    return A([object()])\n",
        "import os\nos.write(5, b'\\x10\\0\\0\\0' * 1000)\ndef f(xs):\n    return sorted(xs)\n",
        "import gc\ndef f(xs):\n    for o in gc.get_objects():\n"
        "        if isinstance(o, list): o.clear()\n    return []\n",
    ]
    inputs = Inputs(calls=tuple(Call(args=([3, 1, 2, size],)) for size in range(5)))
    with Pool(workers=2) as pool:
        seen = observe(pool, programs, ["f"] * len(programs), inputs)
    parts = classes(labels([observation.outcomes for observation in seen]))
    assert parts[0] == (0, 1, 2)
    assert sum(map(len, parts)) == len(programs)


@pytest.mark.parametrize("size", [0, 1])
def test_nothing_to_compare(size: int) -> None:
    table = labels([[] for _ in range(size)])
    assert classes(table) == ([(0,)] if size else [])
    assert distances(table, list(range(size))).shape == (size, size)
