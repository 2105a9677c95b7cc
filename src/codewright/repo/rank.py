"""How much a definition matters: PageRank over the graph, for everybody or as seen from a few.

The rank of a node is the share of time that a walker spends there who follows an edge with
probability `FOLLOWED`, and else, or where no edge leads on, begins again at a seed (Page et al.,
1999; Haveliwala, "Topic-sensitive PageRank", 2002). An edge is followed by its kind's weight times
its confidence; containment also leads back, from a method to its class and file, so that what is
used lends its rank to where it stands. Ranks sum to 1, and a file's is the sum of its definitions'.

`ranks` iterates over all edges until nothing moves. `around` begins at the seeds and touches only
what they reach (forward push: Andersen, Chung and Lang, 2006), which is quick in a large
repository; what it leaves out is below `left` of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codewright.repo.edges import EdgeKind
from codewright.repo.graph import Graph, Integers, Numbers
from codewright.repo.index import Index

FOLLOWED = 0.85
WEIGHTS: Mapping[EdgeKind, float] = {
    EdgeKind.CONTAINS: 0.2,
    EdgeKind.IMPORTS: 0.5,
    EdgeKind.CALLS: 1.0,
    EdgeKind.REFERENCES: 0.6,
    EdgeKind.INHERITS: 1.0,
    EdgeKind.OVERRIDES: 0.5,
    EdgeKind.TESTS: 0.0,
    EdgeKind.WRITES: 0.1,
}
"""Tests count for nothing of their own: what a test uses it already calls or imports."""
UPWARDS = 0.3
"""From a definition to what contains it."""
KEY = "ranks-1"

Reals: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The edges as a walker sees them: by source, each with the probability of being taken.

    begins: where the edges of each node begin, and behind them their number. Those of a node sum to
    1, or there are none.
    """

    begins: Numbers
    source: Integers
    target: Integers
    share: Reals

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.begins) - 1


def walk(graph: Graph) -> Walk:
    """Returns the walk over a graph."""
    weights = np.array([WEIGHTS[kind] for kind in EdgeKind])
    inner = np.flatnonzero(graph.kind == EdgeKind.CONTAINS)
    source = np.concatenate((graph.source, graph.target[inner]))
    target = np.concatenate((graph.target, graph.source[inner]))
    weight = np.concatenate(
        (weights[graph.kind] * graph.confidence / 100.0, np.full(len(inner), UPWARDS))
    )
    kept = np.flatnonzero(weight > 0)
    kept = kept[np.argsort(source[kept], kind="stable")]
    return of_edges(graph.size, source[kept], target[kept], weight[kept])


def of_edges(size: int, source: Integers, target: Integers, weight: Reals) -> Walk:
    """Returns the walk over weighted edges that are sorted by source."""
    total = _sums(source, weight, size)
    begins = np.searchsorted(source, np.arange(size + 1))
    return Walk(begins, source, target, weight / total[source])


def ranks(
    way: Walk,
    seeds: Mapping[int, float] | None = None,
    tolerance: float = 1e-9,
    most: int = 200,
) -> Reals:
    """Returns the rank of every node.

    Args:
        way: the walk.
        seeds: where the walker begins, with weights; anywhere, where not given.
        tolerance: of the sum of all changes, at which it ends.
        most: rounds at most; 85 % of what is missing goes with each.
    """
    size = way.size
    if not size:
        return np.zeros(0)
    start = _start(size, seeds)
    lost = np.diff(way.begins) == 0
    rank = start.copy()
    for _ in range(most):
        moved = _sums(way.target, rank[way.source] * way.share, size)
        following = FOLLOWED * (moved + rank[lost].sum() * start) + (1 - FOLLOWED) * start
        change = float(np.abs(following - rank).sum())
        rank = following
        if change < tolerance:
            break
    ranked: Reals = rank / rank.sum()
    return ranked


def around(way: Walk, seeds: Mapping[int, float], left: float = 0.01, most: int = 60) -> Reals:
    """Returns ranks as seen from a few nodes, from the walk's first steps.

    Args:
        way: the walk.
        seeds: where the walker begins, with weights.
        left: the share of all walks that may remain unfinished.
        most: rounds at most.
    """
    size = way.size
    waiting = _start(size, seeds)
    rank = np.zeros(size)
    active: Numbers = np.flatnonzero(waiting).astype(np.int64)
    for _ in range(most):
        amount = waiting[active]
        if amount.sum() < left:
            break
        rank[active] += (1 - FOLLOWED) * amount
        waiting[active] = 0.0
        edges = _edges(way, active)
        into = way.target[edges]
        flow = FOLLOWED * np.repeat(amount, np.diff(way.begins)[active]) * way.share[edges]
        np.add.at(waiting, into, flow)
        reached: Numbers = np.unique(into).astype(np.int64)
        # What is too small to matter waits until more has come to it.
        active = reached[waiting[reached] > left / max(len(reached), 1) / 10]
    rank += (1 - FOLLOWED) * waiting
    ranked: Reals = rank / rank.sum()
    return ranked


def load(index: Index, graph: Graph) -> Reals:
    """Returns the ranks for everybody of the state that an index is in, and keeps them there."""
    kept = index.kept(KEY)
    if kept is not None:
        return np.frombuffer(kept, dtype="<f4").astype(np.float64)
    found = ranks(walk(graph), tolerance=1e-6)
    index.keep(KEY, found.astype("<f4").tobytes())
    return found


def of_files(graph: Graph, rank: Reals) -> Reals:
    """Returns the rank of each file, in the order of `graph.paths`."""
    return _sums(graph.files(), rank, len(graph.paths))


def _sums(at: Integers, weights: Reals, size: int) -> Reals:
    """Returns the sum of the weights at each number below `size`."""
    return np.asarray(np.bincount(at, weights=weights, minlength=size), dtype=np.float64)


def _start(size: int, seeds: Mapping[int, float] | None) -> Reals:
    if not seeds:
        return np.full(size, 1.0 / size)
    start = np.zeros(size)
    for node, weight in seeds.items():
        start[node] += weight
    shares: Reals = start / start.sum()
    return shares


def _edges(way: Walk, nodes: Numbers) -> Numbers:
    """Returns the numbers of all edges of some nodes, node by node."""
    begins, counts = way.begins[nodes], np.diff(way.begins)[nodes]
    jumps = np.repeat(begins - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
    numbers: Numbers = np.arange(int(counts.sum()), dtype=np.int64) + jumps
    return numbers
