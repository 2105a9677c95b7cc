"""All references to a definition: the way back of `resolve.py`.

A reference is a use of a definition if and only if `Resolver.resolve` names that definition for it.
They are looked for in the files that mention its name, or a name under which it is imported, the
nearest files first; after `FILES` of them the search is cut, and says how many it left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

from codewright.repo.facts import Binding, Reference
from codewright.repo.index import File
from codewright.repo.places import Place
from codewright.repo.resolve import Resolver
from codewright.repo.spaces import bound_path
from codewright.repo.unpacked import chosen

FILES = 200
"""How many files are looked into, where nothing else is said."""
ALIASES = 16
"""More names than this no definition is followed under."""


class Usage(NamedTuple):
    """One use of a definition."""

    file: File
    reference: Reference
    confidence: float
    reason: str


class Usages(NamedTuple):
    """The uses of a definition.

    left: how many files mention the name and were not looked into.
    """

    uses: tuple[Usage, ...]
    left: int


def usages(resolver: Resolver, place: Place, files: int = FILES) -> Usages:
    """Returns the references that may mean a definition, by file and place in it."""
    names = names_of(resolver, place, files)
    mentioning = nearest(
        {file.path: file for name in names for file in resolver.index.mentioning(name)}.values(),
        place.path,
    )
    uses = [use for file in mentioning[:files] for use in _in_file(resolver, file, names, place)]
    uses.sort(key=lambda use: (use.file.path, use.reference.line, use.reference.column))
    return Usages(tuple(uses), max(len(mentioning) - files, 0))


def names_of(resolver: Resolver, place: Place, files: int = FILES) -> frozenset[str]:
    """Returns the last names under which a definition is referred to: its own, and aliases."""
    space = resolver.lookup.space(place.path)
    definition = space.definitions[place.ordinal]
    if place.ordinal:
        known = {definition.name}
        if definition.parent:
            return frozenset(known)
    else:
        known = _module_names(resolver, place.path)
    left = sorted(known)
    while left:
        name = left.pop()
        for file in nearest(resolver.index.mentioning(name), place.path)[:files]:
            for alias in _aliases(resolver, file, name, place):
                if alias not in known and len(known) < ALIASES:
                    known.add(alias)
                    left.append(alias)
    return frozenset(known)


def nearest(files: Iterable[File], path: str) -> Sequence[File]:
    """Orders files by how much of their path they share with another, then by name."""
    folders = path.split("/")[:-1]

    def far(file: File) -> tuple[bool, int, bytes]:
        pairs = zip(folders, file.path.split("/"), strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return file.path != path, -shared, file.path.encode()

    return sorted(files, key=far)


def _in_file(
    resolver: Resolver, file: File, names: frozenset[str], place: Place
) -> Iterable[Usage]:
    for reference in chosen(resolver.index.facts(file.content).references, names=names):
        if reference.binding != Binding.BUILTIN:
            for target in resolver.resolve(file.path, reference).targets:
                if target.ordinal == place.ordinal and target.path == place.path:
                    yield Usage(file, reference, target.confidence, target.reason)
                    break


def _aliases(resolver: Resolver, file: File, name: str, place: Place) -> Iterable[str]:
    """Yields the names that a file gives to a definition by importing it under another."""
    for line in resolver.index.facts(file.content).imports:
        last = line.name or line.module.rpartition(".")[2]
        if last != name or line.alias in ("", name):
            continue
        found = resolver.lookup.imported(bound_path(file.language, line), file.path)
        if any(step.place == place for step in found.steps):
            yield line.alias


def _module_names(resolver: Resolver, path: str) -> set[str]:
    name = resolver.lookup.modules.name(path).rpartition(".")[2]
    return {name} if name else {path.rpartition("/")[2].partition(".")[0]}
