"""The names of one file, ready to be looked up: what stands in what, what imports bind, bases.

A `Space` is made of a content's `Facts` and says nothing about other files, so it can be kept for
as long as the content is. It does not hold the references but for those that name a base.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from codewright.repo.facts import Definition, Facts, Flag, Import, Kind, Reference, Use
from codewright.repo.unpacked import chosen

CLASSES = frozenset({Kind.CLASS, Kind.INTERFACE, Kind.STRUCT, Kind.ENUM, Kind.TRAIT, Kind.TYPE})
"""What has members that are reached by a dot."""
FUNCTIONS = frozenset({Kind.FUNCTION, Kind.METHOD, Kind.MACRO})
_PARTED = frozenset({"javascript", "typescript", "tsx", "jsx", "go"})
"""Languages that write a module as a path: a `#` stands before the names in it."""
_EXPORTED = int(Flag.EXPORTED)  # arithmetic of flags is slow
VALUES = frozenset({Kind.VARIABLE, Kind.CONSTANT, Kind.ATTRIBUTE})


class Space:
    """The names of one content.

    Args:
        facts: what the content says.

    Attributes:
        members: of a definition that has any, its names with their places.
        bound: what the file's own imports bind, as dotted paths.
        stars: the modules of which all is imported, as written.
        bases: of a class, the references to its bases.
        chosen: True where the file says what it exports.
    """

    __slots__ = (
        "_bases",
        "_facts",
        "bound",
        "chosen",
        "definitions",
        "language",
        "members",
        "stars",
    )

    def __init__(self, facts: Facts) -> None:
        self.language = facts.language
        self.definitions: Sequence[Definition] = list(facts.definitions)
        self.members: dict[int, dict[str, list[int]]] = {}
        self.chosen = False
        for ordinal, definition in enumerate(self.definitions):
            if ordinal:
                inner = self.members.setdefault(definition.parent, {})
                inner.setdefault(definition.name, []).append(ordinal)
                if definition.flags & _EXPORTED:
                    self.chosen = True
        self.bound: dict[str, list[str]] = {}
        self.stars: list[str] = []
        for line in facts.imports:
            if line.scope:
                continue
            if line.name == "*":
                self.stars.append(line.module)
            elif line.alias:
                paths = self.bound.setdefault(line.alias, [])
                path = bound_path(facts.language, line)
                if path not in paths:
                    paths.append(path)
        self._facts: Facts | None = facts
        self._bases: dict[int, list[Reference]] = {}

    @property
    def bases(self) -> dict[int, list[Reference]]:
        """Of a class, the references to its bases. They are read when somebody first asks."""
        if self._facts is not None:
            self._bases = self._based(self._facts)
            self._facts = None
        return self._bases

    def _based(self, facts: Facts) -> dict[int, list[Reference]]:
        found: dict[int, list[Reference]] = {}
        heads = sorted((d.line, n) for n, d in enumerate(self.definitions) if d.kind in CLASSES)
        for reference in chosen(facts.references, use=Use.INHERIT) if heads else ():
            owner = self._heir(reference, heads)
            if owner:
                found.setdefault(owner, []).append(reference)
        return found

    def named(self, parent: int, name: str) -> Sequence[int]:
        """Returns the definitions of a name in another, those of overloads last."""
        found = self.members.get(parent, {}).get(name, ())
        if len(found) > 1:
            return sorted(found, key=lambda at: bool(self.definitions[at].flags & Flag.OVERLOAD))
        return found

    def within(self, ordinal: int, path: str) -> Sequence[int]:
        """Returns the definitions of a dotted path from a definition on."""
        found: Sequence[int] = (ordinal,)
        for name in path.split("."):
            found = [inner for at in found for inner in self.named(at, name)]
        return found

    def is_class(self, ordinal: int) -> bool:
        """Says whether a definition has members of its own that a dot reaches."""
        return self.definitions[ordinal].kind in CLASSES

    def is_type(self, ordinal: int) -> bool:
        """Says whether a definition is a class or an opened one, such as Rust's `impl`."""
        return self.definitions[ordinal].kind in CLASSES or (
            self.language != "python" and self.definitions[ordinal].kind == Kind.NAMESPACE
        )

    def owner(self, ordinal: int) -> int:
        """Returns the class around a definition, the definition itself included; 0 without."""
        while ordinal and not self.is_class(ordinal):
            ordinal = self.definitions[ordinal].parent
        return ordinal

    def qualified(self, ordinal: int) -> str:
        """Returns a definition's name from the top of its file."""
        names = []
        while ordinal > 0:
            names.append(self.definitions[ordinal].name)
            ordinal = self.definitions[ordinal].parent
        return ".".join(reversed(names))

    def _heir(self, reference: Reference, heads: Sequence[tuple[int, int]]) -> int:
        """Returns the class in whose head a reference to a base stands, 0 where none is known.

        Args:
            reference: of use INHERIT.
            heads: line and ordinal of each class, in order.
        """
        at = bisect_right(heads, (reference.line, len(self.definitions))) - 1
        if at >= 0:
            ordinal = heads[at][1]
            if reference.scope in (ordinal, self.definitions[ordinal].parent):
                return ordinal
        return reference.scope if self.is_class(reference.scope) else 0


def bound_path(language: str, line: Import) -> str:
    """Returns the path that an import binds, as references write it: `a` for `import a.b`."""
    module, name = line.module, line.name
    if language in _PARTED:
        return f"{module}#{name}" if name else module
    if name:
        return module + name if module.endswith(".") or not module else f"{module}.{name}"
    first = module.split(".")[0]
    return first if line.alias == first else module
