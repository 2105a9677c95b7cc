"""The definition that a person names: `pkg.mod.Class.method`, `path.py:Class.method`, `path.py:12`,
`path.py`, or a bare name.

A name that fits several definitions is an error that lists them, and one that fits none is an error
with names that begin alike. Nothing is guessed.
"""

from __future__ import annotations

import difflib
import posixpath
import re

from codewright.errors import UnknownName
from codewright.repo.facts import Flag
from codewright.repo.places import Place
from codewright.repo.resolve import Resolver

SHOWN = 10
"""How many candidates an error lists."""


def find(resolver: Resolver, text: str) -> Place:
    """Returns the definition that a text names.

    Raises:
        UnknownName: there is none, or several.
    """
    path, colon, inner = text.rpartition(":")
    if colon and posixpath.normpath(path) in resolver.lookup.files:
        return in_file(resolver, posixpath.normpath(path), inner)
    if colon and "/" in path:
        raise UnknownName(f"{path} is not in the index", hint="paths count from the root")
    if posixpath.normpath(text) in resolver.lookup.files:
        return Place(posixpath.normpath(text), 0)
    found = _dotted(resolver, text) or _last_names(resolver, text)
    if len(found) == 1:
        return found[0]
    if found:
        names = [told(resolver, place) for place in found]
        raise UnknownName(f"{text} may be any of {len(found)}", hint=_listed(names))
    last = text.rpartition(".")[2]
    alike = difflib.get_close_matches(last, resolver.index.names(last[:2], 2000), SHOWN)
    hint = (
        f"there is {', '.join(alike)}" if alike else "codewright symbols PATH lists what is there"
    )
    raise UnknownName(f"nothing here is called {text}", hint=hint)


def in_file(resolver: Resolver, path: str, inner: str) -> Place:
    """Returns a definition of one file, by its dotted name or a line.

    Raises:
        UnknownName: there is none, or several.
    """
    space = resolver.lookup.space(path)
    if not inner:
        return Place(path, 0)
    if inner.isdigit():
        return Place(path, at_line(resolver, path, int(inner)))
    found = single(resolver, [Place(path, at) for at in space.within(0, inner)])
    if not found:
        ends = [at for at in range(1, len(space.definitions)) if _ends(space.qualified(at), inner)]
        found = single(resolver, [Place(path, at) for at in ends])
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownName(
            f"{inner} may be any of {len(found)} in {path}",
            hint=_listed([told(resolver, place) for place in found]),
        )
    names = [d.name for d in space.definitions[1:] if not d.parent][:SHOWN]
    raise UnknownName(f"{path} has no {inner}", hint=f"it has {', '.join(names) or 'no names'}")


def at_line(resolver: Resolver, path: str, line: int) -> int:
    """Returns the innermost definition whose lines hold one, 0 for the file itself.

    Raises:
        UnknownName: the file is shorter.
    """
    file = resolver.lookup.files[path]
    if not 1 <= line <= max(file.lines, 1):
        raise UnknownName(f"{path} has no line {line}", hint=f"it has {file.lines}")
    best, size = 0, file.lines + 1
    for ordinal, definition in enumerate(resolver.lookup.space(path).definitions):
        length = definition.end - definition.first
        if ordinal and definition.first <= line <= definition.end and length <= size:
            best, size = ordinal, length
    return best


def told(resolver: Resolver, place: Place) -> str:
    """Returns how a definition is named to a person: `path:Class.method`, a file by its path."""
    inner = resolver.lookup.space(place.path).qualified(place.ordinal)
    return f"{place.path}:{inner}" if inner else place.path


def single(resolver: Resolver, places: list[Place]) -> list[Place]:
    """Drops what is the same to a person: overloads, and the other parts of a property."""
    best: dict[tuple[str, str], Place] = {}
    for place in places:
        space = resolver.lookup.space(place.path)
        key = place.path, space.qualified(place.ordinal)
        overload = space.definitions[place.ordinal].flags & Flag.OVERLOAD
        if key not in best or (
            not overload and space.definitions[best[key].ordinal].flags & Flag.OVERLOAD
        ):
            best[key] = place
    return list(best.values())


def _dotted(resolver: Resolver, text: str) -> list[Place]:
    if not re.fullmatch(r"[\w.]+", text) or text.startswith("."):
        return []
    steps = resolver.lookup.imported(text, "").steps
    return single(resolver, [s.place for s in steps if not s.place.path.endswith("/")])


def _last_names(resolver: Resolver, text: str) -> list[Place]:
    """Returns the definitions whose qualified name ends so, or with the module's before it."""
    found = []
    for file, ordinal in resolver.index.defining(text.rpartition(".")[2]):
        inner = resolver.lookup.space(file.path).qualified(ordinal)
        whole = f"{resolver.lookup.modules.name(file.path)}.{inner}"
        if _ends(inner, text) or _ends(whole, text):
            found.append(Place(file.path, ordinal))
    return single(resolver, found)


def _ends(whole: str, text: str) -> bool:
    return whole == text or whole.endswith("." + text)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "one of " + ", ".join(names[:SHOWN]) + more
