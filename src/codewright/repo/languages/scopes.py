"""What a name means within one file: scopes as a walk leaves them, and references out of them.

A walk notes chains of names (`a.b.c()`) with the scope where they stand. When all of the file has
been seen, each chain's first name is looked up, from the innermost scope outwards, and the chain
becomes references. A plain local gives none; a local whose type is written gives what follows it
under that type, as a guess.

A path is dotted in every language. Where an imported module is named by a path or an address (Go,
JavaScript), a `#` parts it from the names in it: `./tools#load`, `net/http#Client.Do`. A path that
ends with `#` inside this file is the module itself; in a reference it stands without.

Types are not inferred beyond what is written beside a name, and nothing is known of other files.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from codewright.repo.facts import Binding, Definition, Kind, Reference, Use

CLASSES = frozenset({Kind.CLASS, Kind.INTERFACE, Kind.STRUCT, Kind.ENUM, Kind.TRAIT})
ANYWHERE = -1
"""Before any place in a text."""
TYPE_DEPTH = 4
"""How many times the type of a local may lead to another local."""


class Base(IntEnum):
    """What stands before the first dot of a chain."""

    NAME = 0
    SELF = 1
    """The instance or class of the method where it stands."""
    EXPRESSION = 2
    """Something that is no name, such as the result of a call."""
    IMPORTED = 3
    """A name that by its form comes from elsewhere: Rust's `crate::x`."""


class Place(NamedTuple):
    """One name where it stands; line from 1, column in bytes."""

    name: str
    line: int
    column: int


class Chain(NamedTuple):
    """Names joined by dots, with the scope in which they are used."""

    scope: Scope
    base: Base
    names: Sequence[Place]
    start: int
    """The first name's place in the text, in bytes."""
    use: Use


class Bound(NamedTuple):
    """What a name is in a scope, from a place in the text on."""

    start: int
    path: str = ""
    """What is imported; "" for a local."""
    type: Chain | None = None


class Scope:
    """Names that hold in a part of a file.

    owner: the innermost definition around it. opens: it is the outermost scope of its owner, so
    that what the owner defines is found there.
    """

    __slots__ = ("everything", "names", "opens", "owner", "parent")

    def __init__(self, parent: Scope | None, owner: int, opens: bool) -> None:
        self.parent = parent
        self.owner = owner
        self.opens = opens
        self.names: dict[str, Bound] = {}
        self.everything = False
        """True where all names of this very file were imported (Rust's `use super::*`)."""

    def bind(self, name: str, bound: Bound) -> None:
        """Binds a name; the first binding of a name is the one that holds from its place on."""
        old = self.names.get(name)
        if old is None or (old.type is None and not old.path and bound.type is not None):
            self.names[name] = bound


class Meaning(NamedTuple):
    """What a chain's first name stands for."""

    binding: Binding
    path: str
    guess: bool = False
    named: bool = True
    """The first name refers to something itself; a local does not."""


class Names:
    """Looks names up in what one walk has found.

    Args:
        definitions: all of the file.
        types: ordinals that stand for a type though their kind does not say so (`impl` blocks).
        lifted: ordinals of what is in reach where its parent is.
        bare: members are in reach of their methods without `this`.
        heirs: a call of a bare name that is nothing else is of a member that was inherited.
        builtins: names that the language brings.
    """

    def __init__(
        self,
        definitions: Sequence[Definition],
        types: set[int],
        lifted: Sequence[int],
        *,
        bare: bool,
        heirs: bool,
        builtins: frozenset[str],
    ) -> None:
        self._definitions = definitions
        self._bare = bare
        self._heirs = heirs
        self._builtins = builtins
        self._types = types | {n for n, one in enumerate(definitions) if one.kind in CLASSES}
        self._paths = [""]
        for definition in definitions[1:]:
            above = self._paths[definition.parent]
            self._paths.append(f"{above}.{definition.name}" if above else definition.name)
        self._places: dict[str, int] = {}
        for ordinal, definition in enumerate(definitions):
            old = self._places.setdefault(self._paths[ordinal], ordinal)
            if self._definitions[old].kind is Kind.NAMESPACE is not definition.kind:
                self._places[self._paths[ordinal]] = ordinal
        for ordinal in lifted:
            outside = self._paths[definitions[definitions[ordinal].parent].parent]
            self._places.setdefault(joined(outside, definitions[ordinal].name), ordinal)

    def references(self, chain: Chain) -> list[Reference]:
        """Returns what a chain refers to, one reference for each of its names but a local."""
        meaning = self._meaning(chain)
        found = []
        path = meaning.path
        last = len(chain.names) - 1
        for number, (name, line, column) in enumerate(chain.names):
            if number or chain.base in (Base.EXPRESSION, Base.SELF):
                path = joined(path, name)
            elif not meaning.named:
                continue
            use = chain.use if number == last else Use.READ
            plain = path.removesuffix("#")
            found.append(
                Reference(
                    name=name if number else last_name(plain),
                    path=plain,
                    use=use,
                    binding=meaning.binding,
                    guess=meaning.guess,
                    line=line,
                    column=column,
                    scope=chain.scope.owner,
                )
            )
        return found

    def _meaning(self, chain: Chain, depth: int = 0) -> Meaning:
        if chain.base is Base.EXPRESSION:
            return Meaning(Binding.UNKNOWN, "")
        if chain.base is Base.IMPORTED:
            return Meaning(Binding.IMPORT, chain.names[0].name, named=False)
        if chain.base is Base.SELF:
            owner = self._around(chain.scope.owner)
            if owner is None:
                return Meaning(Binding.UNKNOWN, "")
            return Meaning(Binding.SELF, self._paths[owner])
        return self._named(chain, depth)

    def _named(self, chain: Chain, depth: int) -> Meaning:
        name = chain.names[0].name
        scope: Scope | None = chain.scope
        everything = False
        while scope is not None:
            bound = scope.names.get(name)
            if bound is not None and chain.start >= bound.start:
                return self._bound(bound, depth)
            everything = everything or scope.everything
            if scope.opens:
                meaning = self._member(scope.owner, name)
                if meaning is not None:
                    return meaning
            scope = scope.parent
        if everything and name in self._places:
            return Meaning(Binding.FILE, name)
        if name in self._builtins:
            return Meaning(Binding.BUILTIN, name)
        if self._heirs and chain.use is Use.CALL and len(chain.names) == 1 and name[:1].islower():
            owner = self._around(chain.scope.owner)
            if owner is not None and self._heir(owner):
                return Meaning(Binding.SELF, f"{self._paths[owner]}.{name}")
        return Meaning(Binding.UNKNOWN, name)

    def _heir(self, owner: int) -> bool:
        """True where a class has others above it, from which a bare name may come."""
        head = self._definitions[owner].signature
        return " extends " in head or " implements " in head

    def _bound(self, bound: Bound, depth: int) -> Meaning:
        if bound.path:
            return Meaning(Binding.IMPORT, bound.path)
        if bound.type is None or depth >= TYPE_DEPTH:
            return Meaning(Binding.LOCAL, "", named=False)
        meaning = self._meaning(bound.type, depth + 1)
        if meaning.binding is Binding.LOCAL:
            return meaning
        if bound.type.base is Base.SELF:
            return meaning._replace(named=False)
        path = meaning.path
        skip = 0 if bound.type.base is Base.EXPRESSION else 1
        for name, _, _ in bound.type.names[skip:]:
            path = joined(path, name)
        return Meaning(meaning.binding, path, True, named=False)

    def _member(self, owner: int, name: str) -> Meaning | None:
        """Returns what a name is inside of a definition that was opened."""
        is_type = owner in self._types
        if is_type and not self._bare:
            return None
        path = joined(self._paths[owner], name)
        ordinal = self._places.get(path)
        if ordinal is None:
            return None
        own = is_type and self._definitions[ordinal].kind in (Kind.METHOD, Kind.ATTRIBUTE)
        if own and name == self._definitions[owner].name:
            return None  # a constructor: the name is the type's
        return Meaning(Binding.SELF if own else Binding.FILE, self._paths[ordinal])

    def _around(self, ordinal: int) -> int | None:
        while ordinal:
            if ordinal in self._types:
                return ordinal
            ordinal = self._definitions[ordinal].parent
        return None


def last_name(path: str) -> str:
    """Returns the name that ends a path; of a module that is named by a path, its last part."""
    module, hash, inside = path.rpartition("#")
    if hash:
        return inside.rpartition(".")[2]
    if "/" in module or inside.endswith(">") or "/" in inside:
        return inside.rpartition("/")[2] or inside
    return inside.rpartition(".")[2] or inside


def joined(path: str, name: str) -> str:
    """Returns a path with a name after it."""
    if not path or path.endswith("#"):
        return path + name
    return f"{path}.{name}"
