"""Where a name leads: places, steps on the way to them, and what was found at the end."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A definition in a file, or a package without a file: its folder with a `/`, ordinal 0."""

    path: str
    ordinal: int


class Step(NamedTuple):
    """A place that a name may mean."""

    place: Place
    confidence: float
    reason: str


class Found(NamedTuple):
    """What a name means.

    external: what it means outside the repository. missing: the dotted name that should have been
    in a module that is here, and is not; "" where that cannot be said.
    """

    steps: tuple[Step, ...] = ()
    external: str = ""
    missing: str = ""


NOTHING = Found()


def shared(one: str, other: str) -> int:
    """Returns how many folders two paths begin with alike."""
    count = 0
    for left, right in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if left != right:
            break
        count += 1
    return count
