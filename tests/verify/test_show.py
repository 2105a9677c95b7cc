"""Calls and outcomes as text: short, in one line, and the same in every process."""

from __future__ import annotations

import ast
import collections
import datetime
import decimal
import json
import math
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.sandbox.values import Reference
from codewright.types.behaviour import Call, Outcome
from codewright.verify.show import (
    CUT,
    call_text,
    class_name,
    exact_json,
    outcome_text,
    place_of,
    value_text,
)

ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DATA = st.recursive(
    ATOMS | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("number", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ")]
)
def test_classes_are_called_like_the_columns_of_a_sheet(number: int, name: str):
    assert class_name(number) == name


@given(DATA)
def test_law_short_plain_data_is_its_own_source(value):
    told = value_text(value, 100_000)
    if "inf" not in told:
        assert ast.literal_eval(told) == value


@given(DATA, st.integers(2, 60))
def test_law_text_keeps_to_its_limit_and_one_line(value, limit: int):
    told = value_text(value, limit)
    assert len(told) <= limit
    assert "\n" not in told
    whole = value_text(value, 100_000)
    assert told == whole or (told.endswith(CUT) and len(whole) > limit)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ((), "()"),
        ((1,), "(1,)"),
        (set(), "set()"),
        (frozenset(), "frozenset()"),
        ({3, 1, 2}, "{1, 2, 3}"),
        (frozenset({"b", "a"}), "frozenset({'a', 'b'})"),
        ({1, "a"}, "{'a', 1}"),
        ({(2, 1), (1, 2)}, "{(1, 2), (2, 1)}"),
        (float("nan"), "float('nan')"),
        (-math.inf, "float('-inf')"),
        (collections.deque([1]), "deque([1])"),
        (collections.Counter("aab"), "Counter({'a': 2, 'b': 1})"),
        (collections.OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (iter([1, 2]), "iter([1, 2])"),
        ({"a": 1}.keys(), "dict_keys(['a'])"),
        (range(3), "range(0, 3)"),
        (decimal.Decimal("1.50"), "Decimal('1.50')"),
        (datetime.date(2024, 1, 2), "datetime.date(2024, 1, 2)"),
        (np.array([[1, 2], [3, 4]]), "array([[1, 2], [3, 4]])"),
        (Reference(1, "Thing", "<a\nthing>", True), "<a thing>"),
        (1 << 5000, "<an integer of 5,001 bits>"),
        ([[]] * 3, "[[], [], []]"),
    ],
)
def test_a_value_of_any_kind_is_told(value, told: str):
    assert value_text(value) == told


def test_telling_takes_time_by_the_limit_and_leaves_the_value_as_it_is():
    began = time.process_time()
    nested: list = []
    for _ in range(5000):
        nested = [nested, "x" * 1000]
    for value in ("x" * 10**7, list(range(10**6)), set(range(10**6)), nested, 10**100_000):
        assert len(value_text(value, 60)) <= 60
    assert time.process_time() - began < 5
    left = iter([1, 2])
    value_text(left)
    assert list(left) == [1, 2]


def test_a_set_looks_the_same_in_every_process():
    code = (
        "from codewright.verify.show import value_text;"
        "print(value_text({f'{i}' for i in range(99)}, 70))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert b"'0', '1', '10'" in told.pop()


def test_calls_are_told_with_their_names():
    call = Call(args=([1, 2], "x"), kwargs={"key": None})
    assert call_text(call, "f") == "f([1, 2], 'x', key=None)"
    assert call_text(call, "") == "[1, 2], 'x', key=None"
    long = call_text(Call(args=("x" * 500,)), "f", 40)
    assert len(long) <= 42
    assert long.endswith(f"{CUT})")


def test_a_call_is_found_by_what_it_looks_like():
    calls = [Call(args=(1,)), Call(args=(True,)), Call(args=(np.array([1, 2]),))]
    assert place_of(Call(args=(True,)), calls) == 1
    assert place_of(Call(args=(np.array([1, 2]),)), calls) == 2
    assert place_of(Call(args=(1.0,)), calls) is None


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome(kind="value", value=[1]), "[1]"),
        (Outcome(kind="exception", exception="ValueError"), "raises ValueError"),
        (
            Outcome(kind="exception", exception="SyntaxError", loading=True),
            "does not load: SyntaxError",
        ),
        (Outcome(kind="timeout"), "does not end in time"),
        (Outcome(kind="memory"), "runs out of memory"),
        (Outcome(kind="crashed"), "ends its process"),
        (Outcome(kind="unstable"), "differs from call to call"),
        (
            Outcome(kind="value", changed=((0, [1]), ("key", {})), output="hi\n"),
            r"None, leaves argument 1 as [1], leaves key as {}, prints 'hi\n'",
        ),
    ],
)
def test_an_outcome_is_told_in_words(outcome: Outcome, told: str):
    assert outcome_text(outcome) == told


@given(DATA)
def test_law_what_is_exact_survives_json(value):
    exact, said = exact_json(value)
    if exact:
        back = json.loads(json.dumps(said, allow_nan=False))
        assert back == value
        assert repr(back) == repr(value)


@pytest.mark.parametrize(
    "value",
    [(1,), {1: 2}, 2**53 + 1, math.inf, math.nan, "\ud800", b"", {1}, "x" * 20_000, [[{2: 3}]],
     list(range(20_000)), Reference(1, "T", "t", None), True + 2**60, Outcome],
)  # fmt: skip
def test_what_json_cannot_say_exactly_is_not_said(value):
    assert exact_json(value) == (False, None)
