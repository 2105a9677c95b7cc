"""What an installed library offers, at the version that is installed: look up by import path.

    library.look_up("requests.Session.get") -> Installed: version, signature, docstring, …

Nothing is imported or run: modules are read by the same extractor as a repository's, when they are
asked for. Stubs (`.pyi` beside a module, `…-stubs` packages, mypy's for the standard library) give
signatures, sources the docstrings; a compiled module is known by its stubs alone. What a package
re-exports is followed to where it is defined, through `import`, `from … import *` with `__all__`
and `name = other.name`; methods are looked for in base classes too. What a module makes at run time
(`setattr`, a decorator that returns something else, `__getattr__`) is not known.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from codewright.repo.environments import Environment
from codewright.repo.facts import Binding, Definition, Extractor, Facts, Flag, Kind, Use
from codewright.repo.installed_modules import Module, absolute, find
from codewright.repo.installed_text import docstring, head

DEPTH = 24
"""The longest way from one name to another."""
HELD = 512
"""Modules whose facts are held."""
_ALIAS = re.compile(r"\w+(?:: [^=]+)? = ([A-Za-z_][\w.]*)")
_MADE = re.compile(r"\w+ = ([A-Za-z_][\w.]*)\(")
_DOTTED = re.compile(r"[A-Za-z_][\w.]*")
_VALUES = (Kind.VARIABLE, Kind.CONSTANT, Kind.ATTRIBUTE)
_SUFFIXES = (".pyi", ".py")


class Installed(NamedTuple):
    """One name of a library. signature, overloads: from a stub where there is one."""

    path: str
    """Where it is defined: `requests.sessions.Session.get`."""
    distribution: str
    version: str
    file: Path
    definition: Definition
    signature: str
    overloads: tuple[str, ...]
    doc: str


class _Place(NamedTuple):
    """A definition in one file of a module; ordinal 0 is the module."""

    module: Module
    file: Path
    facts: Facts
    ordinal: int


class _File(NamedTuple):
    """A file as it was read. inside: ordinals by parent and name."""

    state: tuple[int, int]
    facts: Facts
    inside: dict[tuple[int, str], list[int]]


class Library:
    """All that is installed in an environment. Not for two threads at once.

    Args:
        environment: where to look.
        extractor: reads Python.
    """

    def __init__(self, environment: Environment, extractor: Extractor) -> None:
        self._environment = environment
        self._extractor = extractor
        self._files: OrderedDict[Path, _File] = OrderedDict()
        self._modules: dict[str, Module | None] = {}
        self._answers: dict[str, Installed | None] = {}
        self._state = environment.state()

    def look_up(self, path: str) -> Installed | None:
        """Returns what an import path names, None where nothing is known of it."""
        self._fresh()
        if path in self._answers:
            return self._answers[path]
        answer = self._looked_up(path)
        if answer is None or self._environment.is_settled(answer.file):
            self._answers[path] = answer
        return answer

    def _fresh(self) -> None:
        """Forgets what was found where something has been installed since."""
        state = self._environment.state()
        if state != self._state:
            self._state = state
            self._environment = replace(self._environment)
            self._modules.clear()
            self._answers.clear()

    def members(self, path: str) -> Sequence[str]:
        """Returns the public names of a module or class, those of its base classes too."""
        names: dict[str, None] = {}
        for place in self._places(path):
            for name in self._names(place, 0):
                names[name] = None
        return sorted(names)

    def _looked_up(self, path: str) -> Installed | None:
        places = self._places(path)
        if not places:
            return None
        source = next((one for one in places if one.file.suffix == ".py"), places[0])
        heads = _heads(next((one for one in places if one.file.suffix == ".pyi"), source))
        definition = source.facts.definitions[source.ordinal]
        name, version = self._environment.owner(source.file)
        if not name:
            name, version = self._environment.owner(places[0].file)
        inside = source.facts.qualified(source.ordinal)
        return Installed(
            path=f"{source.module.name}.{inside}".rstrip("."),
            distribution=name,
            version=version,
            file=source.file,
            definition=definition,
            signature=heads[0],
            overloads=heads if len(heads) > 1 else (),
            doc=docstring(source.file, definition),
        )

    def _places(self, path: str) -> list[_Place]:
        """Returns where a path leads, in the module's stub and in its source."""
        module, rest = self._split(path.split("."))
        if module is None:
            module, rest = self._split(["builtins", *path.split(".")])
        if module is None:
            return []
        found = []
        for file in (module.stub, module.source):
            if file is not None and file.suffix in _SUFFIXES:
                start = _Place(module, file, self._read(file), 0)
                place = self._walk(start, rest, 0)
                found += [place] if place is not None else []
        if len(found) == 2 and found[0].module != found[1].module:
            # A stub that re-exports from elsewhere: what stands there has both files.
            found = [found[0]] if _is_more(found[0], found[1]) else [found[1]]
        return [*found, *self._beside(found)] if len(found) == 1 else found

    def _beside(self, found: list[_Place]) -> list[_Place]:
        """Returns the same definition in the other file of its module."""
        (place,) = found
        module = place.module
        other = module.source if place.file == module.stub else module.stub
        if other is None or other.suffix not in _SUFFIXES or other == place.file:
            return []
        names = place.facts.qualified(place.ordinal).split(".") if place.ordinal else []
        start = _Place(module, other, self._read(other), 0)
        twin = self._walk(start, names, DEPTH - 2)
        return [twin] if twin is not None else []

    def _walk(self, place: _Place, names: Sequence[str], depth: int) -> _Place | None:
        """Follows names from a module or class inwards."""
        for number, name in enumerate(names):
            if depth > DEPTH:
                return None
            inner = self._member(place, name, depth)
            if inner is None:
                return None
            is_last = number == len(names) - 1
            place = self._behind(inner, depth) if not is_last or _alias(inner) else inner
        return place

    def _member(self, place: _Place, name: str, depth: int) -> _Place | None:
        facts = place.facts
        found = self._opened(place.file).inside.get((place.ordinal, name), [])
        plain = [one for one in found if not facts.definitions[one].flags & Flag.OVERLOAD]
        if found:
            return place._replace(ordinal=(plain or found)[0])
        if place.ordinal:
            kind = facts.definitions[place.ordinal].kind
            if kind in _VALUES:
                held = self._held(place, depth)
                return self._member(held, name, depth + 1) if held and depth < DEPTH else None
            return self._inherited(place, name, depth)
        return self._imported(place, name, depth)

    def _inherited(self, place: _Place, name: str, depth: int) -> _Place | None:
        for base in self._bases(place, depth):
            found = self._member(base, name, depth + 1) if depth < DEPTH else None
            if found is not None:
                return found
        return None

    def _bases(self, place: _Place, depth: int) -> Iterator[_Place]:
        for use in place.facts.references:
            if use.use is Use.INHERIT and use.scope == place.ordinal:
                base = self._meant(place, use.binding, use.path, depth + 1)
                if base is not None and base != place and base.ordinal:
                    yield base

    def _meant(self, place: _Place, binding: Binding, path: str, depth: int) -> _Place | None:
        """Returns what a reference in a file means."""
        if depth > DEPTH:
            return None
        if binding is Binding.IMPORT:
            return self._absolute(absolute(path, place.module), depth)
        if binding in (Binding.FILE, Binding.SELF, Binding.UNKNOWN):
            return self._walk(place._replace(ordinal=0), path.split("."), depth)
        return self._absolute(f"builtins.{path}", depth) if binding is Binding.BUILTIN else None

    def _absolute(self, path: str, depth: int) -> _Place | None:
        module, rest = self._split(path.split("."))
        if module is None:
            return None
        best: _Place | None = None
        for file in (module.source, module.stub):
            if file is not None and file.suffix in _SUFFIXES:
                start = _Place(module, file, self._read(file), 0)
                place = self._walk(start, rest, depth + 1)
                if place is not None and (best is None or _is_more(place, best)):
                    best = place
        return best

    def _imported(self, place: _Place, name: str, depth: int) -> _Place | None:
        """Follows what a module imports, by name or by star."""
        if depth >= DEPTH:
            return None
        stars = []
        for one in place.facts.imports:
            if one.scope:
                continue
            if one.alias == name:
                # `import a.b` binds a.
                whole = one.module if one.name or one.module.split(".")[0] != name else name
                target = f"{whole}.{one.name}" if one.name else whole
                if one.module.endswith("."):
                    target = f"{whole}{one.name}"
                found = self._absolute(absolute(target, place.module), depth + 1)
                if found is not None and (found.module, found.ordinal) != (place.module, 0):
                    return found
            elif one.name == "*":
                stars.append(absolute(one.module, place.module))
        for star in reversed(stars):
            found = self._absolute(f"{star}.{name}", depth + 2)
            if found is not None and _is_shown(found, name, star):
                return found
        return None

    def _held(self, place: _Place, depth: int) -> _Place | None:
        """Returns the class of what a variable holds, by its annotation or `= Class(…)`."""
        definition = place.facts.definitions[place.ordinal]
        made = _MADE.match(definition.signature)
        written = definition.type or (made[1] if made else "")
        if not _DOTTED.fullmatch(written) or depth > DEPTH:
            return None
        return self._walk(place._replace(ordinal=0), written.split("."), depth + 1)

    def _behind(self, place: _Place, depth: int) -> _Place:
        """Returns what `name = other.name` names."""
        definition = place.facts.definitions[place.ordinal]
        if definition.kind not in (Kind.VARIABLE, Kind.CONSTANT) or not _alias(place):
            return place
        uses = [
            one
            for one in place.facts.references
            if one.line == definition.line and one.use is Use.READ
        ]
        last = uses[-1] if uses else None
        if last is None or last.path == place.facts.qualified(place.ordinal):
            return place
        return self._meant(place, last.binding, last.path, depth + 2) or place

    def _names(self, place: _Place, depth: int) -> Iterator[str]:
        definitions = place.facts.definitions
        listed = any(one.flags & Flag.EXPORTED for one in definitions)
        for one in definitions[1:]:
            shown = place.ordinal or not listed or one.flags & Flag.EXPORTED
            if one.parent == place.ordinal and _public(one.name) and shown:
                yield one.name
        if place.ordinal:
            for base in self._bases(place, depth) if depth < DEPTH else ():
                yield from self._names(base, depth + 1)
            return
        for bound in place.facts.imports if depth < 2 else ():
            if bound.name == "*":
                star = self._absolute(absolute(bound.module, place.module), depth)
                yield from self._names(star, depth + 1) if star is not None else ()
            elif bound.name and not bound.scope and _public(bound.alias) and not listed:
                yield bound.alias

    def _split(self, parts: Sequence[str]) -> tuple[Module | None, list[str]]:
        """Returns the longest beginning that is a module, and what is left."""
        found: Module | None = None
        for count in range(1, len(parts) + 1):
            module = self._module(".".join(parts[:count]), found)
            if module is None:
                return found, list(parts[count - 1 :])
            if count > 1 and found is not None and self._shadows(found, parts[count - 1]):
                return found, list(parts[count - 1 :])
            found = module
        return found, []

    def _shadows(self, package: Module, name: str) -> bool:
        """True where a package defines a function or class of the name of one of its modules."""
        for file in (package.source, package.stub):
            if file is not None and file.suffix in _SUFFIXES:
                opened = self._opened(file)
                for ordinal in opened.inside.get((0, name), ()):
                    if opened.facts.definitions[ordinal].kind is not Kind.VARIABLE:
                        return True
        return False

    def _module(self, name: str, parent: Module | None) -> Module | None:
        if name not in self._modules:
            self._modules[name] = find(name, parent, self._environment)
        return self._modules[name]

    def _read(self, file: Path) -> Facts:
        return self._opened(file).facts

    def _opened(self, file: Path) -> _File:
        seen = file.stat()
        state = (seen.st_mtime_ns, seen.st_size)
        held = self._files.get(file)
        if held is None or held.state != state:
            facts = self._extractor.facts(file.read_bytes())
            inside: dict[tuple[int, str], list[int]] = {}
            for ordinal, one in enumerate(facts.definitions[1:], 1):
                inside.setdefault((one.parent, one.name), []).append(ordinal)
            held = self._files[file] = _File(state, facts, inside)
            if len(self._files) > HELD:
                self._files.popitem(last=False)
        self._files.move_to_end(file)
        return held


def _public(name: str) -> bool:
    return not name.startswith("_")


def _is_shown(place: _Place, name: str, star: str) -> bool:
    """True for what `from star import *` brings, as far as its own file says."""
    definitions = place.facts.definitions
    if place.module.name != star or not any(one.flags & Flag.EXPORTED for one in definitions):
        return _public(name)
    return bool(definitions[place.ordinal].flags & Flag.EXPORTED)


def _alias(place: _Place) -> bool:
    definition = place.facts.definitions[place.ordinal]
    is_value = definition.kind in (Kind.VARIABLE, Kind.CONSTANT)
    return is_value and _ALIAS.fullmatch(definition.signature) is not None


def _is_more(one: _Place, other: _Place) -> bool:
    """True where the first says more: a definition rather than a mere variable."""
    return (
        other.facts.definitions[other.ordinal].kind in _VALUES
        and one.facts.definitions[one.ordinal].kind not in _VALUES
    )


def _heads(place: _Place) -> tuple[str, ...]:
    """Returns the signature, or all that a stub gives where it overloads."""
    definitions = place.facts.definitions
    one = definitions[place.ordinal]
    same = [one]
    if one.flags & Flag.OVERLOAD:
        same = [
            other
            for other in definitions
            if other.name == one.name and other.parent == one.parent and other.flags & Flag.OVERLOAD
        ]
    return tuple(head(place.file, each) for each in same)
