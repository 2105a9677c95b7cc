"""The calibrators against scikit-learn, their laws, and what they refuse to read."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from codewright.errors import DataError
from codewright.verify.calibration import Isotonic, Logistic, sigmoid

# A grid, so that scores tie often and never by a rounding that scikit-learn merges.
SCORE = st.integers(-20, 20).map(lambda step: step / 8)
EXAMPLES = st.lists(st.tuples(SCORE, st.floats(0, 1), st.floats(0.1, 5)), min_size=1, max_size=40)
PROBE = np.linspace(-4, 4, 201)


@given(EXAMPLES)
@settings(max_examples=60)
def test_isotonic_equals_scikit_learn(rows):
    scores, labels, weights = (np.array(column) for column in zip(*rows, strict=True))
    ours = Isotonic.fit(scores, labels, weights=weights)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, labels, sample_weight=weights)
    assert ours.predict(PROBE) == pytest.approx(theirs.predict(PROBE), abs=1e-9)


@given(EXAMPLES)
def test_isotonic_never_descends_and_keeps_the_mean(rows):
    scores, labels, _ = (np.array(column) for column in zip(*rows, strict=True))
    fit = Isotonic.fit(scores, labels)
    found = fit.predict(PROBE)
    assert (np.diff(found) >= -1e-12).all()
    assert ((found >= 0) & (found <= 1)).all()
    assert fit.predict(scores).mean() == pytest.approx(labels.mean(), abs=1e-9)
    assert list(fit.thresholds) == sorted(set(fit.thresholds))


@given(EXAMPLES, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_isotonic_does_not_see_the_order_or_what_weighs_nothing(rows, rng):
    scores, labels, weights = (list(column) for column in zip(*rows, strict=True))
    here = Isotonic.fit(scores, labels, weights=weights).predict(PROBE)
    more = [*rows, (0.0, 1.0, 0.0), (99.0, 0.0, 0.0)]
    rng.shuffle(more)
    scores, labels, weights = (list(column) for column in zip(*more, strict=True))
    there = Isotonic.fit(scores, labels, weights=weights).predict(PROBE)
    assert there == pytest.approx(here, abs=1e-9)


def test_isotonic_by_hand():
    fit = Isotonic.fit([1, 2, 3, 4], [False, True, False, True])
    assert fit == Isotonic(thresholds=(1.0, 2.0, 3.0, 4.0), values=(0.0, 0.5, 0.5, 1.0))
    assert fit.predict([0, 1.5, 2.5, 9]).tolist() == [0.0, 0.25, 0.5, 1.0]
    assert fit.predict(2.0).shape == ()


@given(EXAMPLES)
def test_isotonic_survives_json(rows):
    fit = Isotonic.fit(*list(zip(*rows, strict=True))[:2])
    assert Isotonic.from_dict(json.loads(json.dumps(fit.to_dict()))) == fit


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"thresholds": [1.0]},
        {"thresholds": [1.0], "values": [0.5], "more": 1},
        {"thresholds": [], "values": []},
        {"thresholds": [1.0, 1.0], "values": [0.1, 0.2]},
        {"thresholds": [1.0, 2.0], "values": [0.2, 0.1]},
        {"thresholds": [1.0, 2.0], "values": [0.2]},
        {"thresholds": [math.nan], "values": [0.2]},
        {"thresholds": "12", "values": [0.2, 0.3]},
    ],
)
def test_isotonic_reads_only_what_it_writes(data):
    with pytest.raises(DataError):
        Isotonic.from_dict(data)


@st.composite
def problems(draw: st.DrawFn):
    """Features on unlike scales, labels of both kinds, and a strength of the penalty."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, f = draw(st.integers(4, 60)), draw(st.integers(1, 5))
    features = rng.normal(size=(n, f)) * 10.0 ** rng.integers(-3, 4, size=f) + rng.normal(size=f)
    labels = rng.random(n) < sigmoid(3 * rng.normal(size=n))
    labels[:2] = True, False
    return features, labels, rng.random(n) + 0.1, draw(st.sampled_from([0.01, 1.0, 30.0]))


@given(problems())
@settings(max_examples=30)
def test_logistic_equals_scikit_learn(problem):
    features, labels, weights, l2 = problem
    names = [str(i) for i in range(features.shape[1])]
    ours = Logistic.fit(features, labels, names=names, l2=l2, weights=weights)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    theirs = LogisticRegression(C=1 / l2, tol=1e-8, max_iter=10_000)
    theirs.fit(standard, labels, sample_weight=weights)
    assert ours.weights == pytest.approx(theirs.coef_[0], abs=1e-4)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)
    chances = theirs.predict_proba(standard)[:, 1]
    assert ours.predict(features) == pytest.approx(chances, abs=1e-4)


@given(problems())
@settings(max_examples=20)
def test_a_fractional_label_is_two_weighted_examples(problem):
    features, _, shares, l2 = problem
    shares = shares / 2
    names = [str(i) for i in range(features.shape[1])]
    one = Logistic.fit(features, shares, names=names, l2=l2)
    both = [True] * len(shares) + [False] * len(shares)
    halves = np.concatenate([shares, 1 - shares])
    two = Logistic.fit(np.vstack([features] * 2), both, names=names, l2=l2, weights=halves)
    assert one.predict(features) == pytest.approx(two.predict(features), abs=1e-7)


def test_logistic_stays_finite_where_the_labels_are_separable_or_a_feature_says_nothing():
    features = [[x, 0.1] for x in range(-5, 5)]
    fit = Logistic.fit(features, [x >= 0 for x, _ in features], names=("x", "c"), l2=1e-4)
    assert np.isfinite(fit.weights).all()
    assert fit.weights[1] == pytest.approx(0.0, abs=1e-12)
    assert fit.scale[1] == 1.0
    assert fit.predict([[-1e9, 0], [1e9, 0]]).tolist() == [0.0, 1.0]


def test_logistic_without_features_is_the_share():
    fit = Logistic.fit(np.zeros((4, 0)), [1, 0, 0, 0], names=())
    assert fit.predict(np.zeros((2, 0))) == pytest.approx([0.25, 0.25])


def test_logistic_survives_json():
    fit = Logistic.fit([[1.0, 5.0], [2.0, 3.0], [0.5, 4.0]], [1, 0, 1], names=("a", "b"))
    assert Logistic.from_dict(json.loads(json.dumps(fit.to_dict()))) == fit


GOOD = {"names": ["a"], "mean": [0.0], "scale": [1.0], "weights": [2.0], "intercept": 0.5}


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"names": ["a", "b"]},
        {"names": [1]},
        {"scale": [0.0]},
        {"weights": [math.inf]},
        {"mean": [None]},
        {"intercept": "0.5"},
    ],
)
def test_logistic_reads_only_what_it_writes(change):
    assert Logistic.from_dict(GOOD).predict([[0.0]]).shape == (1,)
    with pytest.raises(DataError):
        Logistic.from_dict({**GOOD, **change})


@pytest.mark.parametrize(
    ("features", "labels", "options", "match"),
    [
        ([[1.0], [2.0]], [1, 1], {}, "both kinds"),
        ([[1.0], [2.0]], [1, 0], {"l2": 0.0}, "l2"),
        ([[1.0, 2.0]], [1], {}, "shape"),
        ([[math.nan], [2.0]], [1, 0], {}, "finite"),
        ([[1.0], [2.0]], [1, 0, 1], {}, "labels"),
        ([[1.0], [2.0]], [1, 2], {}, "within"),
        ([[1.0], [2.0]], [1, 0], {"weights": [1, -1]}, "weights"),
        ([], [], {}, "weights"),
    ],
)
def test_logistic_refuses_what_it_cannot_fit(features, labels, options, match):
    with pytest.raises(ValueError, match=match):
        Logistic.fit(features, labels, names=("x",), **options)


@pytest.mark.parametrize(
    ("scores", "labels", "match"),
    [([], [], "weights"), ([1, 2], [1], "labels"), ([math.inf], [1], "finite"), ([1], [-1], "in")],
)
def test_isotonic_refuses_what_it_cannot_fit(scores, labels, match):
    with pytest.raises(ValueError, match=match):
        Isotonic.fit(scores, labels)


def test_sigmoid_has_no_overflow():
    assert sigmoid(np.array([-1e6, 0.0, 1e6])).tolist() == pytest.approx([0.0, 0.5, 1.0])
