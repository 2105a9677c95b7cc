"""Choosing on a benchmark: cross-fitted weights, figures that add up, runs that resume."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from codewright.errors import DataError
from codewright.evaluate.cases import Known, cases
from codewright.evaluate.selection import cross_fitted, halves, selected, summary
from codewright.evaluate.written import beside, written_tests
from codewright.files import RowLog
from codewright.sandbox.pool import Pool
from codewright.types.behaviour import Observation, Probe
from codewright.types.judging import AssertTests, CallPair, Candidate, Problem
from codewright.verify.select import METHODS
from codewright.verify.study import Assessment
from tests.verify.made import made
from tests.verify.test_trust import problem


def named(count: int, seed: int = 0):  # type: ignore[no-untyped-def]
    rng = random.Random(seed)
    made = {f"p/{number}": problem(rng) for number in range(count)}
    return {n: case for n, (case, _) in made.items()}, {n: truth for n, (_, truth) in made.items()}


def test_halves_share_the_problems_and_no_problem_judges_itself() -> None:
    names = [f"p/{number}" for number in range(41)]
    parts = halves(names, 3)
    assert sorted(parts) == sorted(names)
    assert abs(sum(parts.values()) * 2 - len(names)) <= 1
    assert halves(names, 3) == parts != halves(names, 4)
    seen, truths = named(60)
    trusts, words = cross_fitted(seen, truths, 1)
    assert "half" in words
    half = halves(list(seen), 1)
    # Whatever is said of a problem's truth changes nothing of the weights that it is chosen by.
    first = next(name for name in seen if half[name] == 0)
    lied = {**truths, first: [not each for each in truths[first]]}
    again, _ = cross_fitted(seen, lied, 1)
    assert again[first].to_dict() == trusts[first].to_dict()
    other = next(name for name in seen if half[name] == 1)
    assert again[other].to_dict() != trusts[other].to_dict()
    few, words = cross_fitted(dict(list(seen.items())[:10]), truths, 1)
    assert words == "shipped"
    assert len({id(trust) for trust in few.values()}) == 1


def test_figures_add_up() -> None:
    seen, truths = named(50)
    trusts, words = cross_fitted(seen, truths, 0)
    for method in METHODS:
        result = selected(method, seen, truths, trusts, words)
        told = summary(result)
        json.dumps(told, allow_nan=False)
        rights = [
            np.mean([truths[name][row] for row in chosen.members])
            for name, chosen in result.chosen.items()
        ]
        assert told["selected_pass_at_1"] == pytest.approx(np.mean(rights))
        assert told["interval"][0] <= told["selected_pass_at_1"] <= told["interval"][1]
        assert told["random_pass_at_1"] <= told["oracle_pass_at_1"]
        assert told["selected_pass_at_1"] <= told["oracle_pass_at_1"] + 1e-9
        coverage, risk = told["risk_coverage"][-1]
        assert coverage == 1
        assert risk == pytest.approx(1 - told["selected_pass_at_1"], abs=1e-3)
        confident = [c for c in result.chosen.values() if c.state == "confident"]
        assert told["confident_coverage"] == pytest.approx(len(confident) / 50)
        assert told["error_at_5_percent"] <= 0.05
        assert set(told["auroc_of"]) == {
            "log of class mass", "number of classes", "semantic entropy", "text entropy",
        }  # fmt: skip
    best = summary(selected("best", seen, truths, trusts, words))
    assert best["selected_pass_at_1"] >= best["random_pass_at_1"]
    assert best["auroc"] > 0.6


def test_figures_of_choices_that_are_all_right() -> None:
    case = made(["2 * x"] * 4, [(1,), (2,)])
    seen, truths = {"a": case, "b": case}, {"a": [True] * 4, "b": [True] * 4}
    trusts, words = cross_fitted(seen, truths, 0)
    told = summary(selected("best", seen, truths, trusts, words))
    assert words == "shipped"
    assert told["auroc"] is told["auroc_interval"] is None
    assert told["selected_pass_at_1"] == 1
    assert told["risk_coverage"] == [[1.0, 0.0]]
    json.dumps(told, allow_nan=False)


class Counted:
    """An observer that counts programs, and may give out."""

    def __init__(self, pool: Pool, most: float = math.inf) -> None:
        self._pool = pool
        self._most = most
        self.programs = 0

    def observe(self, probes: Iterable[Probe]) -> Iterator[Observation]:
        for seen in self._pool.observe(probes):
            self.programs += 1
            if self.programs > self._most:
                raise KeyboardInterrupt
            yield seen


def test_a_run_that_was_ended_goes_on_where_it_stopped(tmp_path: Path) -> None:
    tests = AssertTests(code="assert f(2) == 4")
    problems = [
        Problem(id=f"t/{n}", prompt="def f(x: int) -> int:\n", entry_point="f", tests=tests)
        for n in range(4)
    ]
    programs = ["def f(x):\n    return 2 * x\n", "def f(x):\n    return x + 2\n", "def f(: x"]
    candidates = {
        p.id: [Candidate(text=text, program=f"# {p.id}\n{text}") for text in programs]
        for p in problems
    }
    example = CallPair(args=(3,), expected=6)
    known = {
        p.id: Known(prompt=p.prompt, examples=(example,), tests=("assert f(5) == 10",))
        for p in problems
    }
    settings = Assessment(calls=20, rounds=1)
    path = tmp_path / "cases.jsonl"

    def run(observer: Counted, what: dict[str, Known] = known):  # type: ignore[no-untyped-def]
        with RowLog(path) as log:
            return cases(
                problems, candidates, what, observer=observer, settings=settings, log=log,
                watch=lambda _: None,
            )  # fmt: skip

    with Pool(workers=1) as pool:
        whole = Counted(pool)
        reference = run(whole)
        path.unlink()
        with pytest.raises(KeyboardInterrupt):
            run(Counted(pool, most=whole.programs // 2))
        assert 0 < len(path.read_text().splitlines()) < 4
        rest = Counted(pool)
        again = run(rest)
        assert 0 < rest.programs < whole.programs
        nothing = Counted(pool)
        run(nothing)
        assert nothing.programs == 0
        for name, case in reference.items():
            assert np.array_equal(case.table, again[name].table)
            assert case.classes == again[name].classes == ((0,), (1,), (2,))
            assert again[name].held[:, 0].tolist() == [True, False, False]
            assert again[name].passes[:, 0].tolist() == [True, False, False]
        # Other tests, other cases.
        other = Counted(pool)
        run(other, {name: Known(prompt=what.prompt) for name, what in known.items()})
        assert other.programs == whole.programs or other.programs > 0
    path.write_text('{"key": "k", "task": "t/0", "case": {"table": ["<O8", [1], "eA=="]}}\n')
    with RowLog(path) as log, pytest.raises(DataError, match="not the case of a problem"):
        cases(
            problems, candidates, known, observer=Counted(None), settings=settings,  # type: ignore[arg-type]
            log=log, watch=lambda _: None,
        )  # fmt: skip


def test_files_of_written_tests(tmp_path: Path) -> None:
    problems = [
        Problem(id=f"Human/{n}", prompt=f"p{n}", entry_point="f", tests=AssertTests(code=""))
        for n in range(2)
    ]
    text = "f(1) == 2\nassert f(2) == 3\nassert g(2)\nassert f(\nassert f(3) == 4"
    rows = [
        {"prompt": "ask 0", "samples": [text, "nothing"]},
        {"task_id": "human/1", "tests": ["assert f(9) == 9", "assert f(9) == 9"]},
    ]
    path = tmp_path / "x_test_case.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = written_tests(path, problems, lambda: {"ask 0": "Human/0"})
    assert found["Human/0"] == ("assert f(1) == 2", "assert f(2) == 3", "assert f(3) == 4")
    assert found["Human/1"] == ("assert f(9) == 9",) * 2
    samples = tmp_path / "x_code_solution.jsonl"
    assert beside(samples) == path
    assert beside(tmp_path / "y_code_solution.jsonl") is None
    assert beside(tmp_path / "z.jsonl") is None
    for broken in ({"prompt": "who"}, {"task_id": "Human/0"}, {"task_id": "Human/7", "tests": []},
                   {"task_id": "Human/0", "tests": [1]}):  # fmt: skip
        path.write_text(json.dumps(broken) + "\n")
        with pytest.raises(DataError, match="line 1"):
            written_tests(path, problems, dict)
