"""The conditional logit: its gradient, its optimum, and groups in which nothing is right."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, rosen, rosen_der
from sklearn.linear_model import LogisticRegression

from codewright.errors import DataError
from codewright.verify.ranking import Likelihood, Ranker, minimise

SEEDS = st.integers(0, 2**32)


def world(seed: int, groups: int = 30, f: int = 3, right: str = "one"):
    """Returns groups, labels, offsets; `right`: one, some, share or any (also none) per group."""
    rng = np.random.default_rng(seed)
    features, labels, offsets = [], [], []
    truth = rng.normal(size=f)
    for _ in range(groups):
        x = rng.normal(size=(rng.integers(1, 8), f))
        chance = np.exp(x @ truth)
        label = np.zeros(len(x))
        label[rng.choice(len(x), p=chance / chance.sum())] = 1.0
        if right in ("some", "share", "any"):
            label = np.maximum(label, rng.random(len(x)) < 0.2)
        if right == "share":
            label *= rng.random(len(x))
        if right == "any" and rng.random() < 0.4:
            label[:] = 0.0
        features.append(x)
        labels.append(label)
        offsets.append(rng.normal(size=len(x)))
    return features, labels, offsets


def names(f: int) -> list[str]:
    return [f"x{i}" for i in range(f)]


def slow_loss(weights, features, labels, offsets, l2: float, none: bool) -> float:
    """Follows the definition, one group after the other."""
    total = l2 / 2 * sum(weight**2 for weight in weights)
    f = len(weights) - none
    for x, label, offset in zip(features, labels, offsets, strict=True):
        odds = [
            math.exp(sum(a * b for a, b in zip(row, weights[:f], strict=True)) + o)
            for row, o in zip(x, offset, strict=True)
        ]
        right = sum(y * each for y, each in zip(label, odds, strict=True))
        if none:
            odds.append(math.exp(weights[-1]))
            right = right or odds[-1]
        if right:
            total -= math.log(right / sum(odds))
    return total


def standardised(features):
    rows = np.concatenate(features)
    return [(x - rows.mean(axis=0)) / rows.std(axis=0) for x in features]


@given(SEEDS, st.sampled_from(["one", "some", "share"]))
@settings(max_examples=30)
def test_the_gradient_is_the_slope_and_the_value_the_definition(seed: int, right: str):
    features, labels, offsets = world(seed, groups=8, right=right)
    likelihood = Likelihood(
        x_NF=np.concatenate(features),
        labels_N=np.concatenate(labels),
        offsets_N=np.concatenate(offsets),
        sizes_G=np.array([len(label) for label in labels]),
        l2=0.7,
    )
    point = np.random.default_rng(seed).normal(size=3)
    value, gradient = likelihood(point)
    assert value == pytest.approx(slow_loss(point, features, labels, offsets, 0.7, False))
    for axis, slope in zip(np.eye(3), gradient, strict=True):
        rise = likelihood(point + 1e-5 * axis)[0] - likelihood(point - 1e-5 * axis)[0]
        assert slope == pytest.approx(rise / 2e-5, abs=1e-6)


@pytest.mark.parametrize("none", [False, True])
@pytest.mark.parametrize("right", ["one", "some", "share", "any"])
def test_a_fit_is_the_optimum_of_the_slow_loss(right: str, none: bool):
    features, labels, offsets = world(5, right=right)
    if not none:
        kept = [i for i, label in enumerate(labels) if label.any()]
        features, labels, offsets = (
            [part[i] for i in kept] for part in (features, labels, offsets)
        )
    ours = Ranker.fit(features, labels, names=names(3), offsets=offsets, l2=0.5, none=none)
    theirs = minimize(
        slow_loss,
        np.zeros(3 + none),
        args=(standardised(features), labels, offsets, 0.5, none),
        options={"gtol": 1e-7},
    )
    found = [*ours.weights, ours.none] if none else ours.weights
    assert found == pytest.approx(theirs.x, abs=1e-4)


@given(SEEDS, st.sampled_from([0.1, 1.0, 10.0]))
@settings(max_examples=15)
def test_pairs_are_a_logistic_regression_on_differences(seed: int, l2: float):
    rng = np.random.default_rng(seed)
    pairs = rng.normal(size=(25, 2, 4))
    first = rng.random(25) < 0.5
    first[:2] = True, False
    labels = np.column_stack([first, ~first])
    ours = Ranker.fit(list(pairs), list(labels), names=names(4), l2=l2)
    scaled = np.array(standardised(list(pairs)))
    theirs = LogisticRegression(C=1 / l2, fit_intercept=False, tol=1e-8, max_iter=10_000)
    theirs.fit(scaled[:, 0] - scaled[:, 1], first)
    assert ours.weights == pytest.approx(theirs.coef_[0], abs=1e-4)


def test_finds_the_weights_that_made_the_choices():
    features, labels, _ = world(11, groups=1000, f=4)
    truth = np.random.default_rng(11).normal(size=4)
    ranker = Ranker.fit(features, labels, names=names(4))
    assert np.array(ranker.weights) / ranker.scale == pytest.approx(truth, abs=0.2)


@given(SEEDS, st.booleans())
@settings(max_examples=30)
def test_probabilities_are_a_distribution_in_the_order_of_the_scores(seed: int, none: bool):
    features, labels, offsets = world(seed, groups=6, right="any")
    labels[0][0] = 1.0
    ranker = Ranker.fit(features, labels, names=names(3), offsets=offsets, none=none)
    for x, offset in zip(features, offsets, strict=True):
        scores, chances = ranker.scores(x, offset), ranker.probabilities(x, offset)
        assert chances.shape == (len(x),)
        assert (np.argsort(scores) == np.argsort(chances)).all()
        total = np.exp(scores).sum()
        rest = 0.0 if ranker.none is None else math.exp(ranker.none)
        assert chances.sum() == pytest.approx(total / (total + rest))
        assert ranker.scores(x, offset) == pytest.approx(ranker.scores(x) + offset)


def test_without_features_none_is_as_likely_as_it_was_seen():
    groups = [np.zeros((1, 0))] * 4000
    labels = [[1.0]] * 3000 + [[0.0]] * 1000
    ranker = Ranker.fit(groups, labels, names=(), none=True, l2=1e-3)
    assert ranker.probabilities(np.zeros((1, 0))) == pytest.approx([0.75], abs=1e-4)


def test_none_is_finite_where_every_group_has_a_right_one_or_no_group_has():
    features, labels, _ = world(2)
    often = Ranker.fit(features, labels, names=names(3), none=True)
    never = Ranker.fit(features, [0 * label for label in labels], names=names(3), none=True)
    assert often.none < 0 < never.none


def test_offsets_and_scales_are_taken_as_they_are():
    one = Ranker(names=("x",), mean=(1.0,), scale=(2.0,), weights=(3.0,))
    assert one.scores([[1.0], [3.0]], [0.5, 0.0]).tolist() == [0.5, 3.0]
    assert one.probabilities([[1.0], [1.0]], [math.log(3), 0.0]) == pytest.approx([0.75, 0.25])
    assert one.probabilities([[1e6], [0.0]]).tolist() == [1.0, 0.0]
    assert one.probabilities([]).shape == (0,)


def test_groups_that_say_nothing_change_nothing():
    features, labels, _ = world(3)
    here = Ranker.fit(features, labels, names=names(3))
    more = Ranker.fit([*features, np.zeros((2, 3)), []], [*labels, [0, 0], []], names=names(3))
    assert more == here


@pytest.mark.parametrize("none", [False, True])
def test_a_ranker_survives_json(none: bool):
    features, labels, _ = world(4, right="any")
    ranker = Ranker.fit(features, labels, names=names(3), none=none)
    assert Ranker.from_dict(json.loads(json.dumps(ranker.to_dict()))) == ranker


GOOD = {"names": ["a"], "mean": [0.0], "scale": [1.0], "weights": [2.0], "none": None}


@pytest.mark.parametrize(
    "change", [{"more": 1}, {"names": []}, {"scale": [-1.0]}, {"none": "0"}, {"none": math.nan}]
)
def test_a_ranker_reads_only_what_it_writes(change):
    assert Ranker.from_dict(GOOD).none is None
    with pytest.raises(DataError):
        Ranker.from_dict({**GOOD, **change})


@pytest.mark.parametrize(
    ("groups", "labels", "options", "match"),
    [
        ([], [], {}, "no group"),
        ([[[1.0]]], [[0]], {}, "no group"),
        ([[[1.0]]], [[1, 0]], {}, "label"),
        ([[[1.0]]], [[2]], {}, "label"),
        ([[[1.0, 2.0]]], [[1]], {}, "shape"),
        ([[[math.inf]]], [[1]], {}, "finite"),
        ([[[1.0]]], [[1]], {"l2": 0.0}, "l2"),
        ([[[1.0]]], [[1]], {"offsets": [[1.0, 2.0]]}, "offset"),
        ([[[1.0]]], [], {}, "argument"),
    ],
)
def test_refuses_what_it_cannot_fit(groups, labels, options, match):
    with pytest.raises(ValueError, match=match):
        Ranker.fit(groups, labels, names=("x",), **options)


@pytest.mark.parametrize("n", [2, 5, 12])
def test_the_search_gets_down_a_crooked_valley(n: int):
    found = minimise(lambda x: (rosen(x), rosen_der(x)), np.full(n, 0.2), tolerance=1e-8)
    assert found == pytest.approx(np.ones(n), abs=1e-6)


def test_a_search_that_ends_on_a_slope_says_so():
    with pytest.raises(ArithmeticError, match="minimum"):
        minimise(lambda x: (float(x.sum()), np.ones_like(x)), np.zeros(2), tolerance=1e-8)
