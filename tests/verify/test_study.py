"""What inputs are kept, what they cost, and who has no say in it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pytest

from codewright.sandbox.pool import Pool
from codewright.types.behaviour import Call, Observation, Outcome, Probe
from codewright.types.judging import CallPair, Candidate, Limits
from codewright.verify.study import MOST_TEST_CALLS, Assessment, Studied, study
from tests.verify.attackers import QUICK, STUBBORN

NUMBERS = "def f(n: int) -> int:\n    ...\n"
LISTS = "def f(xs: list[int]) -> list[int]:\n    ...\n"
DOUBLES = "def f(n):\n    return 2 * n\n"
SQUARES = "def f(n):\n    return n * n\n"
SLOW = "def f(n):\n    while n > 3: pass\n    return 2 * n\n"
FEW = Assessment(calls=30, rounds=1)
SORTS = "def f(xs):\n    return sorted(xs)\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(workers=2) as running:
        yield running


class Counting:
    """An observer that remembers what it was asked for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.probes: list[Probe] = []

    def observe(self, probes: Iterable[Probe]) -> Iterator[Observation]:
        asked = list(probes)
        self.probes += asked
        return self._pool.observe(asked)


def looked_at(
    pool: Pool | Counting,
    prompt: str,
    programs: Sequence[str],
    examples: Sequence[CallPair] = (),
    tests: Sequence[str] = (),
    settings: Assessment | None = None,
) -> Studied:
    return study(
        prompt, "f", [Candidate(text=text, program=text) for text in programs], executor=pool,
        examples=examples, tests=tests, settings=settings or Assessment(),
    )  # fmt: skip


def test_slow_inputs_are_left_out_and_examples_are_not(pool: Pool) -> None:
    examples = [CallPair(args=(9,), expected=18), CallPair(args=(2,), expected=4)]
    programs = [DOUBLES, SLOW, SLOW + "# again\n", SQUARES]
    studied = looked_at(pool, NUMBERS, programs, examples, settings=FEW)
    made = [call.args[0] for call in studied.calls]
    assert {9, 2} <= set(made)
    assert all(number <= 3 for number in made if number != 9)
    assert studied.left_out > 0
    at = made.index(9)
    assert [row[at].kind for row in studied.observed] == ["value", "timeout", "timeout", "value"]
    assert studied.case.held.tolist() == [[True] * 2, [False, True], [False, True], [False, True]]
    assert [len(row) for row in studied.observed] == [len(made)] * 4
    assert studied.case.table.shape == (4, len(made))
    # Who is late on nearly all is no measure of what is slow.
    hopeless = "def f(n):\n    while True: pass\n"
    fine = looked_at(pool, NUMBERS, [DOUBLES, SQUARES, DOUBLES + "# 2\n", hopeless], settings=FEW)
    assert max(call.args[0] for call in fine.calls) > 3


def test_what_a_function_is_not_for_is_out_of_scope(pool: Pool) -> None:
    picky = "def f(n):\n    if n < 0: raise ValueError\n    return {}\n"
    programs = [picky.format("n"), picky.format("n + 1"), "def f(n): return n", "f = None"]
    studied = looked_at(pool, NUMBERS, programs)
    assert all(call.args[0] >= 0 for call in studied.calls)
    assert studied.left_out > 0
    assert studied.case.classes == ((0, 2), (1,), (3,))
    shown = [CallPair(args=(-4,), expected=0)]
    kept = looked_at(pool, NUMBERS, programs, shown)
    assert [call.args[0] for call in kept.calls if call.args[0] < 0] == [-4]
    dead = looked_at(pool, NUMBERS, ["f = 1", "def f(n): return n.no"])
    assert len(dead.calls) == 100
    assert not dead.case.live.any()


def test_the_budget_is_kept(pool: Pool) -> None:
    programs = [f"def f(n): return n % {k}" for k in range(2, 12)]
    for calls, rounds in ((10, 0), (10, 2), (60, 3), (0, 0)):
        counting = Counting(pool)
        settings = Assessment(calls=calls, rounds=rounds)
        studied = looked_at(counting, NUMBERS, programs, settings=settings)
        assert len(studied.calls) + studied.left_out <= calls + 30 * rounds
        met = {id(probe.inputs): probe.inputs for probe in counting.probes}
        assert sum(len(inputs.calls) for inputs in met.values()) <= 2 * (calls + 30 * rounds)
    # Tests have a limit of their own, whatever they are.
    tests = [f"assert f({number}) == {number}" for number in range(1000)]
    settings = Assessment(calls=10, rounds=0)
    studied = looked_at(pool, NUMBERS, programs, tests=tests, settings=settings)
    assert 200 < len(studied.calls) <= 10 + MOST_TEST_CALLS
    assert studied.case.passes.shape[1] == len(studied.case.counts) <= MOST_TEST_CALLS + 10
    often = looked_at(
        pool, NUMBERS, programs, tests=["assert f(1) == 1"] * 7 + ["assert f(0) == 0"]
    )
    assert sorted(often.case.counts) == [1, 7]
    assert often.case.weights.sum() == pytest.approx(1)
    # Equal programs are run once.
    counting = Counting(pool)
    looked_at(counting, NUMBERS, [DOUBLES] * 50 + [SQUARES] * 50, settings=settings)
    assert len(counting.probes) == 4


def test_the_order_of_candidates_decides_nothing(pool: Pool) -> None:
    programs = [f"def f(n): return n % {k}" for k in range(2, 14)] + [SLOW, SQUARES]
    first = looked_at(pool, NUMBERS, programs, settings=FEW)
    for seed in range(2):
        order = random.Random(seed).sample(range(len(programs)), len(programs))
        other = looked_at(pool, NUMBERS, [programs[at] for at in order], settings=FEW)
        assert other.calls == first.calls
        assert other.left_out == first.left_out
        assert other.observed == tuple(first.observed[at] for at in order)
    again = looked_at(pool, NUMBERS, programs, settings=FEW)
    assert (again.calls, again.observed) == (first.calls, first.observed)
    assert looked_at(pool, NUMBERS, programs, settings=replace(FEW, seed=1)).calls != first.calls


def test_who_has_used_up_his_time_gets_no_more(pool: Pool) -> None:
    limits = Limits(cpu_seconds=0.5, wall_seconds=0.5)
    settings = Assessment(rounds=3, limits=limits)
    mods = [f"def f(xs): return [x % {k} for x in xs]" for k in range(2, 12)]
    counting = Counting(pool)
    studied = looked_at(counting, LISTS, [*mods, *STUBBORN.values()], settings=settings)
    runs = {text: sum(p.program == text for p in counting.probes) for text in STUBBORN.values()}
    batches = max(sum(p.program == text for p in counting.probes) for text in mods)
    assert batches > 2
    assert runs[STUBBORN["hears nothing"]] <= 2
    assert runs[STUBBORN["sleeps on"]] <= 2
    late = studied.observed[len(mods) + list(STUBBORN).index("hears nothing")]
    assert {outcome.kind for outcome in late} == {"timeout"}
    assert all(o.kind == "value" for row in studied.observed[: len(mods)] for o in row)


def test_what_is_seen_of_others_stays_as_it_is(pool: Pool) -> None:
    honest = [SORTS, "def f(xs): return sorted(xs)[::-1]", "def f(xs): return sorted(set(xs))"]
    settings = Assessment(calls=30, rounds=0)
    # The hostile are fewer than the honest here: what most refuse is out of scope.
    many = [text + f"# {number}\n" for number in range(25) for text in [f"{h}\n" for h in honest]]
    alone = looked_at(pool, LISTS, many, settings=settings)
    known = {call: number for number, call in enumerate(map(repr, alone.calls))}
    for hostile in (list(QUICK.values())[:30], list(QUICK.values())[30:]):
        mixed = looked_at(pool, LISTS, [*hostile, *many], settings=settings)
        at = [(number, known[repr(call)]) for number, call in enumerate(mixed.calls)
              if repr(call) in known]  # fmt: skip
        assert len(at) >= len(known) - 3
        for mine, theirs in zip(mixed.observed[len(hostile) :], alone.observed, strict=True):
            assert [mine[n].wire for n, _ in at] == [theirs[n].wire for _, n in at]


def test_an_observer_that_fails_is_not_silenced() -> None:
    class Broken:
        def observe(self, probes: Iterable[Probe]) -> Iterator[Observation]:
            raise OSError("no machine")

    with pytest.raises(OSError, match="no machine"):
        study(
            NUMBERS, "f", [Candidate(text=DOUBLES, program=DOUBLES)], executor=Broken(),
            settings=Assessment(),
        )  # fmt: skip


def test_many_who_only_wait_do_not_hold_up_a_study() -> None:
    """Against an observer without a clock: no program is asked for more than its batches."""
    late = Outcome(kind="timeout", wire=b"timeout")

    class Dull:
        asked = 0

        def observe(self, probes: Iterable[Probe]) -> Iterator[Observation]:
            for probe in probes:
                self.asked += 1
                calls = len(probe.inputs.calls)
                yield Observation(outcomes=(late,) * calls, message="waited")

    dull = Dull()
    began = time.monotonic()
    many = [Candidate(text=str(n), program=f"def f(n): return {n}") for n in range(200)]
    studied = study(NUMBERS, "f", many, executor=dull, settings=Assessment())
    assert dull.asked <= 200
    assert time.monotonic() - began < 20
    assert not studied.case.live.any()
    assert isinstance(studied.calls[0], Call)
