"""What a module gives to those that import it as a whole, and how often each of it is used.

A module gives its own names, what it imports by name or by star to give on, and a package's
modules do not count: they are imported by themselves. A private name counts where others say it.
How often a name is used is in how many files it stands together with the name of the module, which
is a count of names and no resolution. Both are kept for as long as the state stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from codewright.repo.around import words
from codewright.repo.facts import Definition, Flag
from codewright.repo.lookup import Lookup
from codewright.repo.modules import split
from codewright.repo.places import Place
from codewright.repo.spaces import VALUES

MOST = 3000
"""Names of one module that are looked at: packages that give all they have give some thousand."""
PUBLIC = 80
"""Public members of one module or class that are looked at."""
TOPS = 96
"""Definitions of one name that are looked at."""
COMMON = 100
"""Names of a module that are looked at whatever the cursor: those that are used the most."""
MODULES = 300
"""Modules that are read for what one gives."""
DEEPEST = 6
"""Star imports behind star imports that are followed."""
TWINS = 4
"""Definitions of one name in one place that are looked at."""


class Export(NamedTuple):
    """A name that a module gives.

    foreign: it is defined in another file. used: files that say it and the module's name. words: of
    the name.
    """

    name: str
    place: Place
    foreign: bool
    used: int
    words: frozenset[str]


class Given(NamedTuple):
    """What one module gives, the most used first.

    used: of all together. rare: the ranks from `COMMON` on of those that have a word.
    """

    exports: Sequence[Export]
    used: int
    rare: Mapping[str, Sequence[int]]


class Exports:
    """What modules give, over one state of a repository."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._known: dict[tuple[str, str], Given] = {}
        self._tops: dict[str, Sequence[Place]] = {}
        self._public: dict[str, tuple[Sequence[Place], int]] = {}
        self._again: dict[str, dict[int, list[int]]] = {}

    def of(self, path: str, name: str) -> Given:
        """Returns what a module gives, the most used first.

        Args:
            path: of the module's file.
            name: the last of its dotted name, as other files say it.
        """
        known = self._known.get((path, name))
        if known is None:
            found = self._given(path, 0, [path])
            private = self._private(path)
            counts = self._lookup.index.together(name, [*found, *private])
            # The module itself says both its name and theirs, if anybody.
            found |= {each: place for each, place in private.items() if counts.get(each, 0) > 1}
            listed = [
                Export(each, place, place.path != path, counts.get(each, 0), frozenset(words(each)))
                for each, place in found.items()
            ]
            listed.sort(key=lambda each: -each.used)
            rare: dict[str, list[int]] = {}
            for rank in range(COMMON, len(listed)):
                for word in listed[rank].words:
                    rare.setdefault(word, []).append(rank)
            total = sum(each.used for each in listed)
            known = self._known[path, name] = Given(tuple(listed), total, rare)
        return known

    def public(self, path: str) -> tuple[Sequence[Place], int]:
        """Returns the public members of a module, `PUBLIC` at most, and how many there are."""
        known = self._public.get(path)
        if known is None:
            members = self._lookup.space(path).members.get(0, {})
            places = [Place(path, at[0]) for name, at in members.items() if name[:1] != "_"]
            known = self._public[path] = tuple(places[:PUBLIC]), len(places)
        return known

    def tops(self, name: str) -> Sequence[Place]:
        """Returns where a name is defined at the top of a module, in the first `TOPS` places."""
        known = self._tops.get(name)
        if known is None:
            index = self._lookup.index
            known = self._tops[name] = tuple(
                Place(file.path, ordinal)
                for file, ordinal in index.defining(name, TOPS)
                if index.facts(file.content).definitions[ordinal].parent == 0
            )
        return known

    def again(self, path: str) -> Mapping[int, Sequence[int]]:
        """Returns the functions and classes that a file defines again in the same place.

        Properties and overloads do not count: theirs is one definition in parts.
        """
        known = self._again.get(path)
        if known is None:
            known = self._again[path] = {}
            space = self._lookup.space(path)
            for inner in space.members.values():
                for ordinals in inner.values():
                    if len(ordinals) > 1:
                        own = [at for at in ordinals if _alone(space.definitions[at])][:TWINS]
                        known |= {at: [other for other in own if other != at] for at in ordinals}
        return known

    def inner(self, path: str, name: str) -> Place | None:
        """Returns a module that another one gives under a name: `os.path`."""
        if not self._lookup.space(path).bound.get(name):
            return None
        for step in self._lookup.attribute(Place(path, 0), name).steps[:1]:
            if not step.place.ordinal and not step.place.path.endswith("/"):
                return step.place
        return None

    def _given(self, path: str, depth: int, read: list[str]) -> dict[str, Place]:
        """Returns names with what they are. read: the modules that were read for the first one."""
        space = self._lookup.space(path)
        found: dict[str, Place] = {}
        for name, ordinals in space.members.get(0, {}).items():
            if name.startswith("_"):
                continue
            found[name] = self.behind(Place(path, ordinals[0]))
            if len(found) >= MOST:
                return found
        package = path.rpartition("/")[2].startswith("__init__.")
        for name, paths in space.bound.items():
            if name.startswith("_") or name in found or not (package or split(paths[0])[0]):
                continue
            for step in self._lookup.imported(paths[0], path).steps[:1]:
                if step.place.ordinal:
                    found[name] = self.behind(step.place)
        if depth < DEEPEST:
            for star in space.stars:
                if len(found) >= MOST or len(read) >= MODULES:
                    break
                for step in self._lookup.imported(star, path).steps[:1]:
                    if not step.place.ordinal and not step.place.path.endswith("/"):
                        read.append(step.place.path)
                        inner = self._given(step.place.path, depth + 1, read)
                        for name, place in inner.items():
                            found.setdefault(name, place)
        return dict(list(found.items())[:MOST])

    def _private(self, path: str) -> dict[str, Place]:
        """Returns a module's own functions and classes that begin with one underscore."""
        space = self._lookup.space(path)
        return {
            name: Place(path, ordinals[0])
            for name, ordinals in space.members.get(0, {}).items()
            if name.startswith("_")
            and not name.startswith("__")
            and space.definitions[ordinals[0]].kind not in VALUES
        }

    def behind(self, place: Place) -> Place:
        """Returns what a value is another name of (`name = _name`), or else the value itself."""
        if place.path.endswith("/"):
            return place
        definition = self._lookup.space(place.path).definitions[place.ordinal]
        if definition.kind not in VALUES:
            return place
        other = definition.signature.rpartition("=")[2].strip()
        if other.isidentifier() and other != definition.name:
            for step in self._lookup.written(other, place).steps[:1]:
                if step.place.ordinal and not step.place.path.endswith("/"):
                    return step.place
        return place


def _alone(definition: Definition) -> bool:
    return definition.kind not in VALUES and not definition.flags & (Flag.PROPERTY | Flag.OVERLOAD)
