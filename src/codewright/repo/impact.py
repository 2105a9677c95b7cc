"""What may break when a definition changes, and which tests would tell.

From a definition and all that stands in it to what uses it, and on to what uses that, breadth first
to a depth. Beside its users a method affects those that override it, and, since a call of a base's
method may arrive at it, the users of what it overrides; a constructor affects whoever calls the
class; a base class its heirs. Each affected definition has the confidence of the best way to it,
the product of its steps, and names the step before, so that a reader can follow.

Uses that no reference shows are not seen: operators and `with` statements that call methods of
double underscores, names put together at run time, registrations. A module that imports a
definition is listed and not followed further. What is found to a depth is found to any greater one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from codewright.repo.edges import EdgeKind, edge_kind, is_test, overridden
from codewright.repo.facts import Flag, Use
from codewright.repo.places import Place
from codewright.repo.resolve import Resolver
from codewright.repo.spaces import FUNCTIONS
from codewright.repo.usages import FILES, usages

DISPATCHED = 0.5
"""A call of the base's method arrives at this one."""
LEAST = 0.05
"""What is less sure is left out."""
MOST = 300
"""So many definitions are followed to their users."""
_MAKERS = frozenset({"__init__", "__new__", "__post_init__"})


class User(NamedTuple):
    """A definition that uses another. line: where, in its file; 0 where in no one place."""

    place: Place
    kind: EdgeKind
    confidence: float
    line: int
    reason: str


class Affected(NamedTuple):
    """A definition that may break. via: what it uses, which is affected itself or the start."""

    place: Place
    depth: int
    confidence: float
    kind: EdgeKind
    line: int
    reason: str
    via: Place
    test: bool


class Impact(NamedTuple):
    """What may break, by depth and confidence.

    left: definitions whose users were not looked for, and files that were not looked into, because
    there were too many.
    """

    start: Place
    affected: tuple[Affected, ...]
    left: int

    def way(self, affected: Affected) -> list[Affected]:
        """Returns the steps from an affected definition back to the start."""
        known = {one.place: one for one in self.affected}
        steps = [affected]
        while steps[-1].via in known:
            steps.append(known[steps[-1].via])
        return steps

    def tests(self) -> list[Affected]:
        """Returns the tests to run, the surest first."""
        found = [one for one in self.affected if one.test and one.kind != EdgeKind.IMPORTS]
        return sorted(found, key=lambda one: (-one.confidence, one.depth, one.place))


def impact(resolver: Resolver, start: Place, depth: int = 3, files: int = FILES) -> Impact:
    """Returns what a change of a definition may break.

    Args:
        resolver: of the repository.
        start: the definition.
        depth: how many steps are followed.
        files: how many files are looked into for the uses of one definition.
    """
    inside = _within(resolver, start)
    level = [(place, 1.0) for place in inside]
    found: dict[Place, Affected] = {}
    followed = left = 0
    users = Users(resolver, files)
    for step in range(1, depth + 1):
        reached: dict[Place, Affected] = {}
        for place, confidence in level:
            followed += 1
            if followed > MOST:
                left += 1
                continue
            for user in users.of(place):
                sure = confidence * user.confidence
                if user.place in inside or user.place in found or sure < LEAST:
                    continue
                one = _affected(resolver, user, place, step, sure)
                if user.place not in reached or _worth(reached[user.place]) < _worth(one):
                    reached[user.place] = one
        found |= reached
        ordered = sorted(reached.values(), key=lambda one: (-one.confidence, one.place))
        level = [(one.place, one.confidence) for one in ordered if _goes_on(resolver, one)]
    order = sorted(found.values(), key=lambda one: (one.depth, -one.confidence, one.place))
    return Impact(start, tuple(order), left + users.left)


class Users:
    """Looks for what uses a definition, each asked once.

    Attributes:
        left: how many files were not looked into.
    """

    def __init__(self, resolver: Resolver, files: int = FILES) -> None:
        self._resolver = resolver
        self._files = files
        self._heirs: dict[Place, list[tuple[Place, int, float]]] = {}
        self.left = 0

    def of(self, place: Place) -> Iterator[User]:
        """Yields the users of a definition, one of each place for each way of using it."""
        yield from self._direct(place)
        space = self._resolver.lookup.space(place.path)
        definition = space.definitions[place.ordinal]
        owner = Place(place.path, definition.parent)
        if definition.kind not in FUNCTIONS or not space.is_class(owner.ordinal):
            return
        if definition.name in _MAKERS:
            for user in self._direct(owner):
                if user.kind == EdgeKind.CALLS:
                    yield user._replace(reason="makes an instance")
        yield from self._overriding(owner, definition.name)
        for source, above in overridden(self._resolver, place.path):
            if source == place.ordinal and definition.name not in _MAKERS:
                for user in self._direct(above):
                    if user.kind == EdgeKind.CALLS:
                        sure = user.confidence * DISPATCHED
                        yield user._replace(confidence=sure, reason="by way of the base's method")

    def heirs(self, place: Place) -> list[tuple[Place, int, float]]:
        """Returns the classes that name a class as a base, with line and confidence."""
        known = self._heirs.get(place)
        if known is None:
            known = self._heirs[place] = [
                (user.place, user.line, user.confidence)
                for user in self._direct(place)
                if user.kind == EdgeKind.INHERITS
            ]
        return known

    def _direct(self, place: Place) -> Iterator[User]:
        if not place.ordinal:
            name = self._resolver.lookup.modules.name(place.path)
            if not name:
                return
        found = usages(self._resolver, place, self._files)
        self.left += found.left
        best: dict[tuple[Place, EdgeKind], User] = {}
        for use in found.uses:
            reference = use.reference
            source = Place(use.file.path, reference.scope)
            kind = edge_kind(reference.use)
            if reference.use == Use.WRITE and place == source._replace(ordinal=place.ordinal):
                parent = self._resolver.lookup.space(place.path).definitions[place.ordinal].parent
                if parent == reference.scope:
                    continue
            user = User(source, kind, use.confidence, reference.line, use.reason)
            known = best.get((source, kind))
            if source != place and (known is None or known.confidence < user.confidence):
                best[source, kind] = user
        yield from best.values()

    def _overriding(self, owner: Place, name: str) -> Iterator[User]:
        seen = {owner}
        waiting = [(owner, 1.0)]
        while waiting:
            place, confidence = waiting.pop()
            for heir, _, sure in self.heirs(place):
                if heir in seen:
                    continue
                seen.add(heir)
                waiting.append((heir, confidence * sure))
                space = self._resolver.lookup.space(heir.path)
                for ordinal in space.named(heir.ordinal, name)[:1]:
                    line = space.definitions[ordinal].line
                    where = Place(heir.path, ordinal)
                    yield User(where, EdgeKind.OVERRIDES, confidence * sure, line, "overrides it")


def _affected(resolver: Resolver, user: User, via: Place, depth: int, sure: float) -> Affected:
    test = is_test(user.place.path, resolver.lookup.space(user.place.path), user.place.ordinal)
    return Affected(user.place, depth, sure, user.kind, user.line, user.reason, via, test)


def _worth(one: Affected) -> tuple[bool, float]:
    """Orders ways to one definition: to use it says more than to import it."""
    return one.kind != EdgeKind.IMPORTS, one.confidence


def _within(resolver: Resolver, start: Place) -> dict[Place, None]:
    """Returns a definition and all that stands in it."""
    space = resolver.lookup.space(start.path)
    waiting, found = [start.ordinal], dict[Place, None]()
    while waiting:
        ordinal = waiting.pop(0)
        found[Place(start.path, ordinal)] = None
        waiting += [at for inner in space.members.get(ordinal, {}).values() for at in inner]
    return found


def _goes_on(resolver: Resolver, one: Affected) -> bool:
    definition = resolver.lookup.space(one.place.path).definitions[one.place.ordinal]
    is_case = definition.kind in FUNCTIONS and definition.flags & Flag.TEST
    return bool(one.place.ordinal) and one.kind != EdgeKind.IMPORTS and not is_case
