"""Which of the candidates? Groups of candidates that a method cannot tell apart, best first.

    first      the first that can be called at all
    majority   the largest behaviour class (functional clustering, arXiv 2506.11021)
    dual       the consensus set of best score (dual execution agreement, CodeT, arXiv 2207.10397)
    examples   those that satisfy most of the user's examples, of these the largest class
    best       a conditional logit over what all of these look at (see `trust.py`)

Candidates that return from no call are never chosen while there are others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codewright.verify.case import Case

Floats = NDArray[np.float64]

METHODS = ("first", "majority", "dual", "examples", "best")

FEATURES = ("mass", "dual", "tests", "values", "substance", "held", "all_held", "any_held", "n")
"""What `best` looks at, for a class of k among n candidates.

mass: log(k / n). dual: log(1 + 100 sqrt(s) t), s the share of candidates in its consensus set and
t the share of the model's tests that the set passes. tests: t. values: the weighted share of calls
that it returned from. substance: log(1 + nodes) of its smallest program. held: the share of the
examples that it satisfies. all_held: whether that is all. any_held, n: whether any class satisfies
all, and log n; equal for all classes, they say how likely it is that none is right.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Candidates that a method holds to be equally good, and how good; numbers ascending."""

    members: tuple[int, ...]
    score: float


def offered(case: Case) -> list[tuple[int, ...]]:
    """The behaviour classes that may be chosen: those that return from some call."""
    live = case.live
    return [members for members in case.classes if live[members[0]]]


def select(case: Case, method: str, scores: Sequence[float] | None = None) -> list[Group]:
    """Groups in the order in which a method would offer them; empty where nothing can be called.

    Args:
        method: one of `METHODS`.
        scores: for `best`, one per class of `offered(case)`.
    """
    assert method in METHODS, method
    classes = offered(case)
    if not classes:
        return []
    if method == "first":
        live = np.flatnonzero(case.live)
        return [Group(members=(int(row),), score=-float(row)) for row in live]
    if method == "dual":
        return _dual(case)
    if method == "majority":
        rated = [float(len(members)) for members in classes]
    elif method == "examples":
        share = case.held.mean(axis=1) if case.held.shape[1] else np.zeros(case.n)
        rated = [float(share[members[0]]) * case.n * 2 + len(members) for members in classes]
    else:
        assert scores is not None
        rated = [float(score) for score in scores]
    return _tied([Group(members=m, score=s) for m, s in zip(classes, rated, strict=True)])


def consensus(case: Case) -> tuple[Floats, Floats]:
    """Each candidate's consensus set: its size, and the weight of the tests that it passes.

    Both shape (n,). Candidates that pass the same tests are a consensus set.
    """
    weight = case.passes @ case.counts
    size = np.zeros(case.n)
    sets: dict[bytes, list[int]] = {}
    for row in range(case.n):
        sets.setdefault(case.passes[row].tobytes(), []).append(row)
    for members in sets.values():
        size[members] = len(members)
    return size, weight


def _dual(case: Case) -> list[Group]:
    """Consensus sets by sqrt(size) x tests passed, as CodeT's published code scores them.

    Where no candidate passes any test all are equally good, as there.
    """
    size, weight = consensus(case)
    score = np.sqrt(size) * weight
    passing = np.flatnonzero(weight > 0)
    if not len(passing):
        return [Group(members=tuple(int(r) for r in np.flatnonzero(case.live)), score=0.0)]
    ordered: dict[float, list[int]] = {}
    for row in passing:
        ordered.setdefault(float(score[row]), []).append(int(row))
    return [Group(members=tuple(ordered[s]), score=s) for s in sorted(ordered, reverse=True)]


def _tied(groups: Sequence[Group]) -> list[Group]:
    """Groups of equal score joined, best first."""
    joined: dict[float, list[int]] = {}
    for group in groups:
        joined.setdefault(group.score, []).extend(group.members)
    return [
        Group(members=tuple(sorted(joined[score])), score=score)
        for score in sorted(joined, reverse=True)
    ]


def features(case: Case) -> Floats:
    """What `best` looks at, shape (classes of `offered`, `FEATURES`)."""
    classes = offered(case)
    firsts = [members[0] for members in classes]
    table = np.zeros((len(classes), len(FEATURES)))
    if not classes:
        return table
    total = float(case.counts.sum())
    size, weight = consensus(case)
    share = weight / total if total else np.zeros(case.n)
    held = case.held.mean(axis=1) if case.held.shape[1] else np.full(case.n, 0.5)
    every = np.logical_and.reduce(case.held, axis=1) if case.held.shape[1] else np.zeros(case.n)
    table[:, 0] = [math.log(len(members) / case.n) for members in classes]
    table[:, 1] = np.log1p(100 * np.sqrt(size / case.n) * share)[firsts]
    table[:, 2] = share[firsts]
    table[:, 3] = (case.values @ case.weights)[firsts]
    table[:, 4] = [math.log1p(case.nodes[list(members)].min()) for members in classes]
    table[:, 5] = held[firsts]
    table[:, 6] = every[firsts]
    table[:, 7] = float(every.any())
    table[:, 8] = math.log(case.n)
    return table
