"""What is put together: seeds within their budget, and a search that loses no distinction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.evaluate.benchmarks import load
from codewright.types.behaviour import Call
from codewright.types.judging import CallPair
from codewright.verify.asserts import WrittenTest, parse_test
from codewright.verify.calls import wire_text
from codewright.verify.examples import examples
from codewright.verify.inputs import CORE, Budget, Labels, diversify, minimise, seeds
from codewright.verify.literals import is_data
from tests.evaluate.made import home
from tests.verify.test_hints import VALUES

PROMPT = "def f(xs: list, k: int = 1):\n    '''Do it.'''\n"


def written(*sources: str) -> list[WrittenTest]:
    tests = [parse_test(source, "f") for source in sources]
    assert None not in tests
    return [test for test in tests if test is not None]


def test_seeds_come_from_everywhere_in_order():
    pairs = [CallPair(args=([1, 2],), kwargs={"k": 2}, expected=3)]
    tests = written(
        "assert f([5], 1) == 5", "assert f([7], 1) == 5", "assert f([7], k=1) == 6",
        "assert f([1, 2], 2) == 3", "assert f('abc', 2) == 3", "assert f() == 3",
    )  # fmt: skip
    calls = seeds(PROMPT, "f", examples=pairs, tests=tests, budget=Budget())
    assert len(calls) == 100
    assert [call.args for call in calls[:3]] == [([1, 2], 2), ([7], 1), ([5], 1)]
    assert [call.source for call in calls[:3]] == ["example", "test", "test"]
    kinds = list(dict.fromkeys(call.source for call in calls))
    assert kinds == ["example", "test", "boundary", "mutation", "inferred"]
    count = Counter(call.source for call in calls)
    assert count["mutation"] > 30
    assert count["inferred"] >= 20
    assert all(type(call.args[0]) is list for call in calls), "'abc' is not like the example"
    assert len({wire_text(call) for call in calls}) == 100


def test_seeds_without_this_or_that():
    def kinds(prompt: str, pairs: Sequence[CallPair] = ()) -> set[str]:
        calls = seeds(prompt, "f", examples=pairs, tests=[], budget=Budget(calls=60))
        assert 0 < len(calls) <= 60
        return {call.source for call in calls}

    assert kinds("def f(x: int, y: str):\n    pass\n") == {"hint"}
    assert kinds("def f(x, y):\n    pass\n") == {"inferred"}
    assert kinds("say it") == {"inferred"}
    pair = CallPair(args=("ab",), expected=1)
    assert kinds("def f(x):\n    pass\n", [pair]) >= {"example", "mutation", "inferred"}
    assert kinds("say it", [pair]) >= {"example", "mutation", "inferred"}
    assert kinds("def f():\n    pass\n", [CallPair(args=(), expected=1)]) == {"example"}
    calls = seeds("def f(x, y):\n    pass\n", "f", examples=(), tests=[], budget=Budget())
    assert {len(call.args) for call in calls} == {2}
    one, true = (CallPair(args=(value,), expected=0) for value in (1, True))
    both = seeds("say it", "f", examples=[one, true, one], tests=[], budget=Budget(calls=2))
    assert [type(call.args[0]) for call in both] == [int, bool]


@settings(max_examples=40)
@given(
    st.lists(st.lists(VALUES, min_size=1, max_size=2).map(tuple), max_size=4),
    st.integers(1, 60),
    st.integers(0, 5),
)
def test_seeds_keep_to_their_budget_and_repeat(rows: list[Any], most: int, seed: int):
    pairs = [CallPair(args=row, expected=None) for row in rows]
    budget = Budget(calls=most, seed=seed)
    calls = seeds("def f(a, b=1): pass", "f", examples=pairs, tests=[], budget=budget)
    again = seeds("def f(a, b=1): pass", "f", examples=pairs, tests=[], budget=budget)
    assert [wire_text(call) for call in calls] == [wire_text(call) for call in again]
    assert 0 < len(calls) <= most
    texts = [wire_text(call) for call in calls]
    assert len(texts) == len(set(texts))


def splitter(programs: Sequence[Callable[..., Any]], asked: list[Call] | None = None) -> Any:
    """Runs trusted functions: equal labels where they do the same."""

    def run(program: Callable[..., Any], call: Call) -> str:
        try:
            return repr(program(*call.args, **call.kwargs))
        except Exception as error:
            return type(error).__name__

    def split(calls: Sequence[Call]) -> Labels:
        if asked is not None:
            asked.extend(calls)
        numbers: dict[str, int] = {}
        return [
            [numbers.setdefault(run(program, call), len(numbers)) for call in calls]
            for program in programs
        ]

    return split


def classes(programs: Sequence[Callable[..., Any]], calls: Sequence[Call]) -> int:
    return len({tuple(row) for row in splitter(programs)(calls)})


PROGRAMS: list[Callable[..., Any]] = [
    lambda xs: sorted(xs),
    lambda xs: sorted(set(xs)),
    lambda xs: xs[::-1],
    lambda xs: sorted(xs, key=abs),
    lambda xs: sorted(xs)[:6],
    lambda xs: xs if len(xs) < 2 else sorted(xs),
    lambda xs: sorted(xs) if sum(xs) != 13 else [],
]


def test_diversity_is_found_and_repeatable():
    known = [Call(args=([3, 2, 1],), source="example"), Call(args=([4, 2],), source="example")]
    assert classes(PROGRAMS, known) == 1
    calls = diversify(known, splitter(PROGRAMS), Budget(rounds=30))
    assert classes(PROGRAMS, calls) >= 3
    assert calls[:2] == known
    assert len(calls) <= 100
    assert calls == diversify(known, splitter(PROGRAMS), Budget(rounds=30))
    assert {call.source for call in calls[2:]} <= {"mutation", "inferred"}


def test_the_search_ends():
    known = [Call(args=([3, 2, 1],))]
    asked: list[Call] = []
    same = [PROGRAMS[0]] * 3
    assert diversify(known, splitter(same, asked), Budget(rounds=9, per_round=10)) == known
    assert len(asked) == 11, "one round without a split is the last"
    asked.clear()
    assert diversify(known, splitter(PROGRAMS[:1], asked), Budget()) == known
    assert len(asked) == 1, "one candidate has no other to differ from"
    asked.clear()
    diversify(known, splitter(PROGRAMS, asked), Budget(rounds=2, per_round=5))
    assert len(asked) <= 11
    assert diversify([], splitter(PROGRAMS), Budget()) == []
    assert diversify([Call(args=())], splitter([lambda: 1, lambda: 1]), Budget()) == [Call(args=())]
    assert diversify(known, splitter([]), Budget()) == known


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.integers(-3, 9), max_size=5), min_size=1, max_size=60),
    st.integers(1, 60),
    st.integers(0, 3),
)
def test_no_distinction_is_lost(rows: list[list[int]], most: int, seed: int):
    known = [Call(args=(row,)) for row in rows]
    budget = Budget(calls=most, rounds=3, per_round=8, seed=seed)
    calls = diversify(known, splitter(PROGRAMS), budget)
    assert classes(PROGRAMS, calls) >= classes(PROGRAMS, known)
    assert len(calls) <= max(most, CORE + len(PROGRAMS))
    texts = [wire_text(call) for call in known]
    kept = [text for call in calls if (text := wire_text(call)) in texts]
    assert kept == sorted(set(kept), key=texts.index), "the known keep their order"


@given(st.integers(0, 5).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 2), min_size=width, max_size=width), max_size=8)
))  # fmt: skip
def test_few_calls_give_the_same_partition(labels: list[list[int]]):
    width = len(labels[0]) if labels else 0
    calls = [Call(args=(number,)) for number in range(width)]
    chosen = minimise(calls, labels)

    def count(columns: Sequence[int]) -> int:
        return len({tuple(row[column] for column in columns) for row in labels})

    assert count(chosen) == count(range(width))
    assert len(chosen) <= max(0, count(range(width)) - 1)
    for number in chosen:
        assert count([other for other in chosen if other != number]) < count(chosen)


def test_the_best_call_is_first():
    labels = [[0, 0, 0], [0, 1, 0], [0, 2, 1], [1, 2, 1]]
    calls = [Call(args=(number,)) for number in range(3)]
    assert minimise(calls, labels) == [1, 0]
    assert minimise([], []) == minimise([], [[], []]) == []


@pytest.mark.parametrize("name", ["humaneval"])
def test_every_problem_has_seeds(name: str):
    for task in load(name, home())[::4]:
        pairs = examples(task.prompt, task.entry_point)
        calls = seeds(task.prompt, task.entry_point, examples=pairs, tests=[], budget=Budget())
        assert len(calls) >= 10, task.id
        assert all(is_data([*call.args, *call.kwargs.values()]) for call in calls)
