"""The scopes of a Python file, and what a name in one of them refers to.

A name is looked for as Python does, by the whole text and not by the order of execution; what is
bound twice is the first of its functions, classes and imports, else a variable. Comprehensions,
lambdas and type parameters have scopes of their own, and are no definitions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from codewright.repo.facts import Binding, Use

_GIVEN = (
    "ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup "
    "BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError "
    "ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError "
    "DeprecationWarning EOFError Ellipsis EncodingWarning EnvironmentError Exception "
    "ExceptionGroup False FileExistsError FileNotFoundError FloatingPointError FutureWarning "
    "GeneratorExit IOError ImportError ImportWarning IndentationError IndexError "
    "InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError "
    "ModuleNotFoundError NameError None NotADirectoryError NotImplemented NotImplementedError "
    "OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError "
    "PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError "
    "RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError "
    "SystemExit TabError TimeoutError True TypeError UnboundLocalError UnicodeDecodeError "
    "UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning "
    "ValueError Warning ZeroDivisionError __annotations__ __build_class__ __builtins__ "
    "__cached__ __class__ __debug__ __dict__ __doc__ __file__ __import__ __loader__ "
    "__module__ __name__ __package__ __path__ __qualname__ __spec__ abs aiter all anext any "
    "ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex "
    "copyright credits delattr dict dir divmod enumerate eval exec exit filter float format "
    "frozenset getattr globals hasattr hash help hex id input int isinstance issubclass iter "
    "len license list locals map max memoryview min next object oct open ord pow print "
    "property quit range repr reversed round set setattr slice sorted staticmethod str sum "
    "super tuple type vars zip "
)
BUILTINS = frozenset(_GIVEN.split())
"""What Python gives to every module, whatever the version that runs this."""

_CAPITALS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

Place = tuple[int, int]
Chain = tuple[str, ...]


class Area(Enum):
    """What a scope is of."""

    MODULE = 0
    CLASS = 1
    FUNCTION = 2
    """Or a lambda, a comprehension, type parameters: what it binds is local."""


@dataclass(slots=True)
class Value:
    """What a name was bound to, as far as a type can be seen in it.

    chain: the dotted name of a type, or of what was called; of a local where `plain`; empty where
    nothing is known.
    """

    chain: Chain
    scope: Scope
    called: bool = False
    plain: bool = False


@dataclass(slots=True)
class Symbol:
    """One name in one scope.

    first: the first of what has a meaning of its own: where it stands, the path of an import, and
    "import", "function" or "class". variable: bound in a way that makes a definition. other: bound
    in another way. declared: global or nonlocal.
    """

    first: tuple[Place, str, str] | None = None
    variable: bool = False
    other: bool = False
    declared: str = ""
    annotated: tuple[Place, Value] | None = None
    values: list[Value] = field(default_factory=list)

    @property
    def bound(self) -> bool:
        """Says whether anything binds it."""
        return self.first is not None or self.variable or self.other


@dataclass(slots=True, eq=False)
class Scope:
    """path: of its module, class or function from the top of the file. home: its definition."""

    area: Area
    parent: Scope | None
    path: str
    home: object
    comprehension: bool = False
    names: dict[str, Symbol] = field(default_factory=dict)
    self_name: str = ""
    self_class: Scope | None = None
    attributes: dict[str, Symbol] = field(default_factory=dict)

    def symbol(self, name: str) -> Symbol:
        """Returns the symbol of a name, made where there is none."""
        return self.names.setdefault(name, Symbol())

    def top(self) -> Scope:
        """Returns the module's scope."""
        scope = self
        while scope.parent:
            scope = scope.parent
        return scope


@dataclass(slots=True, eq=False)
class Event:
    """One name in the text. before: the name that it is an attribute of.

    root: it is a name by itself; neither: an attribute of what has no name. path: of an import.
    """

    name: str
    at: Place
    scope: Scope
    owner: object
    use: Use
    before: Event | None = None
    root: bool = False
    path: str = ""
    meaning: Meaning | None = None


class Meaning(NamedTuple):
    """What a name refers to; `path` is "" for a local itself and for `self`."""

    binding: Binding
    path: str
    guess: bool = False
    symbol: Symbol | None = None
    of_class: Scope | None = None


def joined(path: str, name: str) -> str:
    """Returns a dotted path with one name more."""
    return f"{path}.{name}" if path else name


def find(scope: Scope, name: str) -> tuple[Scope, Symbol] | None:
    """Returns the scope that a name belongs to, seen from a scope, and what is known of it."""
    inner: Scope | None = scope
    while inner:
        if inner.area is not Area.CLASS or inner is scope:
            symbol = inner.names.get(name)
            if symbol and symbol.declared == "global":
                inner = inner.top()
                symbol = inner.names.get(name)
                return (inner, symbol) if symbol and symbol.bound else None
            if symbol and symbol.bound and not symbol.declared:
                return inner, symbol
        inner = inner.parent
    return None


def lookup(scope: Scope, name: str) -> Meaning:
    """Returns what a name by itself refers to in a scope."""
    found = find(scope, name)
    if found is None:
        return Meaning(Binding.BUILTIN if name in BUILTINS else Binding.UNKNOWN, name)
    inner, symbol = found
    if symbol.first:
        _, imported, _ = symbol.first
        if imported:
            return Meaning(Binding.IMPORT, imported)
        return Meaning(Binding.FILE, joined(inner.path, name), symbol=symbol)
    if inner.area is Area.FUNCTION:
        if name == inner.self_name and not symbol.variable:
            return Meaning(Binding.SELF, "", of_class=inner.self_class)
        return Meaning(Binding.LOCAL, "", symbol=symbol)
    if symbol.variable:
        return Meaning(Binding.FILE, joined(inner.path, name), symbol=symbol)
    return Meaning(Binding.LOCAL, "")


def meaning(event: Event) -> Meaning:
    """Returns what an event's path refers to."""
    if event.meaning is None:
        event.meaning = _meaning(event)
    return event.meaning


def _meaning(event: Event) -> Meaning:
    name = event.name
    if event.path:
        return Meaning(Binding.IMPORT, event.path)
    if event.root:
        return lookup(event.scope, name)
    if event.before is None:
        return Meaning(Binding.UNKNOWN, name)
    before = meaning(event.before)
    if before.of_class and not before.path:
        return Meaning(Binding.SELF, joined(before.of_class.path, name), of_class=before.of_class)
    guessed = None
    if before.of_class:
        guessed = attribute_type(before.of_class, before.path.rpartition(".")[2])
    elif before.binding is Binding.LOCAL and not before.path and before.symbol:
        guessed = type_of(before.symbol)
    if guessed:
        return Meaning(guessed.binding, joined(guessed.path, name), guess=True)
    return Meaning(before.binding, joined(before.path, name), guess=before.guess)


def attribute_type(owner: Scope, name: str) -> Meaning | None:
    """Returns the type of an instance's attribute: by its class's body and by what is assigned."""
    body, assigned = owner.names.get(name), owner.attributes.get(name)
    if body and body.first:
        return None
    merged = Symbol()
    for symbol in (body, assigned):
        if symbol:
            merged.values += symbol.values
            if symbol.annotated and not (
                merged.annotated and merged.annotated[0] < symbol.annotated[0]
            ):
                merged.annotated = symbol.annotated
    return type_of(merged)


def type_of(symbol: Symbol) -> Meaning | None:
    """Returns the one type that all bindings of a name agree in, if they do."""
    values = [symbol.annotated[1]] if symbol.annotated else symbol.values
    types = [_type(value) for value in values]
    first = types[0] if types else None
    if first and all(
        other and (other.path, other.binding) == (first.path, first.binding) for other in types
    ):
        return first
    return None


def _type(value: Value) -> Meaning | None:
    if not value.chain:
        return None
    first = lookup(value.scope, value.chain[0])
    if value.plain:
        return type_of(first.symbol) if first.binding is Binding.LOCAL and first.symbol else None
    if first.binding in (Binding.LOCAL, Binding.SELF):
        return None
    if value.called and value.chain[-1].lstrip("_")[:1] not in _CAPITALS:
        symbol = first.symbol
        if len(value.chain) > 1 or not (symbol and symbol.first and symbol.first[2] == "class"):
            return None
    return Meaning(first.binding, ".".join([first.path, *value.chain[1:]]))
