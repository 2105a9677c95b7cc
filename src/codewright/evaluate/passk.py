"""pass@k without bias, and how sure it is.

pass@k is the chance that at least one of k samples, drawn without replacement from the n that a
problem has, is among the c that pass: 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, "Evaluating Large
Language Models Trained on Code", section 2.1), averaged over the problems.

Rule for problems with too few samples: a k is given only where every problem has at least k of
them. An average over the problems that happen to have enough would speak of other problems than
the ones asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAtK:
    """The scores: `values` and `intervals` by k, and why each k in `left_out` has none."""

    values: Mapping[int, float]
    intervals: Mapping[int, tuple[float, float]]
    left_out: Mapping[int, str]


def pass_at_k(n: int, c: int, k: int) -> float:
    """Returns the estimate for one problem: n samples, c of which pass, k of which are drawn.

    The ratio of binomials is a product of min(c, k) factors 1 - x/y; summing their logarithms
    keeps n in the millions in range and small results exact.

    Raises:
        ValueError: not 0 <= c <= n or not 1 <= k <= n.
    """
    if not 0 <= c <= n or not 1 <= k <= n:
        raise ValueError(f"pass@{k} of {c} in {n} is not defined")
    if c == 0:
        return 0.0
    if n - c < k:
        return 1.0
    # C(n-c,k)/C(n,k) is the same with c and k exchanged; the shorter product is taken.
    few, many = min(c, k), max(c, k)
    return -math.expm1(math.fsum(math.log1p(-many / (n - i)) for i in range(few)))


def table(counts: Sequence[tuple[int, int]], ks: Sequence[int]) -> Floats:
    """Returns pass@k of each problem as an array [problems, ks], for `counts` of (n, c).

    Raises:
        ValueError: a problem has fewer than k samples.
    """
    known: dict[tuple[int, int, int], float] = {}
    for k in ks:
        for n, c in counts:
            if (n, c, k) not in known:
                known[n, c, k] = pass_at_k(n, c, k)
    return np.array([[known[n, c, k] for k in ks] for n, c in counts], dtype=np.float64)


def bootstrap(
    values: Floats, *, seed: int, resamples: int = 10_000, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Returns the lower and upper ends [ks] of a percentile interval over the problems.

    Problems are drawn with replacement (Efron 1979): a resample is a vector of how often each
    problem was drawn, and all of them times `values` [problems, ks] are one matrix product.
    """
    problems = values.shape[0]
    draws = np.random.default_rng(seed)
    tail = (1.0 - level) / 2
    means = []
    # In slices, so that thousands of problems do not need gigabytes.
    for start in range(0, resamples, 1000):
        size = min(1000, resamples - start)
        weights_RP = draws.multinomial(problems, np.full(problems, 1.0 / problems), size=size)
        means.append(weights_RP @ values / problems)
    low, high = np.quantile(np.concatenate(means), [tail, 1.0 - tail], axis=0)
    return low, high


def score(counts: Sequence[tuple[int, int]], ks: Sequence[int], *, seed: int) -> PassAtK:
    """Returns pass@k with 95 % intervals for problems with `counts` of (samples, passes)."""
    if not counts:
        return PassAtK(values={}, intervals={}, left_out=dict.fromkeys(ks, "there are no samples"))
    least = min(n for n, _ in counts)
    left_out = {}
    for k in ks:
        short = sum(n < k for n, _ in counts)
        if short:
            left_out[k] = f"{short} of {len(counts)} problems have fewer than {k} samples"
    usable = sorted({k for k in ks if k <= least})
    if not usable:
        return PassAtK(values={}, intervals={}, left_out=left_out)
    values = table(counts, usable)
    low, high = bootstrap(values, seed=seed)
    return PassAtK(
        values=dict(zip(usable, values.mean(axis=0).tolist(), strict=True)),
        intervals={k: (a, b) for k, a, b in zip(usable, low.tolist(), high.tolist(), strict=True)},
        left_out=left_out,
    )


def curve_ks(least: int) -> list[int]:
    """Returns the k at which a curve up to `least` samples is drawn, about even in log k."""
    steps = {round(10 ** (i / 12)) for i in range(12 * 7)}
    return sorted({k for k in steps if k < least} | ({least} if least else set()))
