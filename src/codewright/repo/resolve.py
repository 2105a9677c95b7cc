"""What a reference means: the definitions of the repository that it may refer to.

Each target has a confidence in (0, 1] and a reason. What scopes, imports, classes and annotations
say is followed (`lookup.py`) and is nearly sure. An attribute of something of which no type is
known is looked for by its name alone, and the fewer definitions of that name there are, the surer
is the guess; more than `MOST` are no answer, and a name that built-in types have too is next to
none. The confidences of guesses are shares that were measured (docs/symbols.md).

Built-ins and what is installed are named (`external`), not resolved. The way back, from a
definition to its uses, is `usages.py`'s.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple

from codewright.repo.facts import Binding, Reference, Use
from codewright.repo.index import File, Index
from codewright.repo.lookup import Lookup
from codewright.repo.modules import Modules
from codewright.repo.neighbourhood import beside
from codewright.repo.places import Found, Place, Step
from codewright.repo.spaces import CLASSES
from codewright.repo.unpacked import chosen

GUESSED = 0.9
"""The type of the first name was inferred."""
OWN = 0.98
"""An attribute of the own class: an heir may have another."""
SUPER = 0.95
"""An attribute of `super()`: in an heir with several bases another class may come between."""
MOST = 12
"""More definitions of a name are no answer to what an attribute is."""
ALONE, ALONE_NEAR = 0.75, 0.9
"""The only definition of a name: anywhere, and where the file or what it imports has it."""
REACHED = 0.75
"""The only one of several that is in the file or in what it imports."""
SHARED, SHARED_NEAR = 0.8, 0.5
"""What several are worth together, and each of them in the file or in what it imports."""
COMMON_ALONE, COMMON_NEAR = 0.03, 0.1
"""The only definition of a name that built-in types have too."""

COMMON: frozenset[str] = frozenset(
    name
    for kind in (
        *(str, bytes, bytearray, list, dict, set, tuple, int, float, complex, slice, range),
        *(BaseException, property, TextIOWrapper, re.Pattern, re.Match, threading.Thread),
        *(threading.Event, threading.Condition, datetime, Path),
    )
    for name in dir(kind)
)
"""Attributes of built-in types and of the commonest of the standard library."""

Names = Callable[[str], Sequence[tuple[File, int]]]


class Target(NamedTuple):
    """A definition that a reference may mean."""

    path: str
    ordinal: int
    confidence: float
    reason: str


class Resolution(NamedTuple):
    """What a reference means.

    external: the dotted name outside the repository, "" where it is inside or nothing is known.
    missing: the dotted name that a module of the repository should have and has not.
    """

    targets: tuple[Target, ...] = ()
    external: str = ""
    missing: str = ""


class Resolver:
    """Resolves references in one state of a repository.

    Args:
        index: the repository.
        modules: of its paths, where they are known already.
        names: where a name is defined; the index is asked where it is not given.
    """

    def __init__(
        self, index: Index, modules: Modules | None = None, names: Names | None = None
    ) -> None:
        self.index = index
        self.lookup = Lookup(index, modules)
        self.names = names or index.defining
        self._resolved: dict[tuple[str, Binding, str, bool, int, bool], Resolution] = {}
        self._members: dict[tuple[str, str], list[Place]] = {}
        self._near: dict[str, frozenset[str]] = {}
        self._supers: dict[int, dict[tuple[int, int], int]] = {}

    def resolve(self, path: str, reference: Reference) -> Resolution:
        """Returns what a reference in a file means, the likeliest target first."""
        heir = 0
        if reference.binding == Binding.UNKNOWN:
            heir = self._supers_of(path).get((reference.line, reference.column), 0)
        bound = reference.use == Use.IMPORT
        key = (path, reference.binding, reference.path, reference.guess, heir, bound)
        known = self._resolved.get(key)
        if known is None:
            if heir:
                known = self._of_super(Place(path, heir), reference)
            else:
                known = self._resolve(path, reference)
            self._resolved[key] = known
        return known

    def forget(self) -> None:
        """Drops the resolutions that are kept; what is known of names stays."""
        self._resolved.clear()

    def _resolve(self, path: str, reference: Reference) -> Resolution:
        binding = reference.binding
        if binding == Binding.BUILTIN:
            return Resolution(external=f"builtins.{reference.path}")
        factor = GUESSED if reference.guess else 1.0
        if binding == Binding.FILE:
            found = self.lookup.named(reference.path, Place(path, 0))
            reason = "defined in this file"
        elif binding == Binding.IMPORT:
            found = self.lookup.imported(reference.path, path)
            reason = "imported"
        elif binding == Binding.SELF:
            found = self._of_self(path, reference.path)
            factor, reason = OWN, "of its own class"
        else:
            return self._by_name(path, reference)
        if found.steps:
            reason = "guessed type" if reference.guess else reason
            return Resolution(_targets(found.steps, factor, reason))
        if found.external or found.missing or reference.use == Use.IMPORT:
            return Resolution((), found.external, found.missing)
        guessed = self._by_name(path, reference)
        return guessed if guessed.targets else Resolution((), found.external, found.missing)

    def _supers_of(self, path: str) -> dict[tuple[int, int], int]:
        """Returns where a file has the name behind a `super()`, with the class around it."""
        content = self.lookup.files[path].content
        known = self._supers.get(content)
        if known is None:
            known = self._supers[content] = {}
            last: Reference | None = None
            references = self.index.facts(content).references
            for reference in references if chosen(references, names=("super",)) else ():
                if reference.binding == Binding.BUILTIN and reference.path == "super":
                    last = reference
                elif last and reference.binding == Binding.UNKNOWN:
                    heir = self.lookup.space(path).owner(reference.scope)
                    if heir and last.line == reference.line and "." not in reference.path:
                        known[reference.line, reference.column] = heir
                    last = None
        return known

    def _of_super(self, heir: Place, reference: Reference) -> Resolution:
        order, outside = self.lookup.order(heir)
        for base in order[1:]:
            ordinals = self.lookup.space(base.path).named(base.ordinal, reference.name)
            if ordinals:
                targets = (Target(base.path, at, SUPER, "of a base") for at in ordinals)
                return Resolution(tuple(targets))
        return Resolution(external=f"{outside or 'builtins.object'}.{reference.name}")

    def _of_self(self, path: str, dotted: str) -> Found:
        """Returns what `Class.attribute` is, where the class stands in the file itself."""
        names = dotted.split(".")
        space = self.lookup.space(path)
        at, ordinals = 0, [0]
        for name in names:
            inner = [n for o in ordinals for n in space.named(o, name) if space.is_type(n)]
            if not inner:
                break
            at, ordinals = at + 1, inner
        if not at:
            return Found()
        return self.lookup.walk((Step(Place(path, o), 1.0, "") for o in ordinals), names[at:])

    def _by_name(self, path: str, reference: Reference) -> Resolution:
        """Guesses by the last name alone; a bare one is looked for in star imports before."""
        language = self.lookup.files[path].language
        found = Found()
        if reference.binding == Binding.UNKNOWN and language != "python":
            found = beside(self.lookup, path, reference.path, language)
        elif reference.binding == Binding.UNKNOWN and "." not in reference.path:
            found = self.lookup.starred(path, reference.name)
        if found.steps:
            return Resolution(_targets(found.steps, 1.0, ""))
        name = reference.path.rpartition(".")[2]
        members = self._having(name, language)
        if not members or len(members) > (1 if name in COMMON else MOST):
            return Resolution(external=found.external)
        near = self._imports(path)
        close = [place for place in members if place.path == path or place.path in near]
        chosen = close or members
        if name in COMMON:
            worth, reason = COMMON_NEAR if close else COMMON_ALONE, "the only one of a common name"
        elif len(members) == 1:
            worth, reason = ALONE_NEAR if close else ALONE, "the only one of that name"
        elif len(chosen) == 1:
            worth, reason = REACHED, "the only one of that name in reach"
        else:
            worth = SHARED_NEAR if close else SHARED / len(chosen)
            reason = f"one of {len(chosen)} of that name"
        return Resolution(tuple(Target(*place, worth, reason) for place in chosen))

    def _having(self, name: str, language: str) -> list[Place]:
        """Returns the members of classes that have a name, in files of a language."""
        key = (name, language)
        known = self._members.get(key)
        if known is None:
            known = self._members[key] = []
            for file, ordinal in self.names(name):
                if file.language == language and len(known) <= MOST:
                    space = self.lookup.space(file.path)
                    parent = space.definitions[ordinal].parent
                    first = space.named(parent, name)[0]
                    if ordinal == first and space.definitions[parent].kind in CLASSES:
                        known.append(Place(file.path, ordinal))
        return known

    def _imports(self, path: str) -> frozenset[str]:
        """Returns the files that a file imports from, at its top."""
        known = self._near.get(path)
        if known is None:
            space = self.lookup.space(path)
            names = [name for bound in space.bound.values() for name in bound]
            found = [self.lookup.imported(name, path) for name in [*names, *space.stars]]
            known = frozenset(step.place.path for f in found for step in f.steps)
            self._near[path] = known
        return known


def _targets(steps: Sequence[Step], factor: float, reason: str) -> tuple[Target, ...]:
    targets = [
        Target(*step.place, step.confidence * factor, step.reason or reason)
        for step in steps
        if not step.place.path.endswith("/")
    ]
    return tuple(sorted(targets, key=lambda target: -target.confidence))
