"""pass@k against exact fractions, against counting every draw, and its intervals."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.evaluate.passk import bootstrap, curve_ks, pass_at_k, score, table


@st.composite
def triples(draw: st.DrawFn, most: int) -> tuple[int, int, int]:
    n = draw(st.integers(1, most))
    return n, draw(st.integers(0, n)), draw(st.integers(1, n))


def exact(n: int, c: int, k: int) -> Fraction:
    return 1 - Fraction(comb(n - c, k), comb(n, k))


@given(triples(300))
def test_equals_the_definition_in_exact_fractions(case: tuple[int, int, int]):
    n, c, k = case
    truth = exact(n, c, k)
    assert abs(Fraction(pass_at_k(n, c, k)) - truth) <= truth * Fraction(1, 10**14)


@given(triples(7))
def test_equals_counting_every_draw(case: tuple[int, int, int]):
    n, c, k = case
    draws = list(combinations(range(n), k))
    hits = sum(any(sample < c for sample in draw) for draw in draws)
    assert pass_at_k(n, c, k) == pytest.approx(hits / len(draws), abs=1e-15)


@given(triples(200))
def test_more_passes_or_more_draws_never_lower_it(case: tuple[int, int, int]):
    n, c, k = case
    here = pass_at_k(n, c, k)
    if c < n:
        assert pass_at_k(n, c + 1, k) >= here
    if k < n:
        assert pass_at_k(n, c, k + 1) >= here
    assert pass_at_k(n, c, 1) == pytest.approx(c / n, rel=1e-12)


@pytest.mark.parametrize("n", [10**6, 10**9])
def test_stays_exact_where_the_binomials_have_millions_of_digits(n: int):
    assert pass_at_k(n, 1, 1) == pytest.approx(1 / n, rel=1e-12)
    assert pass_at_k(n, 1, n // 2) == pytest.approx(0.5, rel=1e-12)
    assert pass_at_k(n, n // 2, 10) == pytest.approx(1 - 0.5**10, abs=1e-5)
    assert pass_at_k(n, n // 2 + 1, n // 2) == 1.0
    assert pass_at_k(n, 0, n) == 0.0


@pytest.mark.parametrize(("n", "c", "k"), [(5, 6, 1), (5, -1, 1), (5, 1, 0), (5, 1, 6), (0, 0, 1)])
def test_refuses_what_is_not_defined(n: int, c: int, k: int):
    with pytest.raises(ValueError, match="not defined"):
        pass_at_k(n, c, k)


def test_table_has_a_row_per_problem_and_a_column_per_k():
    counts = [(10, 3), (10, 0), (20, 20)]
    values = table(counts, (1, 5, 10))
    assert values.shape == (3, 3)
    for row, (n, c) in zip(values, counts, strict=True):
        assert row.tolist() == [pass_at_k(n, c, k) for k in (1, 5, 10)]


def slow_bootstrap(values: list[float], seed: int, resamples: int) -> tuple[float, float]:
    """Draws problems one at a time, as the definition says."""
    draws = np.random.default_rng(seed)
    means = sorted(
        sum(values[draws.integers(len(values))] for _ in values) / len(values)
        for _ in range(resamples)
    )
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def test_bootstrap_agrees_with_drawing_one_at_a_time():
    values = [i % 7 / 6 for i in range(40)]
    slow = slow_bootstrap(values, seed=5, resamples=3000)
    low, high = bootstrap(np.array(values)[:, None], seed=1)
    assert low[0] == pytest.approx(slow[0], abs=0.015)
    assert high[0] == pytest.approx(slow[1], abs=0.015)


def test_bootstrap_is_seeded_and_moves_with_the_seed():
    values = np.random.default_rng(0).random((50, 3))
    first, again, other = (bootstrap(values, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (first[0] < values.mean(axis=0)).all()
    assert (values.mean(axis=0) < first[1]).all()


def test_bootstrap_of_equal_problems_has_no_width():
    low, high = bootstrap(np.full((9, 2), 0.25), seed=0)
    assert low == pytest.approx([0.25, 0.25])
    assert high == pytest.approx([0.25, 0.25])


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    draws = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        sample = draws.beta(2, 5, size=80)
        low, high = bootstrap(sample[:, None], seed=trial, resamples=1000)
        covered += bool(low[0] <= 2 / 7 <= high[0])
    assert 180 <= covered <= 199


def test_a_k_that_some_problem_cannot_give_is_left_out_and_said():
    result = score([(10, 3), (10, 5), (4, 1)], (1, 4, 5, 10), seed=0)
    assert sorted(result.values) == [1, 4]
    assert result.values[1] == pytest.approx((0.3 + 0.5 + 0.25) / 3)
    assert result.left_out == {
        5: "1 of 3 problems have fewer than 5 samples",
        10: "1 of 3 problems have fewer than 10 samples",
    }
    low, high = result.intervals[1]
    assert low <= result.values[1] <= high


def test_no_samples_no_score():
    result = score([], (1, 10), seed=0)
    assert (result.values, result.intervals) == ({}, {})
    assert set(result.left_out) == {1, 10}
    assert score([(1, 1)], (5,), seed=0).values == {}


@given(st.integers(0, 3000))
def test_the_curve_runs_from_one_to_all(least: int):
    ks = curve_ks(least)
    assert ks == sorted(set(ks))
    assert (ks[:1], ks[-1:]) == (([1], [least]) if least else ([], []))
    assert len(ks) < 60
