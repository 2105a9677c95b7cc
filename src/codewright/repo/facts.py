"""What one file says about itself: its definitions, references and imports, whatever its path.

Facts depend on a file's content alone, so that equal contents share them and an edit of one file
changes nothing that is known of another. What a reference means in other files is worked out when
it is asked for (`resolve.py`), never stored.

`definitions[0]` is the file itself, kind "module" with an empty name; every other definition's
`parent`, and every reference's `scope`, is a place in `definitions`. Definitions stand in the order
of their first line, references in the order of the text. Names that are local to a function are
no definitions, and their plain uses no references: `x = load(); x.close()` in a function refers to
`load`, and to `close` of something.

Lines count from 1, columns from 0 in bytes of UTF-8, as `ast` counts them; ends are inclusive
lines. Nothing here reads a file or knows of the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NamedTuple, Protocol


class Kind(IntEnum):
    """What a definition is. The numbers are stored: new kinds go to the end."""

    MODULE = 0
    CLASS = 1
    FUNCTION = 2
    METHOD = 3
    VARIABLE = 4
    """Of a module or a class body."""
    CONSTANT = 5
    """A variable whose name is written in capitals, or that is declared constant."""
    ATTRIBUTE = 6
    """Of an instance: Python's `self.x = …`, a field elsewhere."""
    INTERFACE = 7
    STRUCT = 8
    ENUM = 9
    TRAIT = 10
    TYPE = 11
    """An alias."""
    MACRO = 12
    NAMESPACE = 13


class Flag(IntFlag):
    """What else is known of a definition. Stored."""

    ASYNC = 1
    STATIC = 2
    CLASS_METHOD = 4
    PROPERTY = 8
    ABSTRACT = 16
    OVERLOAD = 32
    PRIVATE = 64
    """Python: one leading underscore or two, and no two trailing ones; elsewhere by keyword."""
    TEST = 128
    """A function or class by whose name a test runner takes it for a test."""
    EXPORTED = 256
    """Named in `__all__`, or exported by keyword."""


class Use(IntEnum):
    """What a reference does with what it names. Stored."""

    READ = 0
    CALL = 1
    WRITE = 2
    IMPORT = 3
    INHERIT = 4
    DECORATE = 5
    ANNOTATE = 6


class Binding(IntEnum):
    """Where the first name of a reference's path comes from, by the scopes of its file. Stored."""

    UNKNOWN = 0
    """Nothing in this file binds it: a star import, or the result of an expression. The path is
    what follows: `f().x.y` refers to `x` and to `x.y`; a bare name that nothing binds is itself."""
    LOCAL = 1
    """A local of a function of which no type is known; the path is what follows it."""
    FILE = 2
    """A definition of this file; the path is dotted from the top of the file: `Class.method`."""
    IMPORT = 3
    """An import; the path is the imported one: `os.path.join`, `..tools.load` where relative."""
    SELF = 4
    """An attribute of the instance or class whose method this is; the path is `Class.attribute`,
    with the class where the method stands: it may be inherited."""
    BUILTIN = 5


class Definition(NamedTuple):
    """One name that a file defines.

    line, column: of its name's statement (`def`, `class`, the assignment), without decorators.
    first: its first line, with decorators. end: its last line. body: the first line of its body,
    0 where it has none. doc, doc_end: the lines of its docstring or of the comment that documents
    it, 0 without. signature: the head on one line, without colon and body: `def f(a: int) -> str`,
    `class A(B)`, `LIMIT: int = 3`, at most 400 characters. type: a return type or an annotation,
    "" without.
    decorators: as written, without `@`, each on one line.
    """

    name: str
    kind: Kind
    parent: int
    line: int
    column: int
    first: int
    end: int
    body: int = 0
    doc: int = 0
    doc_end: int = 0
    signature: str = ""
    type: str = ""
    decorators: tuple[str, ...] = ()
    flags: int = 0


class Reference(NamedTuple):
    """One use of a name.

    name: the last name of the path, the one that stands at line and column. A dotted chain is a
    reference for each of its names: `a.b.c()` reads `a` and `a.b` and calls `a.b.c`, but for a
    first name that is a local.
    guess: the type of the first name was inferred: `x = Foo(); x.run()` or `x: Foo` give `Foo.run`.
    """

    name: str
    path: str
    use: Use
    binding: Binding
    guess: bool
    line: int
    column: int
    scope: int


class Import(NamedTuple):
    """One name that an import binds.

    module: as written, with leading dots. name: "" where the module itself is bound, "*" for all
    it has. alias: the name that is bound here ("" for "*"); `import a.b` binds `a`.
    """

    line: int
    scope: int
    module: str
    name: str
    alias: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one content.

    lines: how many it has. error: why it could not be read as its language, with the line ("" where
    it could); what was found all the same is here.
    """

    language: str
    lines: int
    definitions: Sequence[Definition]
    references: Sequence[Reference]
    imports: Sequence[Import]
    error: str = ""

    def qualified(self, ordinal: int) -> str:
        """Returns a definition's name from the top of its file: `Class.method`, "" for the file."""
        names = []
        while ordinal > 0:
            definition = self.definitions[ordinal]
            names.append(definition.name)
            ordinal = definition.parent
        return ".".join(reversed(names))


class Extractor(Protocol):
    """Reads one content of a language that it knows."""

    def facts(self, data: bytes) -> Facts:
        """Returns the facts; never raises on what it is given, but says it in `error`."""
        ...
