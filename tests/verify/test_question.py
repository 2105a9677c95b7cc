"""The clarifying question: an input that really separates, as plain as can be, or none."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from codewright.sandbox.pool import Pool
from codewright.types.behaviour import BehaviourClass, Call, Inputs, Outcome, Question
from codewright.types.judging import CallPair, Candidate
from codewright.verify.behaviour import observe
from codewright.verify.question import question
from codewright.verify.shrink import plainness
from codewright.verify.study import OBSERVING, Assessment, study

POSITIONS = (
    "from itertools import combinations\n"
    "def f(xs):\n    return any(sum(three) == 0 for three in combinations(xs, 3))\n"
)
VALUES = (
    "from itertools import combinations\n"
    "def f(xs):\n    return any(sum(three) == 0 for three in combinations(set(xs), 3))\n"
)
ZERO = (
    "A function that takes a list of integers and returns True if there are three distinct"
    " elements that sum to zero"
)
LISTS = "def f(xs: list[int]) -> list[int]:\n    ...\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(workers=2) as running:
        yield running


def run(program: str, call: Call) -> Any:
    """What a trusted program returns."""
    names: dict[str, Any] = {}
    exec(program, names)
    args, kwargs = copy.deepcopy((call.args, call.kwargs))
    return names["f"](*args, **kwargs)


def asked(
    pool: Pool,
    prompt: str,
    programs: Sequence[str],
    examples: Sequence[CallPair] = (),
    *,
    first: int = 0,
) -> Question | None:
    """What is asked about programs; the class of one of them leads, then the largest."""
    candidates = [Candidate(text=text, program=text) for text in programs]
    studied = study(
        prompt, "f", candidates, executor=pool, examples=examples, settings=Assessment()
    )
    known = studied.case
    ordered = sorted(known.classes, key=lambda members: (first not in members, -len(members)))
    classes = [
        BehaviourClass(
            members=members,
            representative=members[0],
            outcomes=studied.observed[members[0]],
            mass=len(members) / known.n,
            examples_held=int(known.held[members[0]].sum()) if examples else 0,
        )
        for members in ordered
    ]

    def pair(one: int, other: int, calls: Sequence[Call]) -> Any:
        both = [programs[one], programs[other]]
        seen = observe(pool, both, ["f", "f"], Inputs(calls=tuple(calls)), OBSERVING)
        return seen[0].outcomes, seen[1].outcomes

    made = question(classes, studied.calls, pair)
    if made is not None:
        for number, choice in zip(made.classes, made.choices, strict=True):
            program = programs[classes[number].representative]
            if choice.kind == "value":
                assert run(program, made.call) == choice.value
            for example in examples:
                held = run(program, Call(args=example.args)) == example.expected
                assert held or classes[0].examples_held < len(examples)
    return made


@pytest.mark.parametrize(
    "prompt", [ZERO, f'def f(xs: list[int]) -> bool:\n    """{ZERO}."""\n'], ids=["text", "head"]
)
def test_distinct_positions_or_distinct_values(pool: Pool, prompt: str) -> None:
    programs = [POSITIONS] * 3 + [VALUES] * 2
    made = asked(pool, prompt, programs)
    assert made is not None
    assert made.call.args == ([0, 0, 0],)
    assert [choice.value for choice in made.choices] == [True, False]
    if prompt is not ZERO:
        return
    # Examples on which both agree leave the question open; one that tells them apart answers it.
    shown = {(1, 3, 5, 0): False, (2, 4, -5, 3, 5, 7): True, (1,): False}
    agreed = [CallPair(args=(list(xs),), expected=value) for xs, value in shown.items()]
    made = asked(pool, prompt, programs, agreed)
    assert made is not None
    assert [choice.value for choice in made.choices] == [True, False]
    assert len(made.call.args[0]) <= 3
    reply = CallPair(args=made.call.args, expected=True)
    assert asked(pool, prompt, programs, [*agreed, reply]) is None
    no = CallPair(args=made.call.args, expected=False)
    assert asked(pool, prompt, programs, [*agreed, no], first=3) is None


def test_the_input_separates_and_is_plain(pool: Pool) -> None:
    body = "def f(xs):\n    return {}\n"
    pairs = {
        ("sorted(xs)", "sorted(xs)[::-1]"): ([0, 1],),
        ("sorted(xs)", "sorted(set(xs))"): ([0, 0],),
        ("len(xs)", "len(xs) + (7 in xs)"): ([7],),
        ("sum(xs)", "sum(xs, 0.0) + 1e-3"): ([],),
        ("xs[:3]", "xs[:4]"): ([0, 0, 0, 0],),
        ("sum(x for x in xs if x > 0)", "sum(xs)"): ([-1],),
    }
    for (one, other), plainest in pairs.items():
        programs = [body.format(one)] * 2 + [body.format(other)]
        made = asked(pool, LISTS, programs)
        assert made is not None, one
        first, second = (run(program, made.call) for program in (programs[0], programs[2]))
        assert first != second
        # As short, and with numbers as small.
        plain = Call(args=plainest)
        assert plainness(made.call)[:2] == plainness(plain)[:2], (one, other, made.call)


def test_nothing_is_asked_where_no_reply_could_help(pool: Pool) -> None:
    up, down = "def f(xs):\n    return sorted(xs)\n", "def f(xs):\n    return sorted(xs)[::-1]\n"
    assert asked(pool, LISTS, [up] * 3) is None
    assert asked(pool, LISTS, [up, up, "def f(xs):\n    raise ValueError\n"]) is None
    # A reading of few, beside one of many.
    assert asked(pool, LISTS, [up] * 20 + [down]) is None
    assert asked(pool, LISTS, [up] * 20 + [down] * 3) is not None
    shown = [CallPair(args=([1, 2],), expected=[1, 2])]
    assert asked(pool, LISTS, [up] * 3 + [down] * 3, shown) is None
    # An example says what is returned, not what is printed or altered.
    in_place = "def f(xs):\n    xs.sort()\n    return xs\n"
    talks = "def f(xs):\n    print(xs)\n    return sorted(xs)\n"
    assert asked(pool, LISTS, [up, in_place, talks]) is None
    made = asked(pool, LISTS, [up, up, in_place, in_place, talks, down])
    assert made is not None
    assert made.choices[1].value == [1, 0]


def test_a_hostile_rival_cannot_upset_the_search() -> None:
    value = Outcome(kind="value", value=1, wire=b"1")
    other = Outcome(kind="value", value=2, wire=b"2")
    late = Outcome(kind="timeout", wire=b"timeout")
    calls = [Call(args=([3],)), Call(args=([4, 5],))]
    classes = [
        BehaviourClass(members=(0,), representative=0, outcomes=(value, value), mass=0.5),
        BehaviourClass(members=(1,), representative=1, outcomes=(other, value), mass=0.5),
    ]

    def changes_its_mind(_: int, __: int, some: Sequence[Call]) -> Any:
        return [value] * len(some), [value] * len(some)

    assert question(classes, calls, changes_its_mind) is None

    def dies(_: int, __: int, some: Sequence[Call]) -> Any:
        return [value] * len(some), [late] * len(some)

    made = question(classes, calls, dies)
    assert made is not None
    assert made.choices == (value, late)
    assert question(classes[:1], calls, dies) is None
    assert question([], calls, dies) is None
