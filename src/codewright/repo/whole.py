"""What speaks for the members of modules that a file imports as a whole: `import x … x.f(`.

The module is known and not which of its names. What tells them: how many other files say them
together with the module's name, that the module's name stands near the cursor or in the same
function, and the words around. A module that nothing imports, and whose name stands in the file
without being bound, counts too: its import is still to be written.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from codewright.repo.around import HOLE, Around
from codewright.repo.evidence import Evidence
from codewright.repo.exports import COMMON, PUBLIC, Exports, Given
from codewright.repo.facts import Binding, Import
from codewright.repo.lookup import Lookup
from codewright.repo.modules import split
from codewright.repo.places import Place, shared
from codewright.repo.spaces import bound_path
from codewright.repo.unpacked import names_of

DEEP = 4
"""Modules that are looked at inside a module, such as `os.path`."""
NAMESAKES = 2
"""Modules that an unbound name may mean."""

Add = Callable[[Place], Evidence | None]


class Whole:
    """Modules as a whole, for one cursor."""

    def __init__(self, lookup: Lookup, exports: Exports, here: Around, add: Add) -> None:
        self._lookup, self._exports, self._here, self._add = lookup, exports, here, add
        file = lookup.files.get(here.path)
        self._own = names_of(lookup.index.facts(file.content).references) if file else frozenset()
        self._near: dict[str, float] = {}
        self._within: set[str] = set()
        lines = {line.line for line in here.facts.imports}
        for reference in here.facts.references:
            if reference.binding in (Binding.IMPORT, Binding.UNKNOWN) and reference.name != HOLE:
                path = reference.path
                near = math.exp(-abs(reference.line - here.line) / 15)
                if reference.scope or reference.line not in lines:
                    self._near[path] = max(self._near.get(path, 0.0), near)
                if here.scope and here.inside(reference, here.scope):
                    self._within.add(path)

    def imported(self, place: Place, line: Import, uses: int) -> None:
        """Looks at a module that an import binds.

        Args:
            place: of the module.
            line: the import.
            uses: how often its name stands in the file, the import not counted.
        """
        here = self._here
        joint = "" if line.module.endswith(".") or not line.name else "."
        path = f"{line.module}{joint}{line.name}"
        away = line.scope and not _holds(here, line.scope)
        self._members(place, path, "member", 0.3 if away else 1.0, uses)

    def unbound(self, name: str, beside: Sequence[str]) -> None:
        """Looks at the modules that a name may mean which nothing binds.

        Args:
            name: as it stands in the file.
            beside: files whose imports say what they call so.
        """
        here = self._here
        found = list(self._lookup.modules.top(name, here.path))
        package = self._lookup.modules.relative(1, here.path)
        child = self._lookup.modules.child(package, name) if package else None
        if child:
            found.insert(0, child)
        named = sorted(self._lookup.called(name), key=lambda path: (-shared(path, here.path), path))
        found += named[:NAMESAKES]
        modules = [path for path in dict.fromkeys(found) if not path.endswith("/")]
        modules = modules or self._aliased(name, beside)
        for rank, path in enumerate(modules[:NAMESAKES]):
            self._members(Place(path, 0), name, "member_unbound", 1 / (1 + rank), here.counts[name])

    def _aliased(self, name: str, beside: Sequence[str]) -> list[str]:
        """Returns the module that most of the files beside bind to a name."""
        counts: Counter[str] = Counter()
        for near in beside:
            file = self._lookup.files[near]
            for line in self._lookup.index.facts(file.content).imports:
                if line.alias == name:
                    path = bound_path(file.language, line)
                    for step in self._lookup.imported(path, near).steps[:1]:
                        if not step.place.ordinal and not step.place.path.endswith("/"):
                            counts[step.place.path] += 1
        return [path for path, _ in counts.most_common(1)]

    def _members(self, place: Place, path: str, feature: str, weight: float, uses: int) -> None:
        stem = split(path)[1][-1] if split(path)[1] else ""
        if place.path == self._here.path or not stem:
            return
        given = self._exports.of(place.path, stem)
        self._given(given, path, stem, feature, weight, uses)
        deep = [
            inner
            for inner in self._near
            if inner.startswith(f"{path}.") and "." not in inner[len(path) + 1 :]
        ]
        for inner in deep[: 8 * DEEP]:
            module = self._exports.inner(place.path, inner.rpartition(".")[2])
            if module is not None and module.path != self._here.path:
                name = inner.rpartition(".")[2]
                found = self._exports.of(module.path, name)
                self._given(found, inner, name, "member_deep", weight, uses)

    def _given(
        self,
        given: Given,
        path: str,
        stem: str,
        feature: str,
        weight: float,
        uses: int,
    ) -> None:
        own, exports, total = self._own, given.exports, given.used + 3
        why = f"in {stem}, which is imported nowhere" if feature == "member_unbound" else (
            f"in {stem}, imported and not used yet" if not uses else f"in {stem}, imported"
        )  # fmt: skip
        same = [
            ("member_unused", 0.0 if uses else 1.0),
            ("member_alias", min(1.0, math.log1p(uses) / 3)),
            ("member_near", self._near.get(path, 0.0)),
            ("member_scope", 1.0 if path in self._within else 0.0),
        ]
        many = min(1.0, len(exports) / PUBLIC)
        for rank in self._ranks(given):
            export = exports[rank]
            evidence = self._add(export.place)
            if evidence is None:
                continue
            used = export.used - (export.name in own and stem in own)
            evidence.add(feature, weight, why=why)
            evidence.note(same)
            often = [("member_never", 1.0)]
            if used > 0:
                often = [
                    ("member_used", min(1.5, math.log1p(used) / 3)),
                    ("member_part", math.sqrt(used / total)),
                ]
            foreign = 1.0 if export.foreign else 0.0
            evidence.note((*often, ("member_many", many), ("member_foreign", foreign)))

    def _ranks(self, given: Given) -> Sequence[int]:
        """Returns which names are looked at: common ones, and those with a word that is near."""
        rare = {rank for word in self._here.near for rank in given.rare.get(word, ())}
        return [*range(min(COMMON, len(given.exports))), *sorted(rare)]


def _holds(here: Around, scope: int) -> bool:
    """Tells whether a definition is the one around the cursor, or around that."""
    inner = here.scope
    while inner and inner != scope:
        inner = here.facts.definitions[inner].parent
    return inner == scope
