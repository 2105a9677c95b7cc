"""From a raw confidence to the chance of being right.

`Isotonic` turns one score into a probability and keeps its order; `Logistic` weighs several
features. Both are fitted once, are immutable, and go to JSON and back as plain dicts. Labels are
True and False, or the chance of being right between them: a label of 0.3 counts as 0.3 of a right
example and 0.7 of a wrong one.

Nothing here splits data: who fits and measures on the same problems measures too well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codewright.errors import DataError

Floats = NDArray[np.float64]

STEPS = 200
"""Newton steps; a convex problem of this size takes about ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isotonic:
    """The non-decreasing function that is nearest to the labels, as calibrator.

    `thresholds` ascend strictly and `values` never descend; both have the same length. Between
    two thresholds the value is interpolated, outside of them it stays what it is at the end.
    """

    thresholds: tuple[float, ...]
    values: tuple[float, ...]

    @classmethod
    def fit(cls, scores: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None) -> Self:
        """Returns the least-squares fit by pooling adjacent violators.

        Ayer et al. 1955; as calibrator: Zadrozny & Elkan 2002, "Transforming Classifier Scores
        into Accurate Multiclass Probability Estimates". Equal scores are pooled first.

        Args:
            scores, labels, weights: shape (n,); labels within [0, 1], weights not negative.

        Raises:
            ValueError: the shapes differ, a value is out of range or not finite, or no example
                has a weight.
        """
        x_N, y_N, w_N = examples(scores, labels, weights)
        x_N, y_N, w_N = x_N[w_N > 0], y_N[w_N > 0], w_N[w_N > 0]
        x_U, place_N = np.unique(x_N, return_inverse=True)
        w_U = np.bincount(place_N, weights=w_N)
        y_U = np.bincount(place_N, weights=w_N * y_N) / w_U
        thresholds: list[float] = []
        values: list[float] = []
        for value, first, last in _pool(y_U.tolist(), w_U.tolist()):
            # A flat stretch is told by its ends; what lies between them adds nothing.
            for index in sorted({first, last}):
                thresholds.append(float(x_U[index]))
                values.append(value)
        return cls(thresholds=tuple(thresholds), values=tuple(values))

    def predict(self, scores: ArrayLike) -> Floats:
        """Returns the calibrated probabilities, in the shape of `scores`."""
        found = np.interp(np.asarray(scores, dtype=np.float64), self.thresholds, self.values)
        # Interpolation rounds, and a rounded 1 may be above 1.
        return np.clip(found, self.values[0], self.values[-1])

    def to_dict(self) -> dict[str, Any]:
        """Returns the fit as a dict that JSON can hold."""
        return {"thresholds": list(self.thresholds), "values": list(self.values)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Returns the fit that `to_dict` wrote.

        Raises:
            DataError: a key is missing or unknown, or the values are no such function.
        """
        expect_keys(data, ("thresholds", "values"))
        thresholds, values = numbers(data, "thresholds"), numbers(data, "values")
        rising = all(a < b for a, b in pairwise(thresholds))
        level = all(a <= b for a, b in pairwise(values))
        if not thresholds or len(thresholds) != len(values) or not (rising and level):
            raise DataError("thresholds and values are not those of a non-decreasing function")
        return cls(thresholds=thresholds, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """Logistic regression on standardised features: P(right) = 1 / (1 + exp(-z)).

    z = intercept + sum of weights * (x - mean) / scale. `names`, `mean`, `scale` and `weights`
    have one entry per feature, in the order of the columns.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    @classmethod
    def fit(
        cls,
        features: ArrayLike,
        labels: ArrayLike,
        *,
        names: Sequence[str],
        l2: float = 1.0,
        weights: ArrayLike | None = None,
    ) -> Self:
        """Returns the maximum of the penalised likelihood, by Newton's method with halved steps.

        Minimised is the sum over the examples of weight * cross-entropy, plus l2 / 2 times the
        squared length of the weights of the standardised features (Hastie, Tibshirani, Friedman
        2009, "The Elements of Statistical Learning", section 4.4). The intercept is free.

        Args:
            features: shape (n, f).
            labels, weights: shape (n,); labels within [0, 1], weights not negative.
            names: one per feature.
            l2: above 0, so that separable data has a finite fit too; 1 / C of scikit-learn.

        Raises:
            ValueError: shapes differ, a value is out of range or not finite, or the labels are
                all right or all wrong, so that the intercept would be infinite.
        """
        x_NF = matrix(features, len(names))
        _, y_N, w_N = examples(np.zeros(len(x_NF)), labels, weights)
        share = float(w_N @ y_N / w_N.sum())
        if not 0.0 < share < 1.0:
            raise ValueError("labels of both kinds are needed")
        if not (l2 > 0.0 and math.isfinite(l2)):
            raise ValueError(f"l2 has to be above 0, and is {l2}")
        mean_F, scale_F = spread(x_NF)
        x_NP = np.column_stack([(x_NF - mean_F) / scale_F, np.ones(len(x_NF))])
        penalty_P = np.append(np.full(len(names), l2), 0.0)
        start_P = np.append(np.zeros(len(names)), math.log(share) - math.log1p(-share))
        found_P = _newton(x_NP, y_N, w_N, penalty_P, start_P)
        return cls(
            names=tuple(names),
            mean=tuple(mean_F.tolist()),
            scale=tuple(scale_F.tolist()),
            weights=tuple(found_P[:-1].tolist()),
            intercept=float(found_P[-1]),
        )

    def predict(self, features: ArrayLike) -> Floats:
        """Returns P(right), shape (n,), for features of shape (n, f).

        Raises:
            ValueError: the features have another shape or are not finite.
        """
        x_NF = matrix(features, len(self.names))
        return sigmoid((x_NF - self.mean) / self.scale @ np.asarray(self.weights) + self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """Returns the fit as a dict that JSON can hold."""
        return {
            "names": list(self.names),
            "mean": list(self.mean),
            "scale": list(self.scale),
            "weights": list(self.weights),
            "intercept": self.intercept,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Returns the fit that `to_dict` wrote.

        Raises:
            DataError: a key is missing or unknown, or the entries do not fit each other.
        """
        expect_keys(data, ("names", "mean", "scale", "weights", "intercept"))
        names, mean, scale, weights = weighted(data)
        (intercept,) = numbers({"intercept": [data["intercept"]]}, "intercept")
        return cls(names=names, mean=mean, scale=scale, weights=weights, intercept=intercept)


def sigmoid(z: Floats) -> Floats:
    """Returns 1 / (1 + exp(-z)) without overflow."""
    return np.exp(-np.logaddexp(0.0, -z))


def matrix(features: ArrayLike, columns: int) -> Floats:
    """Returns `features` as an array (n, columns); an empty list is an array of no rows.

    Raises:
        ValueError: it has another shape, or a value is not finite.
    """
    x_NF = np.asarray(features, dtype=np.float64)
    if x_NF.shape == (0,):
        x_NF = x_NF.reshape(0, columns)
    if x_NF.ndim != 2 or x_NF.shape[1] != columns:
        raise ValueError(f"features have shape {x_NF.shape}, and (n, {columns}) is needed")
    if not np.isfinite(x_NF).all():
        raise ValueError("a feature is not finite")
    return x_NF


def spread(x_NF: Floats) -> tuple[Floats, Floats]:
    """Returns (mean, standard deviation) of each column; a constant column has the deviation 1.

    Constant is what varies by no more than rounding: dividing by that would blow up noise.
    """
    mean_F, scale_F = x_NF.mean(axis=0), x_NF.std(axis=0)
    rounding_F = 1e-12 * np.abs(x_NF).max(axis=0)
    return mean_F, np.where(scale_F > rounding_F, scale_F, 1.0)


def examples(
    scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Returns (scores, labels, weights) as arrays (n,); without weights each one is 1.

    Raises:
        ValueError: shapes differ, a label is not within [0, 1], a weight is negative, a value is
            not finite, or the weights sum to nothing.
    """
    x_N = np.asarray(scores, dtype=np.float64)
    y_N = np.asarray(labels, dtype=np.float64)
    w_N = np.ones_like(y_N) if weights is None else np.asarray(weights, dtype=np.float64)
    if x_N.ndim != 1 or x_N.shape != y_N.shape or x_N.shape != w_N.shape:
        raise ValueError(f"{x_N.shape} scores, {y_N.shape} labels, {w_N.shape} weights")
    if not np.isfinite(x_N).all():
        raise ValueError("a score is not finite")
    if not ((y_N >= 0.0) & (y_N <= 1.0)).all():
        raise ValueError("a label is not within [0, 1]")
    if not ((w_N >= 0.0) & np.isfinite(w_N)).all() or not w_N.sum() > 0.0:
        raise ValueError("weights are not negative, finite, and not all 0")
    return x_N, y_N, w_N


def expect_keys(data: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Raises DataError where `data` is no mapping with exactly these keys."""
    if not isinstance(data, Mapping) or set(data) != set(keys):
        raise DataError(f"a fit has the keys {', '.join(keys)}, no more and no less")


def numbers(data: Mapping[str, Any], key: str) -> tuple[float, ...]:
    """Returns the list of finite numbers under `key`, or raises DataError."""
    found = data[key]
    if not isinstance(found, list | tuple) or not all(
        isinstance(each, int | float) and math.isfinite(each) for each in found
    ):
        raise DataError(f"{key} is not a list of finite numbers")
    return tuple(float(each) for each in found)


def weighted(
    data: Mapping[str, Any],
) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Returns (names, mean, scale, weights) of a linear fit.

    Raises:
        DataError: they differ in length, or a scale is not above 0.
    """
    names = data["names"]
    if not isinstance(names, list | tuple) or not all(isinstance(each, str) for each in names):
        raise DataError("names is not a list of strings")
    mean, scale, weights = (numbers(data, key) for key in ("mean", "scale", "weights"))
    if not len(names) == len(mean) == len(scale) == len(weights) or min(scale, default=1.0) <= 0.0:
        raise DataError("names, mean, scale and weights do not fit each other")
    return tuple(names), mean, scale, weights


def _pool(values: list[float], weights: list[float]) -> list[tuple[float, int, int]]:
    """Returns blocks (mean, first index, last index) whose means ascend strictly."""
    blocks: list[tuple[float, float, int, int]] = []
    for index, (value, weight) in enumerate(zip(values, weights, strict=True)):
        mean, mass, first = value, weight, index
        while blocks and blocks[-1][0] >= mean:
            before, its_mass, first, _ = blocks.pop()
            mean = (before * its_mass + mean * mass) / (its_mass + mass)
            mass += its_mass
        blocks.append((mean, mass, first, index))
    return [(mean, first, last) for mean, _, first, last in blocks]


def _newton(x_NP: Floats, y_N: Floats, w_N: Floats, penalty_P: Floats, start_P: Floats) -> Floats:
    """Returns the minimum of weighted cross-entropy plus penalty_P / 2 * theta ** 2."""

    def loss(theta_P: Floats) -> float:
        z_N = x_NP @ theta_P
        fit = w_N @ (np.logaddexp(0.0, z_N) - y_N * z_N)
        return float(fit + penalty_P @ theta_P**2 / 2)

    theta_P, value = start_P, loss(start_P)
    for _ in range(STEPS):
        p_N = sigmoid(x_NP @ theta_P)
        gradient_P = x_NP.T @ (w_N * (p_N - y_N)) + penalty_P * theta_P
        if np.abs(gradient_P).max() <= 1e-10 * w_N.sum():
            break
        hessian_PP = (x_NP.T * (w_N * p_N * (1.0 - p_N))) @ x_NP + np.diag(penalty_P)
        # Far out the curve is flat, and the intercept has no penalty to hold it.
        hessian_PP[-1, -1] += 1e-12 * w_N.sum()
        step_P = np.linalg.solve(hessian_PP, gradient_P)
        slope, length = float(gradient_P @ step_P), 1.0
        while loss(theta_P - length * step_P) > value - 1e-4 * length * slope:
            length /= 2
            if length < 1e-12:
                # No step is better within rounding: this is the minimum.
                return theta_P
        theta_P = theta_P - length * step_P
        value = loss(theta_P)
    return theta_P
