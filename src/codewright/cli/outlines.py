"""Definitions as a reader and as a program get to see them: outlines, names, findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codewright.errors import DataError, UnknownName

if TYPE_CHECKING:
    from codewright.repo.facts import Kind
    from codewright.repo.places import Place
    from codewright.repo.resolve import Resolver
    from codewright.repo.spaces import Space

_NO_END = 1 << 30


def inside(root: Path, text: str) -> str:
    """Returns a path as the index has it: relative to the root, wherever the command was run.

    "" for the root itself. What does not exist stays as it was written.

    Raises:
        DataError: the path lies outside of the root.
    """
    path = Path(text)
    if not path.exists() and (root / text).exists():
        path = root / text
    if not path.exists():
        return text.strip("/")
    whole = path.resolve()
    if not whole.is_relative_to(root):
        raise DataError(f"{text} is not inside {root}", hint="--root names another repository")
    found = whole.relative_to(root).as_posix()
    return "" if found == "." else found


def paths_under(resolver: Resolver, path: str) -> list[str]:
    """Returns the files that a path names: itself, or all that are below it.

    Raises:
        UnknownName: none is in the index.
    """
    files = resolver.lookup.files
    if path in files:
        return [path]
    found = [one for one in files if not path or one.startswith(path + "/")]
    if not found:
        raise UnknownName(
            f"{path or '.'} has no file in the index", hint="codewright index says why"
        )
    return found


def kinds(names: Sequence[str]) -> list[Kind]:
    """Returns the kinds that are called so.

    Raises:
        UnknownName: there is none of that name.
    """
    from codewright.repo.facts import Kind

    known = {kind.name.lower(): kind for kind in Kind}
    for name in names:
        if name not in known:
            raise UnknownName(f"no kind is called {name!r}", hint=f"one of {', '.join(known)}")
    return [known[name] for name in names]


def below(space: Space, ordinal: int, depth: int = _NO_END) -> Iterator[tuple[int, int]]:
    """Yields the definitions in one, each with how deep it stands, in the order of their lines."""
    children: dict[int, list[int]] = {}
    for at in range(1, len(space.definitions)):
        children.setdefault(space.definitions[at].parent, []).append(at)
    waiting = [(at, 0) for at in reversed(children.get(ordinal, ()))]
    while waiting:
        at, level = waiting.pop()
        yield at, level
        if level + 1 < depth:
            waiting += [(inner, level + 1) for inner in reversed(children.get(at, ()))]


def told(resolver: Resolver, place: Place) -> dict[str, Any]:
    """Returns a definition for JSON."""
    from codewright.repo.facts import Flag

    space = resolver.lookup.space(place.path)
    definition = space.definitions[place.ordinal]
    return {
        "path": place.path,
        "name": space.qualified(place.ordinal),
        "kind": definition.kind.name.lower(),
        "line": definition.line,
        "end": definition.end,
        "signature": definition.signature,
        "type": definition.type,
        "decorators": list(definition.decorators),
        "flags": [
            flag.name.lower() for flag in Flag if definition.flags & flag and flag.name is not None
        ],
    }


def outline(space: Space, ordinal: int, only: Collection[Kind], depth: int) -> list[str]:
    """Returns a tree of what is in a definition, with lines and signatures."""
    chosen = [
        (at, level)
        for at, level in below(space, ordinal, depth)
        if not only or space.definitions[at].kind in only
    ]
    width = max((len(str(space.definitions[at].line)) for at, _ in chosen), default=1)
    lines = []
    for at, level in chosen:
        definition = space.definitions[at]
        name = definition.signature or f"{definition.kind.name.lower()} {definition.name}"
        indent = "" if only else "  " * level
        owner = space.qualified(definition.parent) if only else ""
        lines.append(
            f"  {definition.line:>{width}}  {indent}{name}" + (f"  in {owner}" if owner else "")
        )
    return lines


def where(resolver: Resolver, place: Place) -> str:
    """Returns a definition with its line, as an editor opens it, and its name."""
    space = resolver.lookup.space(place.path)
    name = space.qualified(place.ordinal)
    line = space.definitions[place.ordinal].line
    return f"{place.path}:{line}  {name}" if name else place.path
