"""Names that languages other than Python see without importing them.

Files of a package see each other's names (Go, Java), C and C++ what they include and, through the
linker, any function of that name; and what a type has may stand in another place than the type:
Rust's `impl`, Go's methods, C++'s `Class::method`, `A.prototype.f`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codewright.repo.facts import Kind
from codewright.repo.modules_elsewhere import NATIVE, PACKAGED
from codewright.repo.places import NOTHING, Found, Place, Step
from codewright.repo.spaces import CLASSES, FUNCTIONS

if TYPE_CHECKING:
    from codewright.repo.lookup import Lookup

BESIDE = 0.95
LINKED = 0.8
"""The only function of that name, without a header that says so."""
OPENED = 0.9
"""A member that stands in another folder than its type."""
_MOST = 4
"""More functions of a name are linked to different programs."""


def beside(lookup: Lookup, path: str, dotted: str, language: str) -> Found:
    """Returns what a name means to a file that nothing in it binds."""
    first, *rest = dotted.split(".")
    steps: list[Step] = []
    if language in PACKAGED:
        folder = path.rpartition("/")[0]
        for file in lookup.others.together(folder, language):
            steps += [
                Step(Place(file, at), BESIDE, "in the same package")
                for at in lookup.space(file).named(0, first)
                if lookup.space(file).definitions[at].kind != Kind.NAMESPACE
            ]
    found = lookup.starred(path, first) if not steps else NOTHING
    steps += found.steps
    if language in NATIVE and not any(_has_body(lookup, step.place) for step in steps):
        steps += _linked(lookup, first, [step.place for step in steps])
    return lookup.walk(steps, rest) if steps else Found(external=found.external)


def opened(lookup: Lookup, place: Place, name: str) -> list[Step]:
    """Returns the members of a type that stand elsewhere than in it, by the type's name."""
    space = lookup.space(place.path)
    owner = space.qualified(place.ordinal)
    folder = place.path.rpartition("/")[0]
    steps = []
    for file, ordinal in lookup.index.defining(name):
        if file.language != space.language:
            continue
        other = lookup.space(file.path)
        parent = other.definitions[ordinal].parent
        around = other.definitions[parent].kind
        if around not in CLASSES and around != Kind.NAMESPACE:
            continue
        if parent == place.ordinal and file.path == place.path:
            continue
        if other.qualified(parent) == owner:
            near = file.path.rpartition("/")[0] == folder
            if near or space.language in NATIVE:
                sure = 1.0 if file.path == place.path else BESIDE if near else OPENED
                steps.append(Step(Place(file.path, ordinal), sure, f"of {owner}"))
    return steps


def _linked(lookup: Lookup, name: str, known: list[Place]) -> list[Step]:
    found = [
        Place(file.path, ordinal)
        for file, ordinal in lookup.index.defining(name)
        if file.language in NATIVE
        and lookup.space(file.path).definitions[ordinal].parent == 0
        and lookup.space(file.path).definitions[ordinal].kind in FUNCTIONS
        and Place(file.path, ordinal) not in known
    ]
    bodies = [place for place in found if _has_body(lookup, place)] or found
    if len(bodies) > _MOST:
        return []
    return [Step(place, LINKED / len(bodies), "of that name") for place in bodies]


def _has_body(lookup: Lookup, place: Place) -> bool:
    if place.path.endswith("/"):
        return True
    definition = lookup.space(place.path).definitions[place.ordinal]
    return definition.kind not in FUNCTIONS or definition.body > 0
