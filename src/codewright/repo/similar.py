"""Files that are like one: those beside it and those that import what it imports.

What they use is a guess at what it may use. A file's uses are worked out once and remembered for
as long as the state stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from codewright.repo.around import HOLE, Around
from codewright.repo.facts import Binding
from codewright.repo.index import File
from codewright.repo.lookup import Lookup
from codewright.repo.places import Place, shared
from codewright.repo.unpacked import chosen

MOST = 16
"""Files that are looked at."""
WIDE = 60
"""A name that more files mention says little about any of them."""
BESIDE = 12
COUSINS, MANY = 6, 400
"""Files of the same name in other folders that are looked at, unless so many are called so."""
ASKED = 8
"""Imported names by which files are sought."""
LONGEST = 6_000
"""References of one file that are read."""

Uses = Mapping[Place, frozenset[str]]
"""Definitions that a file uses, each with the names of the functions that it stands in."""


class Similar:
    """Finds files that are like one, over one state of a repository."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._uses: dict[str, Uses] = {}
        self._folders: dict[str, list[File]] = {}
        self._alike: dict[str, dict[str, float]] = {}
        self._mentioning: dict[str, tuple[float, list[str]]] = {}
        for path, file in lookup.files.items():
            self._folders.setdefault(path.rpartition("/")[0], []).append(file)

    def uses(self, here: Around) -> Iterator[tuple[float, Uses]]:
        """Yields, of files like the open one, how like they are and what they use."""
        for path, weight in self.files(here):
            yield weight, self.of(path)

    def files(self, here: Around) -> list[tuple[str, float]]:
        """Returns the files most like the open one, each with how like, at most 1."""
        scores: dict[str, float] = {}
        bound = dict.fromkeys(line.alias for line in here.facts.imports if line.alias)
        rarest = sorted(bound, key=lambda name: (here.counts[name], name))[:ASKED]
        for name in rarest:
            share, paths = self._sharing(name)
            for path in paths:
                scores[path] = scores.get(path, 0.0) + share
        for path, share in self._near(here.path).items():
            scores[path] = scores.get(path, 0.0) + share
        for path in self.cousins(here.path):
            scores[path] = scores.get(path, 0.0) + 0.3
        scores.pop(here.path, None)
        best = sorted(scores.items(), key=lambda each: (-each[1], each[0]))[:MOST]
        return [(path, min(1.0, score)) for path, score in best]

    def beside(self, path: str) -> Sequence[str]:
        """Returns the files of the same folder, those first that are called most like it."""
        near = self._near(path)
        others = [other for other in near if other != path]
        return sorted(others, key=lambda other: (-near[other], other))[:BESIDE]

    def _near(self, path: str) -> Mapping[str, float]:
        """Returns how much it counts that other files stand in the folder of one."""
        known = self._alike.get(path)
        if known is None:
            folder, _, stem = path.rpartition("/")
            known = self._alike[path] = {
                file.path: 0.2 + _alike(stem, file.path.rpartition("/")[2])
                for file in self._folders.get(folder, ())[:200]
            }
        return known

    def _sharing(self, name: str) -> tuple[float, Sequence[str]]:
        """Returns the files that say a name, unless they are many, and what it counts."""
        known = self._mentioning.get(name)
        if known is None:
            files = self._lookup.index.mentioning(name)
            paths = [file.path for file in files] if len(files) <= WIDE else []
            known = self._mentioning[name] = 1.0 / (1 + len(files) / 6), paths
        return known

    def cousins(self, path: str) -> list[str]:
        """Returns the nearest files of the same name in other folders of the same tree."""
        stem = path.rpartition("/")[2].partition(".")[0]
        called = self._lookup.called(stem)
        if len(called) > MANY or stem == "__init__":
            return []
        near = [(-shared(other, path), other) for other in called if other != path]
        return [other for distance, other in sorted(near)[:COUSINS] if distance]

    def of(self, path: str) -> Uses:
        """Returns what a file uses of others."""
        known = self._uses.get(path)
        if known is None:
            known = self._uses[path] = self._of(path)
        return known

    def _of(self, path: str) -> Uses:
        facts = self._lookup.index.facts(self._lookup.files[path].content)
        scopes: dict[str, set[str]] = {}
        for line in facts.imports:
            if line.name not in ("", "*"):
                joint = "" if line.module.endswith(".") else "."
                scopes.setdefault(line.module + joint + line.name, set())
        references = facts.references
        if len(references) > LONGEST:
            references = references[:LONGEST]
        for reference in chosen(references, binding=Binding.IMPORT):
            if reference.name != HOLE:
                name = facts.definitions[reference.scope].name
                scopes.setdefault(reference.path, set()).add(name)
        found: dict[Place, set[str]] = {}
        for dotted, names in scopes.items():
            for step in self._lookup.imported(dotted, path).steps[:1]:
                if step.place.ordinal and step.place.path != path:
                    found.setdefault(step.place, set()).update(names)
        return {place: frozenset(names) for place, names in found.items()}


def _alike(one: str, other: str) -> float:
    """Returns how much of two file names is the same at the beginning, at most 0.3."""
    same = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        same += 1
    return 0.3 * same / max(1, len(one))
