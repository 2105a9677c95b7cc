"""What the definitions of one file have to do with others: the edges that begin in it.

Contains, imports, calls, references, inherits, overrides, tests, writes; each with a confidence,
which is below 1 where it is a guess. An edge begins at the definition in whose body the reference
stands. Names of modules on the way to something (`os` and `os.path` in `os.path.join`) make no
edges; what is imported makes one from the importing place and one from file to file.

A test tests what it uses outside of tests, and by its name what it is called after: `test_parse`
tests `parse` where few things are called so, and the file `test_config.py` the file `config.py`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from codewright.repo.facts import Definition, Flag, Use
from codewright.repo.places import Place
from codewright.repo.resolve import Resolver
from codewright.repo.spaces import CLASSES, FUNCTIONS, Space

BY_NAME = 0.5
"""A test is called after what it tests."""
_NAMESAKES = 3
"""More definitions of a name no test is called after."""
_TEST_FILE = re.compile(
    r"(?:^|/)(?:tests?|testing|__tests__|spec)/|(?:^|/)(?:test_[^/]*|conftest)\.py$"
    r"|[._](?:test|spec)s?\.\w+$|(?:^|/)\w*Tests?\.java$"
)


class EdgeKind(IntEnum):
    """How one definition is tied to another. The numbers are kept: new kinds go to the end."""

    CONTAINS = 0
    IMPORTS = 1
    CALLS = 2
    REFERENCES = 3
    INHERITS = 4
    OVERRIDES = 5
    TESTS = 6
    WRITES = 7
    """Assigns to it, which makes nothing used."""


class Edge(NamedTuple):
    """One tie from a definition to another."""

    source: Place
    target: Place
    kind: EdgeKind
    confidence: float


_KINDS = {
    Use.CALL: EdgeKind.CALLS,
    Use.DECORATE: EdgeKind.CALLS,
    Use.IMPORT: EdgeKind.IMPORTS,
    Use.INHERIT: EdgeKind.INHERITS,
    Use.WRITE: EdgeKind.WRITES,
}


def edges_of(resolver: Resolver, path: str) -> dict[tuple[int, Place, EdgeKind], float]:
    """Returns the edges that begin in a file, by source, target and kind, with confidence."""
    space = resolver.lookup.space(path)
    found: dict[tuple[int, Place, EdgeKind], float] = {}
    for ordinal, definition in enumerate(space.definitions):
        if ordinal:
            found[definition.parent, Place(path, ordinal), EdgeKind.CONTAINS] = 1.0
    used = _uses(resolver, path)
    for (source, target, kind), confidence in used.items():
        if target.ordinal or kind == EdgeKind.IMPORTS:
            _add(found, source, target, kind, confidence)
        if kind == EdgeKind.IMPORTS and target.path != path:
            _add(found, 0, Place(target.path, 0), kind, confidence)
    for source, target in overridden(resolver, path):
        found[source, target, EdgeKind.OVERRIDES] = 1.0
    for (source, target, kind), confidence in used.items():
        if (
            kind != EdgeKind.WRITES
            and is_test(path, space, source)
            and (not is_test_place(resolver, target))
        ):
            _add(found, source, target, EdgeKind.TESTS, confidence)
    for source, target in _namesakes(resolver, path, space):
        _add(found, source, target, EdgeKind.TESTS, BY_NAME)
    return found


def overridden(resolver: Resolver, path: str) -> Iterator[tuple[int, Place]]:
    """Yields the methods of a file with the next method of that name in the bases."""
    space = resolver.lookup.space(path)
    for owner in space.bases:
        order, _ = resolver.lookup.order(Place(path, owner))
        for name, ordinals in space.members.get(owner, {}).items():
            if space.definitions[ordinals[0]].kind in FUNCTIONS:
                above = filter(None, (_method(resolver, base, name) for base in order[1:]))
                for target in itertools.islice(above, 1):
                    yield from ((ordinal, target) for ordinal in ordinals)


def is_test_file(path: str) -> bool:
    """Says whether a path is one where tests are kept."""
    return _TEST_FILE.search(path) is not None


def is_test(path: str, space: Space, ordinal: int) -> bool:
    """Says whether a definition belongs to the tests: by its name, its class or its file."""
    if is_test_file(path):
        return True
    while ordinal:
        definition = space.definitions[ordinal]
        if definition.flags & Flag.TEST:
            return True
        ordinal = definition.parent
    return False


def is_test_place(resolver: Resolver, place: Place) -> bool:
    """Says whether a definition belongs to the tests."""
    return is_test(place.path, resolver.lookup.space(place.path), place.ordinal)


def edge_kind(use: Use) -> EdgeKind:
    """Returns the kind of edge that a use makes."""
    return _KINDS.get(use, EdgeKind.REFERENCES)


def _uses(resolver: Resolver, path: str) -> dict[tuple[int, Place, EdgeKind], float]:
    found: dict[tuple[int, Place, EdgeKind], float] = {}
    space = resolver.lookup.space(path)
    heirs = {(r.line, r.column): owner for owner, bases in space.bases.items() for r in bases}
    seen: set[tuple[object, ...]] = set()
    for reference in resolver.index.facts(resolver.lookup.files[path].content).references:
        kind = edge_kind(reference.use)
        source = reference.scope
        if kind == EdgeKind.INHERITS:
            source = heirs.get((reference.line, reference.column), source)
        key = (source, kind, reference.binding, reference.path, reference.guess)
        if key in seen:
            continue
        seen.add(key)
        for target in resolver.resolve(path, reference).targets:
            place = Place(target.path, target.ordinal)
            if (path, source) != place:
                _add(found, source, place, kind, target.confidence)
    return found


def _add(
    found: dict[tuple[int, Place, EdgeKind], float],
    source: int,
    target: Place,
    kind: EdgeKind,
    confidence: float,
) -> None:
    key = (source, target, kind)
    if found.get(key, 0.0) < confidence:
        found[key] = confidence


def _method(resolver: Resolver, base: Place, name: str) -> Place | None:
    space = resolver.lookup.space(base.path)
    for ordinal in space.named(base.ordinal, name):
        if space.definitions[ordinal].kind in FUNCTIONS:
            return Place(base.path, ordinal)
    return None


def _namesakes(resolver: Resolver, path: str, space: Space) -> Iterator[tuple[int, Place]]:
    """Yields tests with what they are called after."""
    if is_test_file(path):
        name = path.rpartition("/")[2].partition(".")[0]
        name = name.removeprefix("test_").removesuffix("_test")
        same = resolver.lookup.called(name)
        same = [other for other in same if other != path and not is_test_file(other)]
        if len(same) <= _NAMESAKES:
            yield from ((0, Place(other, 0)) for other in same)
    for ordinal, definition in enumerate(space.definitions):
        name = _after(definition) if ordinal else ""
        if name and is_test(path, space, ordinal):
            targets = [Place(file.path, at) for file, at in resolver.names(name)]
            targets = [place for place in targets if not is_test_place(resolver, place)]
            if len(targets) <= _NAMESAKES:
                yield from ((ordinal, target) for target in targets)


def _after(definition: Definition) -> str:
    """Returns what a test is called after, "" for anything that is no test."""
    if definition.kind in FUNCTIONS and definition.name.startswith("test_"):
        return definition.name[5:]
    if definition.kind in CLASSES and definition.name.startswith("Test"):
        return definition.name[4:]
    return ""
