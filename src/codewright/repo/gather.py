"""Which definitions a cursor may need, with what speaks for each: out of imports, types, bases,
similar files, and words.

Nothing is decided here: evidence is gathered, `evidence.py` weighs it. Each source is bounded, so
that the work for a cursor does not grow with the repository.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from codewright.repo.around import HOLE, Around, parts, words
from codewright.repo.evidence import Evidence
from codewright.repo.exports import PUBLIC, Exports
from codewright.repo.faces import CLASSES
from codewright.repo.facts import Binding, Definition, Use
from codewright.repo.fitting import Fitting
from codewright.repo.lookup import Lookup, type_names
from codewright.repo.places import Place, shared
from codewright.repo.similar import Similar
from codewright.repo.whole import Whole

MOST_TYPES = 16
"""Classes whose members are looked at."""
MOST_BASES, MOST_INHERITED = 24, 160
"""Classes above the one around the cursor, and members of each."""
MOST_MATES = 40
MOST_LOOSE = 24
LEAST_GIVEN = 4
"""Letters of a variable from which on its name says something."""
_GIVEN = re.compile(r"([^\W\d]\w*)\s*(?::[^=]*)?=\s*(?:await\s+)?$")


class Gather:
    """The evidence for one cursor."""

    def __init__(
        self,
        lookup: Lookup,
        similar: Similar,
        fitting: Fitting,
        exports: Exports,
        here: Around,
    ) -> None:
        self._lookup, self._similar, self._here = lookup, similar, here
        self._fitting, self._exports = fitting, exports
        self._whole = Whole(lookup, exports, here, self.add)
        self.found: dict[Place, Evidence] = {}
        self.unresolved: list[str] = []
        self._types: dict[Place, list[tuple[str, float, str]]] = {}

    def run(self) -> dict[Place, Evidence]:
        """Returns the evidence for each definition that anything speaks for."""
        self._imports()
        self._references()
        self._unbound()
        self._inherited()
        self._members()
        self._co()
        self._mates()
        self._beside()
        self._assigned()
        self._twins()
        self._fitting.describe(self.found.values(), here=self._here)
        return self.found

    def add(self, place: Place) -> Evidence | None:
        """Returns the evidence of a definition; None for one of the open file, or a module."""
        if place.path == self._here.path or place.path.endswith("/") or not place.ordinal:
            return None
        found = self.found.get(place)
        if found is None:
            found = self.found[place] = Evidence(place)
        return found

    def _imports(self) -> None:
        here = self._here
        for line in here.facts.imports:
            if line.name == "*":
                for step in self._lookup.imported(line.module, here.path).steps:
                    self._module(step.place, "member", 0.3, "of a star import")
                continue
            joint = "" if line.module.endswith(".") or not line.name else "."
            found = self._lookup.imported(line.module + joint + line.name, here.path)
            if not found.steps and not found.external and found.missing:
                self.unresolved.append(found.missing)
            uses = max(0, here.counts[line.alias] - 1)
            for step in found.steps[:1]:
                place = step.place
                if place.path.endswith("/"):
                    continue
                if not place.ordinal:
                    self._whole.imported(place, line, uses)
                    continue
                self._imported(place, line.alias, uses, step.confidence)
                behind = self._exports.behind(place)
                if behind != place:
                    self._imported(behind, line.alias, uses, step.confidence)

    def _imported(self, place: Place, alias: str, uses: int, sure: float) -> None:
        evidence = self.add(place)
        if evidence is None:
            return
        evidence.add("imported", sure, why="imported by the open file")
        if not uses:
            evidence.add("unused", 1.0, why="imported, and not used yet")
        evidence.add("uses", min(1.0, math.log1p(uses) / 3))
        definition = self._definition(place)
        if definition.kind in CLASSES:
            self._type(place, "typed", 0.5, f"of {definition.name}, imported")
            if not uses:
                evidence.add("unused_class", 1.0)
        elif definition.type:
            self._returns(place, 0.4)

    def _references(self) -> None:
        """What the open file refers to, by import or by the type that a local has."""
        here, seen = self._here, {}
        for reference in here.facts.references:
            if reference.binding != Binding.IMPORT or reference.name == HOLE:
                continue
            path = reference.path
            if path not in seen:
                steps = self._lookup.imported(path, here.path).steps[:1]
                seen[path] = self._exports.behind(steps[0].place) if steps else None
            place = seen[path]
            evidence = self.add(place) if place else None
            if place is None or evidence is None:
                continue
            count = evidence.features.get("own", 0.0) + 0.15
            evidence.features["own"] = min(1.0, count)
            within = bool(here.scope) and here.inside(reference, here.scope)
            in_class = bool(here.owner) and here.inside(reference, here.owner)
            near = math.exp(-abs(reference.line - here.line) / 15)
            evidence.add("own_near", near, why="used nearby", kind="call")
            if within:
                evidence.add("own_scope", 1.0)
            definition = self._definition(place)
            if definition.kind in CLASSES:
                name = "typed_scope" if within else "typed_class" if in_class else "typed"
                how = "named in this function" if within else "named in this class"
                if reference.use in (Use.CALL, Use.ANNOTATE, Use.READ):
                    weight = 1.0 if reference.use == Use.ANNOTATE else 0.7
                    self._type(place, name, weight, f"of {definition.name}, {how}")
            elif definition.type and reference.use == Use.CALL:
                self._returns(place, 1.0 if within else 0.5)

    def _unbound(self) -> None:
        """Names that the open file says and nothing binds: their import is still to be written."""
        here = self._here
        loose = {
            reference.path: reference.line
            for reference in here.facts.references
            if reference.binding == Binding.UNKNOWN
            and reference.name != HOLE
            and reference.use != Use.IMPORT
            and here.counts.bare(reference.path)
        }
        beside: list[str] = []
        if loose:
            beside = [*self._similar.beside(here.path), *self._similar.cousins(here.path)]
        for name in sorted(loose, key=lambda name: abs(loose[name] - here.line))[:MOST_LOOSE]:
            self._whole.unbound(name, beside)
            why = "named in the open file, and imported nowhere"
            self._nearest(self._exports.tops(name), 4, "unbound", why)

    def _assigned(self) -> None:
        """What is called like the variable that the line gives a value: `line_info = LineInfo(`."""
        match = _GIVEN.search(self._here.head)
        said = parts(match[1]) if match else []
        if not said or len("".join(said)) < LEAST_GIVEN:
            return
        camel = "".join(word.capitalize() for word in said)
        for name in dict.fromkeys((camel, "_".join(said), "_".join(("get", *said)))):
            top = [
                Place(file.path, ordinal)
                for file, ordinal in self._lookup.index.defining(name, MOST_LOOSE)
                if self._lookup.space(file.path).definitions[ordinal].parent == 0
            ]
            self._nearest(top, 2, "assigned", f"called like {match[1]}" if match else "")

    def _nearest(self, places: Sequence[Place], most: int, feature: str, why: str) -> None:
        """Of definitions of one name, those in the nearest files; the farther, the less."""
        here = self._here.path
        near = sorted(places, key=lambda place: (-shared(place.path, here), place.path))
        for rank, place in enumerate(near[:most]):
            evidence = self.add(place)
            if evidence is not None:
                evidence.add(feature, 1.0 / (1 + rank), why=why, kind="call")

    def _beside(self) -> None:
        """What stands in the files of the same folder."""
        for path in self._similar.beside(self._here.path):
            self._module(Place(path, 0), "folder", 0.4, f"in {path}, which stands beside")

    def _returns(self, place: Place, weight: float) -> None:
        """What a call gives: the members of the class that it is said to return."""
        definition = self._definition(place)
        for name in type_names(definition.type)[:2]:
            for step in self._lookup.written(name, place).steps[:1]:
                if self._is_class(step.place):
                    self._type(step.place, "returned", weight, f"of what {definition.name} returns")

    def _inherited(self) -> None:
        """Members of the classes above the one around the cursor."""
        here = self._here
        waiting, seen = [here.owner], set()
        while waiting and here.owner:
            ordinal = waiting.pop(0)
            if ordinal in seen:
                continue
            seen.add(ordinal)
            for reference in here.space.bases.get(ordinal, ()):
                if reference.binding == Binding.FILE:
                    waiting += here.space.within(0, reference.path)[:1]
                    continue
                for step in self._lookup.imported(reference.path, here.path).steps[:1]:
                    if self._is_class(step.place):
                        self._type(step.place, "inherited", 1.0, "inherited by the class here")

    def _type(self, place: Place, name: str, weight: float, why: str) -> None:
        if place.path != self._here.path:
            self._types.setdefault(place, []).append((name, weight, why))

    def _members(self) -> None:
        """Members of the classes that values around the cursor may be of."""
        ranked = sorted(
            self._types.items(),
            key=lambda each: -max((name != "typed") + w for name, w, _ in each[1]),
        )
        for place, evidences in ranked[:MOST_TYPES]:
            above = any(name == "inherited" for name, _, _ in evidences)
            order = self._lookup.order(place)[0][: MOST_BASES if above else 8]
            most = MOST_INHERITED if above else PUBLIC
            names: set[str] = set()
            for owner in order:
                members = self._lookup.space(owner.path).members.get(owner.ordinal, {})
                for at, (name, ordinals) in enumerate(members.items()):
                    if name in names or (at >= most and not self._near(name)):
                        continue
                    names.add(name)
                    inner = self.add(Place(owner.path, ordinals[0]))
                    if inner is not None:
                        for feature, weight, why in evidences:
                            inner.add(feature, weight, why=why, kind=_KINDS[feature])
                        inner.add("typed_many", min(1.0, len(members) / PUBLIC))

    def _near(self, name: str) -> bool:
        """Tells whether a word of a name stands near the cursor."""
        return any(word in self._here.near for word in words(name))

    def _module(self, place: Place, feature: str, weight: float, why: str) -> None:
        """Public members of a module that something else is imported from, or that is near."""
        if place.path.endswith("/") or place.path == self._here.path:
            return
        places, count = self._exports.public(place.path)
        many = min(1.0, count / PUBLIC)
        for each in places:
            evidence = self.add(each)
            if evidence is not None:
                evidence.add(feature, weight, why=why)
                evidence.add("member_many", many)

    def _co(self) -> None:
        """What files call that import the same or stand beside."""
        here = self._here
        around = here.facts.definitions[here.scope].name if here.scope else ""
        for weight, uses in self._similar.uses(here):
            for place, scopes in uses.items():
                evidence = self.add(place)
                if evidence is None:
                    continue
                total = min(1.0, evidence.features.get("co", 0.0) + weight * 0.4)
                evidence.add("co", total, why="used by files that are like this one", kind="call")
                if around and around in scopes:
                    both = min(1.0, evidence.features.get("co_scope", 0.0) + weight)
                    why = f"used by another {around}"
                    evidence.add("co_scope", both, why=why, kind="call")

    def _mates(self) -> None:
        """What stands in the modules from which something is imported."""
        paths = {
            place.path
            for place, evidence in self.found.items()
            if "imported" in evidence.features or "own_near" in evidence.features
        }
        for path in sorted(paths)[:MOST_MATES]:
            self._module(Place(path, 0), "mate", 0.5, f"in {path}, of which something is imported")

    def _twins(self) -> None:
        """What is defined again in the same place, as for another system: either may be meant."""
        for place, evidence in list(self.found.items()):
            for ordinal in self._exports.again(place.path).get(place.ordinal, ()):
                twin = Place(place.path, ordinal)
                if twin not in self.found:
                    features = dict(evidence.features)
                    self.found[twin] = replace(evidence, place=twin, features=features)

    def _definition(self, place: Place) -> Definition:
        return self._lookup.space(place.path).definitions[place.ordinal]

    def _is_class(self, place: Place) -> bool:
        return not place.path.endswith("/") and self._lookup.space(place.path).is_class(
            place.ordinal
        )


_KINDS = {
    "inherited": "base",
    "typed": "import",
    "typed_scope": "call",
    "typed_class": "call",
    "returned": "call",
}
