"""The metrics against scikit-learn and against slow versions that follow the definitions."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

from codewright.verify.metrics import (
    Difference,
    aurc,
    auroc,
    bootstrap_difference,
    bootstrap_interval,
    brier,
    confident_coverage,
    ece,
    ece_equal_mass,
    risk_coverage,
)

# Few values, so that ties are the rule.
CHANCE = st.integers(0, 16).map(lambda step: step / 16)
JUDGED = st.lists(st.tuples(CHANCE, st.booleans()), min_size=1, max_size=40)
MIXED = JUDGED.map(lambda rows: [*rows, (0.5, True), (0.25, False)])
SOFT = st.lists(st.tuples(CHANCE, CHANCE), min_size=1, max_size=40)


def columns(rows):
    return [list(column) for column in zip(*rows, strict=True)]


@given(MIXED, st.data())
@settings(max_examples=40)
def test_auroc_equals_scikit_learn(rows, data):
    scores, labels = columns(rows)
    assert auroc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    weight = st.floats(0.1, 3)
    weights = data.draw(st.lists(weight, min_size=len(rows), max_size=len(rows)))
    theirs = roc_auc_score(labels, scores, sample_weight=weights)
    assert auroc(scores, labels, weights=weights) == pytest.approx(theirs, abs=1e-12)


@given(MIXED)
def test_auroc_is_the_share_of_pairs_in_the_right_order(rows):
    right = [score for score, label in rows if label]
    wrong = [score for score, label in rows if not label]
    pairs = [(a > b) + (a == b) / 2 for a in right for b in wrong]
    scores, labels = columns(rows)
    assert auroc(scores, labels) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)
    turned = auroc([-score for score in scores], labels)
    assert auroc(scores, labels) + turned == pytest.approx(1.0)


def test_auroc_without_two_kinds_is_not_a_number():
    assert math.isnan(auroc([1, 2], [True, True]))
    assert math.isnan(auroc([1, 2], [True, False], weights=[1, 0]))
    with pytest.raises(ValueError, match="True or False"):
        auroc([1, 2], [0.5, 1.0])


@given(JUDGED)
@settings(max_examples=40)
def test_brier_equals_scikit_learn(rows):
    chances, labels = columns(rows)
    theirs = brier_score_loss(labels, chances, labels=[False, True])
    assert brier(chances, labels) == pytest.approx(theirs, abs=1e-12)


@given(SOFT)
def test_brier_of_a_fractional_label_is_the_expectation(rows):
    chances, labels = columns(rows)
    each = [y * brier([p], [1]) + (1 - y) * brier([p], [0]) for p, y in rows]
    assert brier(chances, labels) == pytest.approx(sum(each) / len(rows), abs=1e-12)


def slow_ece(rows, bins: int) -> float:
    total = 0.0
    for number in range(1, bins + 1):
        low, high = (number - 1) / bins, number / bins
        inside = [(p, y) for p, y in rows if low < p <= high or (p == 0 and number == 1)]
        total += abs(sum(y - p for p, y in inside))
    return total / len(rows)


@given(SOFT, st.sampled_from([1, 2, 4, 8, 10, 15]))
def test_ece_equals_the_definition(rows, bins: int):
    assert ece(*columns(rows), bins=bins) == pytest.approx(slow_ece(rows, bins), abs=1e-12)


@given(JUDGED, st.integers(1, 12), st.sampled_from(["uniform", "quantile"]))
@example([(0.0, False)] * 6 + [(0.5, True)] + [(0.5625, False)] * 3, 9, "quantile")
@settings(max_examples=60)
def test_ece_equals_scikit_learn(rows, bins: int, strategy: str):
    chances, labels = columns(rows)
    if len(set(labels)) < 2:
        return
    ours = (ece if strategy == "uniform" else ece_equal_mass)(chances, labels, bins=bins)
    true, mean = calibration_curve(labels, chances, n_bins=bins, strategy=strategy)
    if strategy == "uniform":
        ends = np.linspace(0, 1, bins + 1)
    else:
        ends = np.percentile(chances, np.linspace(0, 1, bins + 1) * 100)
    counts = np.bincount(np.searchsorted(ends[1:-1], chances))
    theirs = np.abs(true - mean) @ counts[counts > 0] / len(rows)
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_equal_mass_bins_look_into_a_crowd():
    # All in one bin of equal width, where too low and too high cancel.
    chances, labels = [0.91, 0.92, 0.98, 0.99], [1, 1, 1, 0.8]
    wide, even = ece(chances, labels), ece_equal_mass(chances, labels, bins=2)
    assert wide == pytest.approx(0.0)
    assert even == pytest.approx((0.17 + 0.17) / 4)


@given(SOFT)
def test_calibration_errors_are_zero_for_the_truth_and_at_most_one(rows):
    chances, labels = columns(rows)
    for metric in (ece, ece_equal_mass):
        assert metric(chances, chances) == pytest.approx(0.0, abs=1e-12)
        assert 0.0 <= metric(chances, labels) <= 1.0
        assert metric(chances, labels) == pytest.approx(metric(chances[::-1], labels[::-1]))


def slow_curve(rows) -> list[tuple[float, float, float]]:
    """Returns (threshold, coverage, risk), one threshold after the other."""
    points = []
    for threshold in sorted({score for score, _ in rows}, reverse=True):
        answered = [label for score, label in rows if score >= threshold]
        risk = sum(1 - label for label in answered) / len(answered)
        points.append((threshold, len(answered) / len(rows), risk))
    return points


@given(SOFT)
def test_risk_coverage_equals_the_slow_reference(rows):
    found = risk_coverage(*columns(rows))
    truth = [point[1:] for point in slow_curve(rows)]
    assert np.array(found) == pytest.approx(np.array(truth), abs=1e-12)
    assert found[-1][0] == 1.0


@given(SOFT, st.sampled_from([0.0, 0.05, 0.25, 0.5, 1.0]))
def test_confident_coverage_equals_the_slow_reference(rows, bound: float):
    good = [point for point in slow_curve(rows) if point[2] <= bound + 1e-12]
    truth = max(good, key=lambda point: point[1], default=(math.inf, 0.0, 0.0))
    found = confident_coverage(*columns(rows), error=bound)
    assert found == pytest.approx(truth, abs=1e-12)


def test_confident_coverage_looks_past_an_early_error():
    scores, labels = list(range(21, 0, -1)), [False] + [True] * 19 + [False]
    assert confident_coverage(scores, labels) == (2.0, 20 / 21, 0.05)
    assert confident_coverage(scores, labels, error=0.01) == (math.inf, 0.0, 0.0)


@given(st.lists(st.tuples(st.integers(0, 2), CHANCE), min_size=1, max_size=6))
def test_aurc_is_the_mean_over_all_orders_of_the_ties(rows):
    areas = []
    for order in permutations(rows):
        if all(a[0] >= b[0] for a, b in pairwise(order)):
            losses = np.cumsum([1 - label for _, label in order])
            areas.append(np.mean(losses / np.arange(1, len(rows) + 1)))
    assert aurc(*columns(rows)) == pytest.approx(np.mean(areas), abs=1e-12)


@pytest.mark.parametrize("metric", [brier, ece, ece_equal_mass])
def test_a_probability_lies_between_zero_and_one(metric):
    with pytest.raises(ValueError, match="probability"):
        metric([1.5], [True])


@pytest.mark.parametrize("metric", [auroc, brier, ece, risk_coverage, aurc, confident_coverage])
@pytest.mark.parametrize(
    ("scores", "labels"), [([], []), ([0.5], []), ([math.nan], [1]), ([0.5], [2]), ([[0.5]], [[1]])]
)
def test_every_metric_refuses_what_it_cannot_measure(metric, scores, labels):
    with pytest.raises(ValueError, match=r"score|label|weights"):
        metric(scores, labels)


@pytest.mark.parametrize("metric", [ece, ece_equal_mass])
def test_there_is_no_calibration_error_without_a_bin(metric):
    with pytest.raises(ValueError, match="0 bins"):
        metric([0.5], [1], bins=0)


VALUES = np.random.default_rng(0).random(60)


def mean(drawn):
    return float(VALUES[drawn].mean())


def test_an_interval_is_seeded_and_as_wide_as_theory_says():
    low, high = bootstrap_interval(mean, 60, seed=1)
    assert (low, high) == bootstrap_interval(mean, 60, seed=1)
    assert (low, high) != bootstrap_interval(mean, 60, seed=2)
    assert low < VALUES.mean() < high
    error = VALUES.std() / math.sqrt(60)
    assert (high - low) == pytest.approx(2 * 1.96 * error, rel=0.1)
    narrow = bootstrap_interval(mean, 60, seed=1, level=0.5)
    assert low < narrow[0] < narrow[1] < high


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    draws = np.random.default_rng(7)
    covered = 0
    for trial in range(100):
        sample = draws.normal(size=40)
        low, high = bootstrap_interval(
            lambda drawn, sample=sample: float(sample[drawn].mean()), 40, seed=trial, rounds=400
        )
        covered += low <= 0.0 <= high
    assert 88 <= covered <= 99


def test_undefined_resamples_are_left_out_but_not_when_they_are_most():
    labels, scores = np.array([True, True, False]), np.array([3.0, 1.0, 2.0])
    low, high = bootstrap_interval(lambda d: auroc(scores[d], labels[d]), 3, seed=0)
    assert (low, high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="undefined"):
        bootstrap_interval(lambda d: math.nan, 3, seed=0)
    with pytest.raises(ValueError, match="0 problems"):
        bootstrap_interval(mean, 0, seed=0)


def test_a_paired_difference_cancels_what_is_hard_for_both():
    better = VALUES + 0.01
    found = bootstrap_difference(lambda d: float(better[d].mean()), mean, 60, seed=3)
    assert found.value == pytest.approx(0.01)
    assert (found.low, found.high) == pytest.approx((0.01, 0.01))
    assert found.above == 1.0
    same = bootstrap_difference(mean, mean, 60, seed=3)
    assert same == Difference(value=0.0, low=0.0, high=0.0, above=0.5)
