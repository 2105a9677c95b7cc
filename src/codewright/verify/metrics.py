"""How good a confidence is: whether it ranks, whether it is honest, how much it lets through.

Scores ascend with confidence. Labels are True where the answer was right; where it says so they
may also be the chance of being right, within [0, 1], for an answer that is a random member of a
class, and the metric is then the expectation over that draw. Equal scores are never put in an
order: no result depends on the order of the examples.

Intervals come from drawing whole problems anew. Nothing here fits anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codewright.verify.calibration import examples

Floats = NDArray[np.float64]
Statistic = Callable[[NDArray[np.intp]], float]
"""From the numbers of the drawn problems, repeats included, to the statistic over them."""

SLACK = 1e-12
"""What summing may add to an error rate that is exactly at its bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A paired comparison: `value` is first less second, `low` and `high` its interval.

    `above` is the share of resamples in which the first is the larger one, ties counting half.
    """

    value: float
    low: float
    high: float
    above: float


def auroc(scores: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None) -> float:
    """Returns the chance that a right example scores above a wrong one; ties count half.

    The area under the ROC curve (Hanley & McNeil 1982). With weights, a pair counts as the
    product of its two weights. nan where the examples with a weight are all right or all wrong.

    Raises:
        ValueError: shapes differ, a label is not boolean, a value is not finite, or a weight is
            negative.
    """
    x_N, y_N, w_N = examples(scores, labels, weights)
    if not ((y_N == 0.0) | (y_N == 1.0)).all():
        raise ValueError("auroc is defined for labels that are True or False")
    x_U, place_N = np.unique(x_N, return_inverse=True)
    right_U = np.bincount(place_N, weights=w_N * y_N, minlength=len(x_U))
    wrong_U = np.bincount(place_N, weights=w_N * (1.0 - y_N), minlength=len(x_U))
    pairs = float(right_U.sum() * wrong_U.sum())
    below_U = np.cumsum(wrong_U) - wrong_U
    return float(right_U @ (below_U + wrong_U / 2)) / pairs if pairs > 0.0 else math.nan


def brier(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Returns the mean squared error of the probabilities (Brier 1950), 0 at best.

    A fractional label y stands for the expectation, y (1 - p)^2 + (1 - y) p^2.

    Raises:
        ValueError: shapes differ, or a value is not within [0, 1].
    """
    p_N, y_N = _probabilities(probabilities, labels)
    return float(np.mean(y_N * (1.0 - p_N) ** 2 + (1.0 - y_N) * p_N**2))


def ece(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 10) -> float:
    """Returns the expected calibration error with bins of equal width.

    The mean over the examples of |mean label - mean probability| in their bin (Naeini, Cooper,
    Hauskrecht 2015; Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2). Bin
    i is ((i-1) / bins, i / bins], and the first one holds 0 too. Labels may be fractional.

    Raises:
        ValueError: shapes differ, a value is not within [0, 1], or there is no bin.
    """
    p_N, y_N = _probabilities(probabilities, labels)
    if bins < 1:
        raise ValueError(f"{bins} bins")
    return _calibration_error(p_N, y_N, np.linspace(0.0, 1.0, bins + 1))


def ece_equal_mass(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 10) -> float:
    """Returns the expected calibration error with bins of about equally many examples.

    The bins' ends are the quantiles of the probabilities (Nguyen & O'Connor 2015, "Posterior
    calibration and exploratory analysis for natural language processing models"), so that a crowd
    of confident answers is looked at as closely as the rest. Equal probabilities stay in one bin.
    Raises as `ece` does.
    """
    p_N, y_N = _probabilities(probabilities, labels)
    if bins < 1:
        raise ValueError(f"{bins} bins")
    # In hundredths, as scikit-learn has it: a chance at an end falls to the same side by rounding.
    ends = np.percentile(p_N, np.linspace(0.0, 1.0, bins + 1) * 100)
    return _calibration_error(p_N, y_N, ends)


def risk_coverage(scores: ArrayLike, labels: ArrayLike) -> list[tuple[float, float]]:
    """Returns the points (coverage, risk) of answering only at a score or above, coverage rising.

    One point per distinct score; the last one is (1, error of all). Risk is the mean of 1 - label
    over what is answered (El-Yaniv & Wiener 2010, "On the Foundations of Noise-free Selective
    Classification"). Labels may be fractional.

    Raises:
        ValueError: shapes differ, a value is not finite, or a label is not within [0, 1].
    """
    _, counts_U, errors_U = _answered(scores, labels)
    points = zip(counts_U / counts_U[-1], errors_U / counts_U, strict=True)
    return [(float(coverage), float(risk)) for coverage, risk in points]


def aurc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Returns the area under the risk-coverage curve: the mean risk of the k best, k = 1..n.

    Geifman, Uziel, El-Yaniv 2019, "Bias-Reduced Uncertainty Estimation for Deep Neural
    Classifiers"; 0 at best. Equal scores count as though they were put in a random order: it is
    the expectation over all orders. Raises as `risk_coverage` does.
    """
    x_N, y_N, _ = examples(scores, labels, None)
    # Best first: np.unique ascends.
    _, place_N, counts_U = np.unique(-x_N, return_inverse=True, return_counts=True)
    risk_U = np.bincount(place_N, weights=1.0 - y_N) / counts_U
    errors_N = np.cumsum(np.repeat(risk_U, counts_U))
    return float(np.mean(errors_N / np.arange(1, len(x_N) + 1)))


def confident_coverage(
    scores: ArrayLike, labels: ArrayLike, *, error: float = 0.05
) -> tuple[float, float, float]:
    """Returns (threshold, coverage, risk) of the largest coverage with a risk of at most `error`.

    Answered is what scores at the threshold or above. (inf, 0, 0) where no threshold is good
    enough. The threshold is chosen on these labels, so their risk flatters it: measure it on
    others. Raises as `risk_coverage` does.
    """
    thresholds_U, counts_U, errors_U = _answered(scores, labels)
    (good,) = np.nonzero(errors_U <= (error + SLACK) * counts_U)
    if not len(good):
        return math.inf, 0.0, 0.0
    last = good[-1]
    coverage, risk = counts_U[last] / counts_U[-1], errors_U[last] / counts_U[last]
    return float(thresholds_U[last]), float(coverage), float(risk)


def bootstrap_interval(
    statistic: Statistic, problems: int, *, seed: int, rounds: int = 2000, level: float = 0.95
) -> tuple[float, float]:
    """Returns (low, high), the percentile interval of a statistic over problems.

    Problems are drawn with replacement, as many as there are (Efron 1979; Efron & Tibshirani
    1993, "An Introduction to the Bootstrap", section 13.3). Resamples in which the statistic is
    nan are left out, such as those that hold only right answers where it is `auroc`.

    Args:
        statistic: takes the numbers of the drawn problems, shape (problems,), within
            [0, problems) and with repeats.

    Raises:
        ValueError: there is no problem or round, or the statistic is nan in most resamples.
    """
    found_R = _resampled(statistic, problems, seed, rounds)
    return _percentiles(found_R, level)


def bootstrap_difference(
    first: Statistic,
    second: Statistic,
    problems: int,
    *,
    seed: int,
    rounds: int = 2000,
    level: float = 0.95,
) -> Difference:
    """Returns first less second over all problems, with its percentile interval.

    Paired: both see the same problems in each resample, so that what makes a problem hard for
    both cancels. Arguments and errors are those of `bootstrap_interval`.
    """

    def difference(drawn: NDArray[np.intp]) -> float:
        return first(drawn) - second(drawn)

    found_R = _resampled(difference, problems, seed, rounds)
    low, high = _percentiles(found_R, level)
    known_R = found_R[~np.isnan(found_R)]
    return Difference(
        value=difference(np.arange(problems)),
        low=low,
        high=high,
        above=float(np.mean(known_R > 0.0) + np.mean(known_R == 0.0) / 2),
    )


def _probabilities(probabilities: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    p_N, y_N, _ = examples(probabilities, labels, None)
    if not ((p_N >= 0.0) & (p_N <= 1.0)).all():
        raise ValueError("a probability is not within [0, 1]")
    return p_N, y_N


def _calibration_error(p_N: Floats, y_N: Floats, ends: Floats) -> float:
    """Returns the error for bins that are open to the left, the first one excepted."""
    place_N = np.searchsorted(ends[1:-1], p_N, side="left")
    gap_B = np.bincount(place_N, weights=y_N - p_N)
    return float(np.abs(gap_B).sum() / len(p_N))


def _answered(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Returns (thresholds, how many are answered, errors among them), thresholds descending."""
    x_N, y_N, _ = examples(scores, labels, None)
    # Best first: np.unique ascends.
    negative_U, place_N, counts_U = np.unique(-x_N, return_inverse=True, return_counts=True)
    errors_U = np.cumsum(np.bincount(place_N, weights=1.0 - y_N).astype(np.float64))
    return -negative_U, np.cumsum(counts_U.astype(np.float64)), errors_U


def _resampled(statistic: Statistic, problems: int, seed: int, rounds: int) -> Floats:
    if problems < 1 or rounds < 1:
        raise ValueError(f"a bootstrap of {problems} problems in {rounds} rounds")
    draws = np.random.default_rng(seed)
    return np.array(
        [statistic(draws.integers(problems, size=problems)) for _ in range(rounds)],
        dtype=np.float64,
    )


def _percentiles(found_R: Floats, level: float) -> tuple[float, float]:
    known_R = found_R[~np.isnan(found_R)]
    if 2 * len(known_R) < len(found_R):
        raise ValueError("the statistic is undefined in most resamples")
    tail = (1.0 - level) / 2
    low, high = np.quantile(known_R, [tail, 1.0 - tail])
    return float(low), float(high)
