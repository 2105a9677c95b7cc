"""Definitions that nothing refers to, and references to what is not there.

**Unused** is what no edge of the graph reaches from outside of itself and no test runner, console
script, `__all__` or Python itself (double underscores) takes by its name. It is `sure` where the
name is nowhere else mentioned; a decorator, a base outside the repository, an override or a use of
that name on something of unknown type make it a "maybe", with the reason.

**Dangling** is an import from a module of the repository, or an attribute of one by its own name,
that the module does not have. Modules that make names as they run, or take them from outside by a
star, are believed. What a class does not have is not looked for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codewright.repo.edges import EdgeKind, is_test
from codewright.repo.facts import Binding, Flag, Kind, Reference, Use
from codewright.repo.graph import Graph
from codewright.repo.places import Place
from codewright.repo.resolve import Resolver
from codewright.repo.spaces import FUNCTIONS

USES = (EdgeKind.IMPORTS, EdgeKind.CALLS, EdgeKind.REFERENCES, EdgeKind.INHERITS)
SURE = 25
"""Hundredths of confidence below which a use is none that one can rely on."""
_LOOKED_INTO = 50
"""In so many files at most a mention of the name is looked for."""
_HARMLESS = frozenset(
    {"property", "staticmethod", "classmethod", "abstractmethod", "abc.abstractmethod", "override",
     "overload", "typing.overload", "cached_property", "functools.cached_property",
     "functools.cache", "functools.lru_cache", "lru_cache", "cache", "contextmanager",
     "contextlib.contextmanager", "dataclass", "dataclasses.dataclass", "final", "typing.final",
     "functools.wraps"}
)  # fmt: skip
"""Decorators that register nothing."""

Flags: TypeAlias = NDArray[np.bool_]


class Unused(NamedTuple):
    """A definition that nothing refers to. reason: why it may be used all the same."""

    place: Place
    sure: bool
    reason: str


class Dangling(NamedTuple):
    """A reference to what is not there. missing: the dotted name."""

    path: str
    reference: Reference
    missing: str


def unused(
    resolver: Resolver, graph: Graph, paths: Iterable[str], root: Path | None = None
) -> Iterator[Unused]:
    """Yields the definitions of some files that nothing refers to, by file and place.

    Args:
        resolver: of the repository.
        graph: of the same state.
        paths: of the files.
        root: the repository's folder, whose pyproject.toml may name entry points.
    """
    used, guessed = _used(graph, 0, SURE), _used(graph, 1, 0)
    entries = set(_entry_points(resolver, root)) if root else set()
    for path in paths:
        space = resolver.lookup.space(path)
        first = graph.node(Place(path, 0))
        dropped: set[int] = set()
        for ordinal, definition in enumerate(space.definitions):
            if definition.parent in dropped:
                dropped.add(ordinal)
                continue
            place = Place(path, ordinal)
            if not ordinal or used[first + ordinal] or place in entries:
                continue
            if _kept_by_name(resolver, place) or is_test(path, space, ordinal):
                continue
            reason = "one use that is a guess" if guessed[first + ordinal] else ""
            reason = reason or _doubt(resolver, place)
            dropped.add(ordinal)
            yield Unused(place, not reason, reason)


def dangling(resolver: Resolver, paths: Iterable[str]) -> Iterator[Dangling]:
    """Yields the references of some files to what is not there, each name once in a file."""
    for path in paths:
        seen: set[str] = set()
        facts = resolver.index.facts(resolver.lookup.files[path].content)
        for reference in facts.references:
            if reference.binding not in (Binding.IMPORT, Binding.FILE) or reference.guess:
                continue
            missing = resolver.resolve(path, reference).missing
            if missing and missing not in seen:
                seen.add(missing)
                yield Dangling(path, reference, missing)


def _used(graph: Graph, lowest: int, above: int) -> Flags:
    """Says of each node whether it is used from outside of itself, by edges sure enough."""
    parent = np.arange(graph.size, dtype=np.int32)
    inner = graph.kind == EdgeKind.CONTAINS
    parent[graph.target[inner]] = graph.source[inner]
    kept = np.isin(graph.kind, np.array(USES, dtype=np.uint8))
    kept &= (graph.confidence >= above) & (graph.confidence > lowest)
    source, target = graph.source[kept], graph.target[kept]
    around, own = source.copy(), source == target
    while True:
        outer = parent[around]
        if (outer == around).all():
            break
        around = outer
        own |= around == target
    used = np.zeros(graph.size, dtype=bool)
    used[target[~own]] = True
    return used


def _kept_by_name(resolver: Resolver, place: Place) -> bool:
    """Says whether somebody takes a definition by its name alone."""
    space = resolver.lookup.space(place.path)
    definition = space.definitions[place.ordinal]
    name = definition.name
    if (name.startswith("__") and name.endswith("__")) or name == "_":
        return True
    if definition.flags & (Flag.EXPORTED | Flag.OVERLOAD):
        return True
    return definition.kind in (Kind.NAMESPACE, Kind.MODULE)


def _doubt(resolver: Resolver, place: Place) -> str:
    """Returns why a definition may be used although no edge says so, "" where nothing does."""
    space = resolver.lookup.space(place.path)
    definition = space.definitions[place.ordinal]
    for decorator in definition.decorators:
        if decorator.partition("(")[0] not in _HARMLESS:
            return f"decorated by {decorator}"
    if space.is_class(definition.parent):
        owner = Place(place.path, definition.parent)
        order, outside = resolver.lookup.order(owner)
        if outside:
            return f"its class has the base {outside}"
        for base in order[1:]:
            if resolver.lookup.space(base.path).named(base.ordinal, definition.name):
                return f"overrides what {base.path} has"
        if (
            definition.kind not in FUNCTIONS
            and resolver.lookup.space(owner.path).definitions[owner.ordinal].decorators
        ):
            return "a field of a decorated class"
    return _mentioned(resolver, place, definition.name)


def _mentioned(resolver: Resolver, place: Place, name: str) -> str:
    files = resolver.index.mentioning(name)
    for file in files[:_LOOKED_INTO]:
        for reference in resolver.index.facts(file.content).references:
            if reference.name == name and reference.use != Use.WRITE:
                found = resolver.resolve(file.path, reference)
                if not found.targets and (not found.external or reference.guess):
                    return f"{file.path}:{reference.line} uses a {name} of unknown type"
    return "a common name" if len(files) > _LOOKED_INTO else ""


def _entry_points(resolver: Resolver, root: Path) -> Iterator[Place]:
    """Yields what pyproject.toml names as entry points."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, KeyError, ValueError):
        return
    groups = [project.get("scripts"), project.get("gui-scripts")]
    named = project.get("entry-points")
    groups += list(named.values()) if isinstance(named, dict) else []
    for group in groups:
        for target in group.values() if isinstance(group, dict) else ():
            dotted = str(target).partition("[")[0].strip().replace(":", ".")
            for step in resolver.lookup.imported(dotted, "").steps:
                yield step.place
