"""Reciprocal-rank fusion: one ranking out of several, by places alone, never by scores.

    fuse({"words": [a, b], "names": [b]}, WEIGHTS)

Each ranking gives what stands at its place r, counted from 1, weight / (K + r); the sums rank
(Cormack, Clarke and Büttcher, SIGIR 2009). Scores of different ways cannot be compared, places
can. What stands higher in one ranking and nowhere lower never falls behind; the order of the
rankings does not matter, and equal sums are ordered by the things themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

Thing = TypeVar("Thing", int, str, tuple[str, int])

K = 5
"""How little the first places are ahead of the next. The paper's is 60; for two good ways and one
right answer less is better (docs/log.md)."""


class Fused(NamedTuple, Generic[Thing]):
    """One thing with its sum and its places. places: by the name of the ranking, from 1."""

    thing: Thing
    score: float
    places: Mapping[str, int]


def fuse(
    rankings: Mapping[str, Sequence[Thing]], weights: Mapping[str, float], *, k: int = K
) -> Sequence[Fused[Thing]]:
    """Returns all that is ranked anywhere, best first.

    Args:
        rankings: things, best first, by a name; of one that stands twice the first place counts.
        weights: by the same names; a ranking that has none does not count.
    """
    places: dict[Thing, dict[str, int]] = {}
    for name in sorted(rankings):
        for place, thing in enumerate(dict.fromkeys(rankings[name]), start=1):
            places.setdefault(thing, {})[name] = place
    fused = [
        Fused(
            thing,
            sum(weights.get(name, 0.0) / (k + place) for name, place in having.items()),
            having,
        )
        for thing, having in places.items()
    ]
    return sorted(fused, key=lambda each: (-each.score, each.thing))
