"""The whole graph of a repository as arrays: every definition a node, every tie an edge.

Nodes are numbered file by file in the order of `Index.files()`, and in a file by ordinal, so that
the node of a file itself is the first of its nodes. Edges are what `edges.py` says of each file,
each source, target and kind once, with the highest confidence, kept in hundredths. They are sorted
by source, and once more by target for the way back. `load` keeps the graph with the state of the
index, so it is built once for each state.
"""

from __future__ import annotations

import io
import zlib
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from codewright.repo.edges import Edge, EdgeKind, edges_of
from codewright.repo.index import Index
from codewright.repo.places import Place
from codewright.repo.resolve import Resolver

KEY = "graph-1"
"""Under which the graph is kept; the number changes with what an edge is."""
_HUNDRED = 100

Integers: TypeAlias = NDArray[np.int32]
Bytes: TypeAlias = NDArray[np.uint8]
Numbers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Definitions and their ties.

    paths: of the files. first: the node of each file, and behind them the number of nodes. source,
    target: nodes, by source. kind: an `EdgeKind`. confidence: in hundredths, 1 to 100. begins:
    where the edges of each source begin, and behind them the number of edges. back, ends: the edges
    by target, and where those of each target begin.
    """

    paths: Sequence[str]
    first: Numbers
    source: Integers
    target: Integers
    kind: Bytes
    confidence: Bytes
    begins: Numbers
    back: Numbers
    ends: Numbers

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return int(self.first[-1])

    def node(self, place: Place) -> int:
        """Returns the node of a definition.

        Raises:
            KeyError: no such file.
        """
        at = bisect_right(self.paths, place.path.encode(), key=str.encode) - 1
        if at < 0 or self.paths[at] != place.path:
            raise KeyError(place.path)
        return int(self.first[at]) + place.ordinal

    def place(self, node: int) -> Place:
        """Returns the definition of a node."""
        at = int(np.searchsorted(self.first, node, side="right")) - 1
        return Place(self.paths[at], node - int(self.first[at]))

    def files(self) -> Integers:
        """Returns the number of the file of each node."""
        counts = np.diff(self.first)
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

    def neighbours(
        self, place: Place, kinds: Collection[EdgeKind] = tuple(EdgeKind), *, back: bool = False
    ) -> list[Edge]:
        """Returns the edges that begin at a definition, or with `back` those that end there."""
        node = self.node(place)
        if back:
            edges = self.back[self.ends[node] : self.ends[node + 1]].tolist()
        else:
            edges = range(int(self.begins[node]), int(self.begins[node + 1]))
        return [self.edge(at) for at in edges if self.kind[at] in kinds]

    def edge(self, at: int) -> Edge:
        """Returns one edge by its number."""
        return Edge(
            self.place(int(self.source[at])),
            self.place(int(self.target[at])),
            EdgeKind(int(self.kind[at])),
            int(self.confidence[at]) / _HUNDRED,
        )


def load(
    index: Index, resolver: Resolver | None = None, advance: Callable[[int], None] | None = None
) -> Graph:
    """Returns the graph of the state that an index is in, and keeps it there.

    Args:
        index: the repository.
        resolver: of this state, where there is one already.
        advance: told how many files were done since, while the graph is built.
    """
    kept = index.kept(KEY)
    paths = [file.path for file in index.files()]
    if kept is not None:
        return _read(kept, paths)
    graph = build(resolver or Resolver(index), paths, advance)
    index.keep(KEY, _written(graph))
    return graph


def build(
    resolver: Resolver, paths: Sequence[str], advance: Callable[[int], None] | None = None
) -> Graph:
    """Builds the graph of all files; paths in the order of the index."""
    counts = [len(resolver.lookup.space(path).definitions) for path in paths]
    first = np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64)
    offset = dict(zip(paths, first.tolist(), strict=False))
    rows: list[Numbers] = []
    for path in paths:
        found = edges_of(resolver, path)
        here = offset[path]
        flat = [
            number
            for (source, target, kind), confidence in found.items()
            for number in (
                here + source,
                offset[target.path] + target.ordinal,
                kind,
                max(round(confidence * _HUNDRED), 1),
            )
        ]
        rows.append(np.array(flat, dtype=np.int64).reshape(-1, 4))
        resolver.forget()
        if advance:
            advance(1)
    table = np.concatenate(rows) if rows else np.zeros((0, 4), dtype=np.int64)
    table = table[np.lexsort((table[:, 2], table[:, 1], table[:, 0]))]
    return _graph(paths, first, table[:, 0], table[:, 1], table[:, 2], table[:, 3])


def _graph(
    paths: Sequence[str],
    first: Numbers,
    source: Numbers,
    target: Numbers,
    kind: Numbers,
    confidence: Numbers,
) -> Graph:
    nodes = np.arange(first[-1] + 1)
    back = np.argsort(target, kind="stable")
    return Graph(
        paths=paths,
        first=first,
        source=source.astype(np.int32),
        target=target.astype(np.int32),
        kind=kind.astype(np.uint8),
        confidence=confidence.astype(np.uint8),
        begins=np.searchsorted(source, nodes),
        back=back,
        ends=np.searchsorted(target[back], nodes),
    )


def _written(graph: Graph) -> bytes:
    """Returns what is kept: counts and differences, so that they compress."""
    steps = np.diff(graph.target, prepend=np.int32(0)).astype(np.int32)
    raw = io.BytesIO()
    np.savez(
        raw,
        definitions=np.diff(graph.first).astype(np.int32),
        edges=np.diff(graph.begins).astype(np.int32),
        steps=steps.view(np.uint8).reshape(-1, 4).T.copy(),
        kind=graph.kind,
        confidence=graph.confidence,
    )
    return zlib.compress(raw.getvalue(), 1)


def _read(data: bytes, paths: Sequence[str]) -> Graph:
    with np.load(io.BytesIO(zlib.decompress(data)), allow_pickle=False) as kept:
        first = np.concatenate(([0], np.cumsum(kept["definitions"], dtype=np.int64)))
        edges = kept["edges"]
        source = np.repeat(np.arange(len(edges), dtype=np.int64), edges)
        steps = np.ascontiguousarray(kept["steps"].T).view(np.int32).ravel()
        target = np.cumsum(steps, dtype=np.int64)
        return _graph(paths, first, source, target, kept["kind"], kept["confidence"])
