"""Which alternative is right? A conditional logit over the alternatives of each problem.

Every problem is a group of alternatives (the behaviour classes of its candidates), each with
features, and the chance that alternative i is the right one is softmax(x_i w + offset_i) over its
group (McFadden 1974, "Conditional Logit Analysis of Qualitative Choice Behavior"). Where several
alternatives are right, the likelihood is that of choosing any of them. An alternative "none of
these" with a utility of its own makes room for groups in which nothing is right.

The features are somebody else's; nothing here looks at a program.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codewright.verify.calibration import expect_keys, matrix, numbers, spread, weighted

Floats = NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]
"""A point to (value, gradient)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranker:
    """A fitted conditional logit.

    `names`, `mean`, `scale` and `weights` have one entry per feature; utility is the sum of
    weights * (x - mean) / scale. `none` is the utility of "none of these", None without it.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    none: float | None = None

    @classmethod
    def fit(
        cls,
        groups: Sequence[ArrayLike],
        labels: Sequence[ArrayLike],
        *,
        names: Sequence[str],
        offsets: Sequence[ArrayLike] | None = None,
        l2: float = 1.0,
        none: bool = False,
    ) -> Self:
        """Returns the weights of the largest penalised likelihood that is found from 0.

        Maximised is the sum over groups of log(sum_i label_i * p_i), less l2 / 2 times the
        squared length of the weights of the standardised features. With one right alternative
        per group this is concave and the maximum is the only one; with several it need not be.
        A fractional label is the chance that a member of the alternative is right, so that
        label_i * p_i sums to the chance that a member drawn from a drawn alternative is.

        Without `none`, groups in which nothing is right say nothing and are left out. With it
        they are those where "none of these" is right; its utility is penalised like a weight, so
        that it stays finite where every group has a right alternative.

        Args:
            groups: one array (m_g, f) per problem; m_g may be 0, and such a group is left out.
            labels: one array (m_g,) per problem, within [0, 1].
            names: one per feature.
            offsets: one array (m_g,) per problem, added to the utility with weight 1.
            l2: above 0.

        Raises:
            ValueError: shapes differ, a value is out of range or not finite, or no group is left.
            ArithmeticError: the search did not come near a maximum.
        """
        if not (l2 > 0.0 and math.isfinite(l2)):
            raise ValueError(f"l2 has to be above 0, and is {l2}")
        kept = _kept(groups, labels, offsets, len(names), none)
        mean_F, scale_F = spread(np.concatenate([x_MF for x_MF, _, _ in kept]))
        standard = [((x_MF - mean_F) / scale_F, y_M, offset_M) for x_MF, y_M, offset_M in kept]
        if none:
            standard = [_with_none(*group) for group in standard]
        likelihood = Likelihood(
            x_NF=np.concatenate([x_MF for x_MF, _, _ in standard]),
            labels_N=np.concatenate([y_M for _, y_M, _ in standard]),
            offsets_N=np.concatenate([offset_M for _, _, offset_M in standard]),
            sizes_G=np.array([len(y_M) for _, y_M, _ in standard]),
            l2=l2,
        )
        found = minimise(likelihood, np.zeros(len(names) + none), tolerance=1e-8 * len(kept))
        return cls(
            names=tuple(names),
            mean=tuple(mean_F.tolist()),
            scale=tuple(scale_F.tolist()),
            weights=tuple(found[: len(names)].tolist()),
            none=float(found[-1]) if none else None,
        )

    def scores(self, features: ArrayLike, offset: ArrayLike | None = None) -> Floats:
        """Returns the utilities, shape (m,), of one group's features, shape (m, f).

        Raises:
            ValueError: a shape is another, or a value is not finite.
        """
        x_MF = matrix(features, len(self.names))
        utility_M: Floats = (x_MF - self.mean) / self.scale @ np.asarray(self.weights)
        return utility_M + _offset(offset, x_MF)

    def probabilities(self, features: ArrayLike, offset: ArrayLike | None = None) -> Floats:
        """Returns the chance of each alternative of one group to be right, shape (m,).

        They sum to 1, or with "none of these" to 1 less its probability. Raises as `scores` does.
        """
        utility_M = self.scores(features, offset)
        if not len(utility_M):
            return utility_M
        rivals = utility_M if self.none is None else np.append(utility_M, self.none)
        odds: Floats = np.exp(rivals - rivals.max())
        return odds[: len(utility_M)] / float(odds.sum())

    def to_dict(self) -> dict[str, Any]:
        """Returns the fit as a dict that JSON can hold."""
        return {
            "names": list(self.names),
            "mean": list(self.mean),
            "scale": list(self.scale),
            "weights": list(self.weights),
            "none": self.none,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Returns the fit that `to_dict` wrote.

        Raises:
            DataError: a key is missing or unknown, or the entries do not fit each other.
        """
        expect_keys(data, ("names", "mean", "scale", "weights", "none"))
        names, mean, scale, weights = weighted(data)
        none = None
        if data["none"] is not None:
            (none,) = numbers({"none": [data["none"]]}, "none")
        return cls(names=names, mean=mean, scale=scale, weights=weights, none=none)


@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihood:
    """What a fit minimises: the penalised negative log-likelihood, with its gradient.

    The groups' alternatives stand one after the other in the N rows, `sizes_G` of them each, none
    of them 0; each group has a label above 0.
    """

    x_NF: Floats
    labels_N: Floats
    offsets_N: Floats
    sizes_G: NDArray[np.int_]
    l2: float

    def __call__(self, weights_F: Floats) -> tuple[float, Floats]:
        """Returns (value, gradient of shape (F,)).

        The gradient of -log sum_i label_i p_i is sum_i (p_i - q_i) x_i, where q is p given that
        the choice was right: q_i = label_i p_i / sum_j label_j p_j.
        """
        utility_N = self.x_NF @ weights_F + self.offsets_N
        log_labels_N = np.full(len(utility_N), -np.inf)
        np.log(self.labels_N, where=self.labels_N > 0.0, out=log_labels_N)
        every_N, total_G = self._log_softmax(utility_N)
        right_N, right_G = self._log_softmax(utility_N + log_labels_N)
        slope_N = np.exp(every_N) - np.exp(right_N)
        value = (total_G - right_G).sum() + self.l2 / 2 * weights_F @ weights_F
        return float(value), self.x_NF.T @ slope_N + self.l2 * weights_F

    def _log_softmax(self, utility_N: Floats) -> tuple[Floats, Floats]:
        """Returns (log-softmax within each group, log-sum-exp of each group)."""
        starts_G = np.cumsum(self.sizes_G) - self.sizes_G
        top_N = np.repeat(np.maximum.reduceat(utility_N, starts_G), self.sizes_G)
        sums_G = np.add.reduceat(np.exp(utility_N - top_N), starts_G)
        total_G = np.log(sums_G) + top_N[starts_G]
        return utility_N - np.repeat(total_G, self.sizes_G), total_G


def minimise(
    objective: Objective, start: Floats, *, tolerance: float, rounds: int = 500, memory: int = 10
) -> Floats:
    """Returns a local minimum of a smooth function by L-BFGS.

    Liu & Nocedal 1989, "On the limited memory BFGS method for large scale optimization". The
    search ends where no entry of the gradient is above `tolerance`, or where rounding hides any
    further descent.

    Raises:
        ArithmeticError: it ended with a gradient of more than 1,000 times the tolerance.
    """
    point, (value, gradient) = start, objective(start)
    pairs: deque[tuple[Floats, Floats]] = deque(maxlen=memory)
    for _ in range(rounds):
        if np.abs(gradient).max(initial=0.0) <= tolerance:
            break
        found = _line_search(objective, point, value, gradient, _direction(gradient, pairs))
        if found is None:
            break
        before, old = point, gradient
        point, value, gradient = found
        step, change = point - before, gradient - old
        if float(step @ change) > 0.0:
            pairs.append((step, change))
    if not np.abs(gradient).max(initial=0.0) <= 1e3 * tolerance:
        raise ArithmeticError("the search for the weights did not come near a minimum")
    return point


def _direction(gradient: Floats, pairs: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Returns minus the approximate inverse Hessian times the gradient (the two-loop recursion)."""
    if not pairs:
        # Nothing is known of the curvature yet: a first step of at most length 1.
        return -gradient / max(1.0, float(np.linalg.norm(gradient)))
    rest = gradient.copy()
    taken = []
    for step, change in reversed(pairs):
        share = float(step @ rest) / float(step @ change)
        rest -= share * change
        taken.append(share)
    step, change = pairs[-1]
    rest *= float(step @ change) / float(change @ change)
    for (step, change), share in zip(pairs, reversed(taken), strict=True):
        rest += (share - float(change @ rest) / float(step @ change)) * step
    return -rest


def _line_search(
    objective: Objective, point: Floats, value: float, gradient: Floats, direction: Floats
) -> tuple[Floats, float, Floats] | None:
    """Returns (point, value, gradient) that meets the weak Wolfe conditions, None without one.

    Bisection (Lewis & Overton 2013, "Nonsmooth optimization via quasi-Newton methods"). The
    second condition makes the step and the change of gradient point the same way, and L-BFGS
    divides by their product.
    """
    slope = float(gradient @ direction)
    if not slope < 0.0:
        return None
    low, high, length = 0.0, math.inf, 1.0
    for _ in range(60):
        there = point + length * direction
        new_value, new_gradient = objective(there)
        if not new_value <= value + 1e-4 * length * slope:
            high = length
        elif float(new_gradient @ direction) < 0.9 * slope:
            low = length
        else:
            return there, new_value, new_gradient
        length = (low + high) / 2 if high < math.inf else 2 * length
    return None


def _kept(
    groups: Sequence[ArrayLike],
    labels: Sequence[ArrayLike],
    offsets: Sequence[ArrayLike] | None,
    columns: int,
    none: bool,
) -> list[tuple[Floats, Floats, Floats]]:
    """Returns (features, labels, offsets) of the groups that the fit can learn from."""
    each_offset = [None] * len(groups) if offsets is None else offsets
    kept = []
    for group, label, offset in zip(groups, labels, each_offset, strict=True):
        x_MF, y_M = matrix(group, columns), np.asarray(label, dtype=np.float64)
        if y_M.shape != x_MF.shape[:1] or not ((y_M >= 0.0) & (y_M <= 1.0)).all():
            raise ValueError("a group has one label within [0, 1] per alternative")
        offset_M = _offset(offset, x_MF)
        if len(y_M) and (none or y_M.any()):
            kept.append((x_MF, y_M, offset_M))
    if not kept:
        raise ValueError("no group has a right alternative")
    return kept


def _offset(offset: ArrayLike | None, x_MF: Floats) -> Floats:
    offset_M = np.zeros(len(x_MF)) if offset is None else np.asarray(offset, dtype=np.float64)
    if offset_M.shape != x_MF.shape[:1] or not np.isfinite(offset_M).all():
        raise ValueError("a group has one finite offset per alternative")
    return offset_M


def _with_none(x_MF: Floats, y_M: Floats, offset_M: Floats) -> tuple[Floats, Floats, Floats]:
    """Returns a group with "none of these" as its last alternative and its mark as last column."""
    alternatives, columns = x_MF.shape
    x_RC = np.zeros((alternatives + 1, columns + 1))
    x_RC[:-1, :-1] = x_MF
    x_RC[-1, -1] = 1.0
    return x_RC, np.append(y_M, float(not y_M.any())), np.append(offset_M, 0.0)
