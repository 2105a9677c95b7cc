"""Names across files, as Python looks them up: modules, packages, re-exports, classes, types.

A `Lookup` answers one question: what is `name` in this module, class or value? Imports are
followed through packages, aliases and star imports; attributes of a class through its bases in
the order of their linearisation (C3), as far as they are in the repository; attributes of a value
through its annotation or, where it is made by a call of a class, through that. What is outside
the repository is named and not followed.

Answers are kept for one state of the repository. They do not depend on the order of questions:
what was found while a circle was being walked is not kept. References and guesses by mere names are
`resolve.py`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from codewright.repo.facts import Flag, Kind
from codewright.repo.index import File, Index
from codewright.repo.modules import Modules, split
from codewright.repo.modules_elsewhere import SCRIPTS, Elsewhere
from codewright.repo.neighbourhood import opened
from codewright.repo.places import NOTHING, Found, Place, Step
from codewright.repo.spaces import CLASSES, FUNCTIONS, VALUES, Space

INHERITED = 0.97
STARRED = 0.95
TYPED = 0.9
MADE = 0.85
"""A value is an instance of what its first assignment calls."""
VARIANT = 0.8
"""One of several definitions of a name in one scope, but the first."""
_DEPTH = 24
"""No chain of re-exports and types is followed further."""

_ASSIGNED = re.compile(r"[^=]*?=\s*([A-Za-z_][\w.]*)\s*(\(.*\)|)\s*", re.DOTALL)
_WRAPPER = re.compile(
    r"(?:\w+\.)?(?:Optional|Final|ClassVar|Annotated|Required|NotRequired|ReadOnly)\[(.*)\]"
)
_NAME = re.compile(r"[A-Za-z_][\w.]*")


class Lookup:
    """Looks names up in one state of a repository.

    Args:
        index: the repository.
        modules: of its paths, where they are already known.
    """

    def __init__(self, index: Index, modules: Modules | None = None) -> None:
        self.index = index
        self.files: dict[str, File] = {file.path: file for file in index.files()}
        self.modules = modules or Modules(self.files)
        languages = {path: file.language for path, file in self.files.items()}
        self.others = Elsewhere(languages, index.root)
        self._stems: dict[str, list[str]] = {}
        self._spaces: dict[int, Space] = {}
        self._known: dict[tuple[Place, str], Found] = {}
        self._orders: dict[Place, tuple[tuple[Place, ...], str]] = {}
        self._asked: set[tuple[Place, str]] = set()
        self._circle = False
        self._during: dict[tuple[Place, str], Found] = {}

    def space(self, path: str) -> Space:
        """Returns the names of a file."""
        content = self.files[path].content
        space = self._spaces.get(content)
        if space is None:
            space = self._spaces[content] = Space(self.index.facts(content))
        return space

    def called(self, stem: str) -> Sequence[str]:
        """Returns the files whose name is so, without folder and suffix."""
        if not self._stems:
            for path in self.files:
                name = path.rpartition("/")[2].partition(".")[0]
                self._stems.setdefault(name, []).append(path)
        return self._stems.get(stem, ())

    def attribute(self, place: Place, name: str) -> Found:
        """Returns what a name is in a module, a package, a class or a value."""
        key = (place, name)
        found = self._known.get(key)
        if found is not None:
            return found
        if key in self._asked or len(self._asked) > _DEPTH:
            # A package that imports from its own module, to which it gives another meaning then.
            self._circle = True
            child = self.modules.child(place.path, name) if not place.ordinal else None
            return Found((Step(Place(child, 0), 1.0, ""),)) if child else NOTHING
        if key in self._during:
            return self._during[key]
        self._asked.add(key)
        try:
            found = self._attribute(place, name)
        finally:
            self._asked.discard(key)
        if self._asked and self._circle:
            self._during[key] = found
        else:
            self._known[key] = found
        if not self._asked:
            self._circle = False
            self._during.clear()
        return found

    def walk(self, start: Iterable[Step], names: Sequence[str]) -> Found:
        """Follows a dotted path from some places on."""
        steps = list(start)
        for at, name in enumerate(names):
            inner: dict[Place, Step] = {}
            external, missing = "", ""
            for step in steps:
                found = self.attribute(step.place, name)
                external = external or found.external
                missing = missing or found.missing
                for target in found.steps:
                    confidence = step.confidence * target.confidence
                    known = inner.get(target.place)
                    if known is None or known.confidence < confidence:
                        reason = target.reason or step.reason
                        inner[target.place] = Step(target.place, confidence, reason)
            if not inner:
                return Found(
                    (), ".".join([external, *names[at + 1 :]]) if external else "", missing
                )
            steps = list(inner.values())
        return Found(tuple(steps))

    def imported(self, path: str, near: str) -> Found:
        """Returns what an imported dotted path means to a file, with leading dots if relative."""
        file = self.files.get(near)
        if file and file.language != "python":
            return self._from_elsewhere(path, near, file.language)
        dots, names = split(path)
        if dots:
            base = self.modules.relative(dots, near)
            return self._inside(base, names) if base else NOTHING
        first, *rest = names
        tops = self.modules.top(first, near)
        if not tops:
            return Found((), path)
        missing = ""
        for top in tops:
            found = self._inside(top, rest)
            if found.steps or found.external:
                return found
            missing = missing or found.missing
        # A namespace of that name may be a mere folder beside an installed package.
        outside = path if all(top.endswith("/") for top in tops) else ""
        return Found((), outside, "" if outside else missing)

    def _inside(self, module: str, names: Sequence[str]) -> Found:
        """Returns what a path means from a module on, one module after another if need be."""
        found = self.walk((Step(Place(module, 0), 1.0, ""),), names)
        if found.steps or found.external:
            return found
        # A package may give a function the name of its own module: an import means the module.
        for at, name in enumerate(names[:-1]):
            child = self.modules.child(module, name)
            if child is None:
                break
            module = child
            inner = self.walk((Step(Place(module, 0), 1.0, ""),), names[at + 1 :])
            if inner.steps or inner.external:
                return inner
        return found

    def _from_elsewhere(self, path: str, near: str, language: str) -> Found:
        missing = ""
        starts = self.others.starts(path, near, language)
        for start in starts:
            found = self.walk((Step(Place(start.module, 0), 1.0, ""),), start.names)
            if found.steps or found.external:
                return found
            missing = missing or found.missing
        return Found((), "" if starts else path, missing)

    def written(self, text: str, place: Place) -> Found:
        """Returns what a dotted name means that is written at the top of a place's file."""
        first, *rest = text.split(".")
        module = Place(place.path, 0)
        owner = self.space(place.path).owner(place.ordinal)
        if first == "Self" and owner:
            return Found((Step(Place(place.path, owner), 1.0, ""),))
        return self.walk(self.attribute(module, first).steps, rest)

    def order(self, place: Place) -> tuple[tuple[Place, ...], str]:
        """Returns a class with all its bases in the order in which attributes are looked up.

        The second value names a base that is not in the repository, "" where all are known.
        """
        known = self._orders.get(place)
        if known is None:
            known = self._orders[place] = self._order(place, ())
        return known

    def bases(self, place: Place) -> tuple[list[Place], str]:
        """Returns the classes that a class inherits from by name, and one that is outside."""
        inside: list[Place] = []
        outside = ""
        for reference in self.space(place.path).bases.get(place.ordinal, ()):
            found = self.named(reference.path, place)
            classes = [step.place for step in found.steps if self._is_class(step.place)]
            if classes:
                inside += [base for base in classes[:1] if base != place and base not in inside]
            else:
                outside = outside or found.external or reference.path
        return inside, outside

    def named(self, path: str, place: Place) -> Found:
        """Returns what a reference's path means in a file: one of its own names, or an import."""
        if path.startswith("."):
            return self.imported(path, place.path)
        own = self.space(place.path).within(0, path)
        if own:
            return Found(tuple(Step(Place(place.path, at), 1.0, "") for at in own))
        found = self.walk(self.attribute(Place(place.path, 0), path.split(".")[0]).steps,
                          path.split(".")[1:])  # fmt: skip
        return found if found.steps else self.imported(path, place.path)

    def _is_class(self, place: Place) -> bool:
        return not place.path.endswith("/") and self.space(place.path).is_class(place.ordinal)

    def _order(self, place: Place, below: tuple[Place, ...]) -> tuple[tuple[Place, ...], str]:
        if place in below or len(below) > _DEPTH:
            return (place,), ""
        bases, outside = self.bases(place)
        orders = []
        for base in bases:
            inner, unknown = self._order(base, (*below, place))
            orders.append(list(inner))
            outside = outside or unknown
        return (place, *_merged([*orders, list(bases)])), outside

    def _attribute(self, place: Place, name: str) -> Found:
        if place.path.endswith("/"):
            child = self.modules.child(place.path, name)
            if child:
                return Found((Step(Place(child, 0), 1.0, ""),))
            files = self.others.in_folder(place.path[:-1])
            return Found(tuple(step for file in files for step in self._own(Place(file, 0), name)))
        kind = self.space(place.path).definitions[place.ordinal].kind
        if kind == Kind.MODULE:
            return self._of_module(place, name)
        if kind in CLASSES:
            return self._of_class(place, name)
        if kind in FUNCTIONS or kind in VALUES:
            return self._of_value(place, name)
        return Found(self._own(place, name))

    def _own(self, place: Place, name: str) -> tuple[Step, ...]:
        space = self.space(place.path)
        steps = [
            Step(Place(place.path, ordinal), 1.0 if not at else VARIANT, "")
            for at, ordinal in enumerate(space.named(place.ordinal, name))
        ]
        if not steps and place.ordinal and space.language != "python":
            steps = opened(self, place, name)
        return tuple(steps)

    def _of_module(self, place: Place, name: str) -> Found:
        space = self.space(place.path)
        steps = list(self._own(place, name))
        external = ""
        for path in space.bound.get(name, ()):
            found = self.imported(path, place.path)
            external = external or found.external
            by = f"imported by {place.path}"
            steps += [step._replace(reason=step.reason or by) for step in found.steps]
        if not steps and not external:
            child = self.modules.child(place.path, name)
            if child:
                return Found((Step(Place(child, 0), 1.0, ""),))
            found = self.starred(place.path, name)
            steps, external = list(found.steps), found.external
        if steps or external:
            return Found(tuple(steps), "" if steps else external)
        certain = name not in space.bound and not space.named(0, "__getattr__")
        dotted = f"{self.modules.name(place.path)}.{name}"
        return Found(missing=dotted if certain and not name.startswith("__") else "")

    def starred(self, path: str, name: str) -> Found:
        """Returns what a name means by the star imports of a file."""
        external = ""
        for star in self.space(path).stars:
            modules = self.imported(star, path)
            external = external or (f"{modules.external}.{name}" if modules.external else "")
            for step in modules.steps:
                found = self._shown(step.place, name)
                if found:
                    reason = f"by a star import of {step.place.path}"
                    return Found(
                        tuple(s._replace(confidence=s.confidence * STARRED, reason=reason)
                              for s in found)
                    )  # fmt: skip
        return Found(external=external)

    def _shown(self, place: Place, name: str) -> tuple[Step, ...]:
        """Returns what a star import of a module brings of a name."""
        steps = self.attribute(place, name).steps
        if not steps or place.path.endswith("/"):
            return steps
        space = self.space(place.path)
        if space.language != "python" and space.language not in SCRIPTS:
            return steps
        if space.chosen:
            own = [space.definitions[at] for at in space.named(0, name)]
            return steps if not own or any(d.flags & Flag.EXPORTED for d in own) else ()
        return () if name.startswith("_") else steps

    def _of_class(self, place: Place, name: str) -> Found:
        order, outside = self.order(place)
        for base in order:
            own = self._own(base, name)
            if own:
                if base == place:
                    return Found(own)
                above = self.space(base.path).qualified(base.ordinal)
                reason = f"inherited from {above}"
                return Found(tuple(Step(s.place, s.confidence * INHERITED, reason) for s in own))
        return Found(external=f"{outside}.{name}" if outside else "")

    def _of_value(self, place: Place, name: str) -> Found:
        definition = self.space(place.path).definitions[place.ordinal]
        if definition.kind in FUNCTIONS and not definition.flags & Flag.PROPERTY:
            return Found(self._own(place, name))
        types, confidence = self.instance(place)
        steps: list[Step] = []
        external = ""
        for kind in types:
            found = self.attribute(kind, name)
            external = external or found.external
            for step in found.steps:
                worth = step.confidence * confidence
                steps.append(Step(step.place, worth, step.reason or "by its type"))
        return Found(tuple(steps), "" if steps else external)

    def instance(self, place: Place) -> tuple[list[Place], float]:
        """Returns the classes or modules whose attributes a value has, with a confidence."""
        definition = self.space(place.path).definitions[place.ordinal]
        if definition.type:
            found = [self.written(name, place) for name in type_names(definition.type)]
            return [s.place for f in found for s in f.steps if self._is_class(s.place)], TYPED
        match = _ASSIGNED.fullmatch(definition.signature)
        if match is None or definition.kind in FUNCTIONS:
            return [], 0.0
        kinds: list[Place] = []
        for step in self.written(match[1], place).steps:
            if step.place.path.endswith("/"):
                continue
            target = self.space(step.place.path).definitions[step.place.ordinal]
            if not match[2] or target.kind in CLASSES:
                kinds.append(step.place)
            elif target.kind in FUNCTIONS and target.type:
                kinds += self.instance(step.place)[0]
        return kinds, MADE


def type_names(text: str) -> list[str]:
    """Returns the dotted names of which a value with this annotation may be an instance."""
    names = []
    for part in _parts(text):
        name = _NAME.match(part)
        if name and name[0] not in ("None", "Any", "Literal"):
            names.append(name[0])
    return names


def _parts(text: str) -> Iterable[str]:
    text = text.strip().strip("\"'").strip()
    wrapped = _WRAPPER.fullmatch(text)
    if wrapped:
        yield from _parts(wrapped[1].split(",")[0] if "Annotated" in text else wrapped[1])
        return
    union = re.fullmatch(r"(?:\w+\.)?Union\[(.*)\]", text)
    separator = "," if union else "|"
    depth, start, body = 0, 0, union[1] if union else text
    for at, letter in enumerate(body):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == separator and depth == 0:
            yield body[start:at].strip().strip("\"'")
            start = at + 1
    yield body[start:].strip().strip("\"'")


def _merged(orders: list[list[Place]]) -> list[Place]:
    """Merges linearisations (C3); where they contradict each other, the first one wins."""
    merged: list[Place] = []
    while orders := [order for order in orders if order]:
        head = next(
            (o[0] for o in orders if not any(o[0] in other[1:] for other in orders)), orders[0][0]
        )
        merged.append(head)
        orders = [[place for place in order if place != head] for order in orders]
    return merged
