"""What a search takes for the neighbours of a definition: its edges in the graph, both ways.

Calls and inheritance count most, what merely contains counts nothing: a class's methods are near
it in any case. Files themselves are no neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codewright.repo.edges import EdgeKind
from codewright.repo.graph import Graph
from codewright.repo.places import Place

WEIGHTS: Mapping[EdgeKind, float] = {
    EdgeKind.CALLS: 1.0,
    EdgeKind.INHERITS: 0.9,
    EdgeKind.OVERRIDES: 0.8,
    EdgeKind.REFERENCES: 0.5,
}
BACK = 0.8
"""What a definition uses is nearer than what uses it."""
MOST = 12


@dataclass(frozen=True, slots=True)
class GraphTies:
    """A search's `Ties`."""

    graph: Graph

    def near(self, path: str, ordinal: int) -> Sequence[tuple[str, int]]:
        """Returns the nearest definitions, the closest first."""
        worth: dict[tuple[str, int], float] = {}
        place = Place(path, ordinal)
        for back in (False, True):
            for edge in self.graph.neighbours(place, tuple(WEIGHTS), back=back):
                other = edge.source if back else edge.target
                if other.ordinal and other != place:
                    key = (other.path, other.ordinal)
                    weight = WEIGHTS[edge.kind] * edge.confidence * (BACK if back else 1.0)
                    worth[key] = max(worth.get(key, 0.0), weight)
        return sorted(worth, key=lambda key: (-worth[key], key))[:MOST]
