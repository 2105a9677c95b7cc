"""From candidates to an answer, end to end: the right one, whatever the order, whoever attacks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from codewright.sandbox.pool import Pool
from codewright.types.behaviour import Answer
from codewright.types.judging import CallPair, Candidate, Limits
from codewright.verify.assess import assess
from codewright.verify.select import METHODS
from codewright.verify.study import Assessment
from codewright.verify.trust import Trust
from tests.verify.attackers import QUICK, STUBBORN
from tests.verify.made import made

SHOWN = 'def f(xs: list[int]) -> list[int]:\n    """Returns the items in ascending order."""\n'
SORTS = "def f(xs):\n    return sorted(xs)\n"
INSERTS = (
    "def f(xs):\n    out = []\n    for x in xs:\n        at = 0\n"
    "        while at < len(out) and out[at] < x: at += 1\n        out.insert(at, x)\n"
    "    return out\n"
)
FALLS = "def f(xs):\n    return sorted(xs)[::-1]\n"
UNIQUE = "def f(xs):\n    return sorted(set(xs))\n"
IN_PLACE = "def f(xs):\n    xs.sort()\n    return xs\n"
TALKS = "def f(xs):\n    print(xs)\n    return sorted(xs)\n"
RAISES = "def f(xs):\n    raise ValueError\n"
BROKEN = "def f(xs):\n    return sorted(xs\n"
EXAMPLE = CallPair(args=([2, 1],), expected=[1, 2])


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def trust() -> Trust:
    """Weights from tasks to double a number, some of them harder than others."""
    rng = random.Random(0)
    cases, truths = [], []
    for _ in range(40):
        skill = rng.random()
        programs = [
            "2 * x" if rng.random() < skill else f"{rng.randrange(3, 9)} * x" for _ in range(8)
        ]
        test = f"assert f(3) == {6 if rng.random() < skill else 9}"
        example = CallPair(args=(1,), expected=2)
        cases.append(made(programs, [(n,) for n in range(4)], examples=[example], tests=[test]))
        truths.append([program == "2 * x" for program in programs])
    return Trust.fit(cases, truths)


def candidates(programs: Sequence[str]) -> list[Candidate]:
    return [Candidate(text=program, program=program) for program in programs]


def texts(answer: Answer, programs: Sequence[str]) -> set[tuple[str, ...]]:
    """The classes as what is in them."""
    return {tuple(sorted(programs[row] for row in each.members)) for each in answer.classes}


def test_the_right_program_is_chosen(pool: Pool, trust: Trust) -> None:
    programs = [BROKEN, UNIQUE, SORTS, IN_PLACE, INSERTS, SORTS, FALLS, TALKS, RAISES]
    settings = Assessment(trust=trust)
    answer = assess(SHOWN, "f", candidates(programs), executor=pool, settings=settings)
    assert answer.chosen == 2
    assert answer.program == SORTS
    assert answer.entry_point == "f"
    assert answer.candidates == 9
    assert answer.classes[0].members == (2, 4, 5)
    assert answer.classes[0].mass == pytest.approx(3 / 9)
    # What alters its argument, or prints, does something else.
    assert sorted(len(each.members) for each in answer.classes) == [1] * 6 + [3]
    assert 0 < answer.entropy <= answer.text_entropy
    assert answer.probability_entropy is None
    assert len(answer.classes[0].outcomes) == len(answer.calls) > 20
    assert any("SyntaxError 1" in finding for finding in answer.findings)
    again = assess(SHOWN, "f", candidates(programs), executor=pool, settings=settings)
    assert again == answer
    other = assess(
        SHOWN, "f", candidates(programs), executor=pool, settings=replace(settings, seed=5)
    )
    assert other.calls != answer.calls
    assert other.chosen == 2


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_an_answer(pool: Pool, trust: Trust, method: str) -> None:
    programs = [BROKEN, FALLS, SORTS, INSERTS, UNIQUE]
    answer = assess(
        SHOWN, "f", candidates(programs), executor=pool, examples=[EXAMPLE],
        tests=["assert f([3, 1, 1]) == [1, 1, 3]"],
        settings=Assessment(trust=trust, method=method),
    )  # fmt: skip
    assert answer.method == method
    assert answer.chosen == (1 if method == "first" else 2)
    assert texts(answer, programs) == {(BROKEN,), (FALLS,), (INSERTS, SORTS), (UNIQUE,)}
    assert [each.examples_held for each in answer.classes if each.members == (2, 3)] == [1]
    assert answer.examples == 1
    assert answer.chosen in answer.classes[0].members


def test_the_order_of_candidates_changes_nothing(pool: Pool, trust: Trust) -> None:
    programs = [SORTS] * 4 + [INSERTS, UNIQUE, UNIQUE, FALLS, TALKS, BROKEN, RAISES]
    programs += [QUICK["chance"], QUICK["memory"], STUBBORN["sleeps"]]
    seen, sure = [], []
    for seed in range(3):
        order = random.Random(seed).sample(programs, len(programs)) if seed else programs
        answer = assess(
            SHOWN, "f", candidates(order), executor=pool, examples=[EXAMPLE],
            tests=["assert f([3, 1, 1]) == [1, 1, 3]", "assert f([1]) == [2]"],
            settings=Assessment(trust=trust),
        )  # fmt: skip
        rows = sorted(row for each in answer.classes for row in each.members)
        assert rows == list(range(len(programs)))
        assert sum(each.mass for each in answer.classes) == pytest.approx(1)
        figures = sorted((each.mass, each.score) for each in answer.classes)
        asked = answer.question and answer.question.call
        seen.append((
            texts(answer, order), answer.program, answer.calls, asked, answer.state,
        ))  # fmt: skip
        # Up to rounding: sums are taken in another order.
        sure.append([answer.entropy, answer.confidence, *chain.from_iterable(figures)])
    assert all(each == seen[0] for each in seen)
    assert all(each == pytest.approx(sure[0]) for each in sure)


def test_what_little_is_known_is_enough(pool: Pool, trust: Trust) -> None:
    settings = Assessment(trust=trust)
    free = [
        Candidate(text="1", program="def order(q):\n    return sorted(q)\n", entry_point="order"),
        Candidate(text="2", program="def up(v, /):\n    return sorted(v)\n", entry_point="up"),
        Candidate(text="3", program=FALLS),
    ]
    answer = assess("Put numbers in order.", "f", free, executor=pool, settings=settings)
    assert {each.members for each in answer.classes} == {(0, 1), (2,)}
    assert answer.chosen in (0, 1)
    assert answer.entry_point == free[answer.chosen].entry_point
    assert any(type(call.args[0]) is list for call in answer.calls)
    adds = ["def f(a, b): return a + b", "def f(a, b): return a + b", "def f(a, b): return b + a",
            "def f(a, b): return a"]  # fmt: skip
    answer = assess("", "f", candidates(adds), executor=pool, settings=settings)
    assert {each.members for each in answer.classes} == {(0, 1), (2,), (3,)}
    keyword = ["def f(a, *, b): return a - b", "def f(a, *, b=0): return a - b",
               "def f(a, b): return b - a"]  # fmt: skip
    shown = "def f(a: int, *, b: int) -> int:\n    ...\n"
    answer = assess(shown, "f", candidates(keyword), executor=pool, settings=settings)
    assert all(call.kwargs for call in answer.calls)
    assert {each.members for each in answer.classes} == {(0, 1), (2,)}
    likely = [replace(each, log_probability=-k, tokens=4) for k, each in enumerate(free, 1)]
    answer = assess("", "f", likely, executor=pool, settings=settings)
    assert answer.probability_entropy is not None
    assert sum(each.probability_mass or 0 for each in answer.classes) == pytest.approx(1)
    assert answer.classes[0].representative == 0
    partly = [*likely[:2], free[2]]
    assert assess("", "f", partly, executor=pool, settings=settings).probability_entropy is None


def test_nothing_to_choose_from(pool: Pool, trust: Trust) -> None:
    settings = Assessment(trust=trust)
    for programs in ([], [BROKEN], ["", "\0", "f = 3", RAISES]):
        for method in METHODS:
            answer = assess(
                SHOWN, "f", candidates(programs), executor=pool,
                settings=replace(settings, method=method),
            )  # fmt: skip
            assert (answer.chosen, answer.program) == (None, "")
            assert answer.state == "abstain"
            assert answer.confidence == 0
            assert answer.question is None
            assert sum(len(each.members) for each in answer.classes) == len(programs)
            assert not any("chosen program" in finding for finding in answer.findings)
    alone = assess(SHOWN, "f", candidates([SORTS]), executor=pool, settings=settings)
    assert (alone.chosen, alone.entropy, alone.question) == (0, 0.0, None)
    alike = assess(SHOWN, "f", candidates([SORTS] * 300), executor=pool, settings=settings)
    assert (alike.chosen, alike.entropy, alike.text_entropy) == (0, 0.0, 0.0)
    assert alike.confidence > alone.confidence


def test_tests_are_read_and_never_run(pool: Pool, trust: Trust, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    hostile = [
        f"__import__('os').system('touch {trap}')",
        f"assert f(__import__('os').system('touch {trap}')) == 1",
        f"assert f([1]) == [1] and open('{trap}', 'w')",
        f"def check(f):\n    open('{trap}', 'w')\n    assert f([1]) == [1]",
        "assert f(*[[1]] * 10**9) == 1", "assert f(10**10**10) == 3", "assert f('x' * 10**10) == 1",
        f"assert f({'[' * 300}{']' * 300}) == 1", f"assert {'(' * 9999}", "\0", "assert f(", "",
        "assert f(f([2, 1])) == [1, 2]", "assert f(1, 2, 3, 4) == 1", "assert f(nothing=1) == 1",
        "assert f([float('nan')]) == 1", "assert 'a' in f([3])", "assert sum(f([4, 5])) > 1e999",
        "assert sorted(f([6, 5])) == 10 ** 10 ** 10", "assert f([1, 2]) @ f([2, 1])",
    ]  # fmt: skip
    programs = [SORTS, SORTS, FALLS, "def f(xs): return range(10**15)"]
    answer = assess(
        SHOWN, "f", candidates(programs), executor=pool,
        tests=[*hostile * 3, "assert f([3, 1]) == [1, 3]"],
        settings=Assessment(trust=trust, method="dual"),
    )  # fmt: skip
    assert not trap.exists()
    assert answer.chosen == 0
    assert {each.members for each in answer.classes} == {(0, 1), (2,), (3,)}


def test_the_hostile_have_one_vote_each(pool: Pool, trust: Trust) -> None:
    honest = [SORTS] * 3 + [INSERTS] * 2 + [FALLS] * 2 + [UNIQUE]
    hostile = [*QUICK.values(), *STUBBORN.values()]
    settings = Assessment(
        trust=trust, method="majority", rounds=1, calls=40,
        limits=Limits(cpu_seconds=0.5, wall_seconds=0.5),
    )  # fmt: skip
    alone = assess(SHOWN, "f", candidates(honest), executor=pool, settings=settings)
    programs = [*hostile, *honest]
    answer = assess(SHOWN, "f", candidates(programs), executor=pool, settings=settings)
    among = {
        tuple(row - len(hostile) for row in each.members if row >= len(hostile))
        for each in answer.classes
    } - {()}
    assert among == {each.members for each in alone.classes}
    masses = {each.members: each.mass for each in answer.classes}
    assert sum(masses.values()) == pytest.approx(1)
    best = answer.classes[0]
    assert set(range(len(hostile), len(hostile) + 5)) <= set(best.members)
    # Whoever does as the majority does is counted once, and whoever only seems to is not.
    copies = [list(QUICK)[row] for row in best.members if row < len(QUICK)]
    assert set(copies) <= {"writes", "closes", "patches"}, copies
    assert answer.program in (SORTS, *(QUICK[name] for name in copies))
    # A reading that only liars offer is no class of the honest.
    offers = [each for each in answer.classes if each.members[-1] < len(hostile)]
    assert all(len(each.members) <= 12 for each in offers)
