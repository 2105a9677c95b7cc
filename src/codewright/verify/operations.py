"""What an expression of a test may do to values, each thing with a bound on what it makes.

Functions, methods and operators that are pure, over exact built-in types. They change none of their
operands: an iterator is copied before it is drawn from. What would cost too much, or is not in the
tables, raises `Refused`; what Python itself would refuse raises what Python raises.
"""

from __future__ import annotations

import ast
import collections
import copy
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from codewright.sandbox.compare import values_match

MAX_ITEMS: Final = 100_000
"""Items of a collection, characters of a string."""
MAX_BITS: Final = 16_000
"""Bits of an integer: a little more than the digits that Python prints."""

_ITERATOR: Final[type] = type(iter([]))
_VIEWS: Final[tuple[type, ...]] = (type({}.keys()), type({}.values()), type({}.items()))
_SIZED: Final = frozenset({
    str, bytes, bytearray, list, tuple, dict, set, frozenset, range, collections.deque,
    collections.OrderedDict, collections.Counter, *_VIEWS,
})  # fmt: skip
_DICTS: Final = frozenset({dict, collections.OrderedDict, collections.Counter})
_NUMBERS: Final = frozenset({bool, int, float, complex})
_INTEGERS: Final = frozenset({bool, int})
_CHAINS: Final = frozenset({str, bytes, list, tuple})
_SETS: Final = frozenset({set, frozenset})

TYPES: Final[Mapping[str, type]] = {
    kind.__name__: kind
    for kind in (
        bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, range, object,
    )
} | {"NoneType": type(None)}  # fmt: skip
"""Types that an expression may name."""


class Refused(Exception):
    """The expression asks for what is not offered, or for too much of it."""


@dataclass(frozen=True, slots=True)
class Approximate:
    """A number, or numbers in a list or tuple, that others are compared with by tolerance."""

    value: Any
    relative: float
    absolute: float


def items(value: Any) -> list[Any]:
    """Returns what is in a collection, in its order.

    Raises:
        Refused: it is none, or there is too much in it.
    """
    kind = type(value)
    if kind is _ITERATOR:
        value = copy.copy(value)
    elif kind not in _SIZED:
        raise Refused(f"{kind.__name__} is no collection")
    taken = list(islice(value, MAX_ITEMS + 1))
    if len(taken) > MAX_ITEMS:
        raise Refused("too many items")
    return taken


def operate(kind: type[ast.operator], left: Any, right: Any) -> Any:
    """Returns `left` op `right`, an operator given by its class in `ast`.

    Raises:
        Refused: the operands are of other types than numbers, strings, lists, tuples, sets and
            dicts, or the result would be too large.
        ArithmeticError, TypeError, ValueError: as Python has it.
    """
    one, other = type(left), type(right)
    if one in _NUMBERS and other in _NUMBERS:
        if one in _INTEGERS and other in _INTEGERS and _bits(kind, left, right) > MAX_BITS:
            raise Refused("too large a number")
    elif kind is ast.Add and one is other and one in _CHAINS:
        _fits(len(left) + len(right))
    elif kind is ast.Mult and one in _CHAINS and other in _INTEGERS:
        _fits(len(left) * right)
    elif kind is ast.Mult and other in _CHAINS and one in _INTEGERS:
        _fits(len(right) * left)
    elif not (one in _SETS and other in _SETS and kind in _OF_SETS) and not (
        one is other is dict and kind is ast.BitOr
    ):
        raise Refused(f"{kind.__name__} of {one.__name__} and {other.__name__}")
    if kind not in _OPERATORS:
        raise Refused(f"no operator {kind.__name__}")
    return _OPERATORS[kind](left, right)


_OF_SETS: Final = frozenset({ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub})
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}


def _bits(kind: type[ast.operator], left: int, right: int) -> int:
    """About how many bits the result has: never much less than it has."""
    mine, theirs = left.bit_length(), right.bit_length()
    if kind is ast.Mult:
        return mine + theirs
    if kind is ast.Pow:
        return mine * max(0, right)
    if kind is ast.LShift:
        return mine + max(0, right)
    return max(mine, theirs)


def _fits(size: int) -> None:
    if size > MAX_ITEMS:
        raise Refused("too long")


def _isinstance(value: Any, kinds: Any) -> bool:
    wanted = items(kinds) if type(kinds) is tuple else [kinds]
    if not all(type(kind) is type for kind in wanted):
        raise Refused("isinstance of no type")
    return isinstance(value, tuple(wanted))


def _len(value: Any) -> int:
    if type(value) not in _SIZED:
        raise Refused(f"len of {type(value).__name__}")
    return len(value)


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*values: Any, **options: Any) -> Any:
        return choose(items(values[0]) if len(values) == 1 else list(values), **options)

    return chosen


def _range(*ends: int) -> range:
    made = range(*ends)
    # The length of a range can itself be too large to be asked for.
    if any(abs(end) > 1 << 62 for end in ends):
        raise Refused("too long a range")
    _fits(len(made))
    return made


def _sum(values: Any, start: Any = 0) -> Any:
    total = start
    for value in items(values):
        total = operate(ast.Add, total, value)
    return total


def _number(kind: type) -> Callable[..., Any]:
    def made(*values: Any) -> Any:
        if any(type(v) not in _NUMBERS and type(v) is not str for v in values):
            raise Refused(f"{kind.__name__} of {type(values[0]).__name__}")
        return kind(*values)

    return made


def _collection(kind: type) -> Callable[..., Any]:
    return lambda *values: kind(*map(items, values))


def _dict(*pairs: Any, **named: Any) -> dict[Any, Any]:
    known = [v if type(v) is dict else [items(pair) for pair in items(v)] for v in pairs]
    return dict(*known, **named)


def _text(*values: Any) -> str:
    if any(type(v) in _SIZED and len(v) > MAX_ITEMS for v in values):
        raise Refused("too long to be shown")
    return str(*values)


def _round(value: Any, digits: int | None = None) -> Any:
    if type(value) not in _NUMBERS or (digits is not None and abs(digits) > 400):
        raise Refused("no such rounding")
    return round(value, digits)


def _approx(value: Any, rel: float | None = None, abs: float | None = None) -> Approximate:
    # The defaults of pytest; an absolute tolerance alone puts the relative one out of use.
    relative = rel if rel is not None else (0.0 if abs is not None else 1e-6)
    return Approximate(value, relative, 1e-12 if abs is None else abs)


def _pow(base: Any, exponent: Any) -> Any:
    return operate(ast.Pow, base, exponent)


def _factorial(number: int) -> int:
    if number > 1_000:
        raise Refused("too large a factorial")
    return math.factorial(number)


def _iterated(make: Callable[..., Any]) -> Callable[..., Any]:
    """What gives an iterator in Python gives one here."""
    return lambda *values, **options: iter(list(make(*map(items, values), **options)))


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": abs,
    "all": lambda values: all(items(values)),
    "any": lambda values: any(items(values)),
    "bin": bin,
    "bool": bool,
    "bytes": lambda value=b"": bytes(items(value)),
    "chr": chr,
    "complex": _number(complex),
    "dict": _dict,
    "divmod": lambda one, other: (
        operate(ast.FloorDiv, one, other), operate(ast.Mod, one, other),
    ),
    "enumerate": _iterated(enumerate),
    "float": _number(float),
    "frozenset": _collection(frozenset),
    "hex": hex,
    "int": _number(int),
    "isinstance": _isinstance,
    "len": _len,
    "list": _collection(list),
    "max": _extreme(max),
    "min": _extreme(min),
    "oct": oct,
    "ord": ord,
    "pow": _pow,
    "range": _range,
    "repr": lambda value: repr(_text(value) if type(value) is str else value),
    "reversed": _iterated(reversed),
    "round": _round,
    "set": _collection(set),
    "sorted": lambda values, reverse=False: sorted(items(values), reverse=bool(reverse)),
    "str": _text,
    "sum": _sum,
    "tuple": _collection(tuple),
    "type": type,
    "zip": _iterated(zip),
    "approx": _approx,
    "pytest.approx": _approx,
    "isclose": math.isclose,
    "math.isclose": math.isclose,
    "math.ceil": math.ceil,
    "math.factorial": _factorial,
    "math.floor": math.floor,
    "math.gcd": math.gcd,
    "math.isinf": math.isinf,
    "math.isnan": math.isnan,
    "math.pow": math.pow,
    "math.sqrt": math.sqrt,
}  # fmt: skip
"""By the name that calls them, a module's with its name before it. No keywords but these take."""

CONSTANTS: Final[Mapping[str, float]] = {
    "math.pi": math.pi,
    "math.e": math.e,
    "math.inf": math.inf,
    "math.nan": math.nan,
}


def _join(separator: str, values: Any) -> str:
    parts = items(values)
    _fits(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    _fits(len(text) + (text.count(old) + 1) * len(new))
    return text.replace(old, new, count)


def _setwise(name: str) -> Callable[..., Any]:
    return lambda mine, *others: operator.methodcaller(name, *map(items, others))(mine)


_PLAIN_METHODS: Final[Mapping[type, tuple[str, ...]]] = {
    str: (
        "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha",
        "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable",
        "isspace", "istitle", "isupper", "lower", "lstrip", "partition", "removeprefix",
        "removesuffix", "rfind", "rindex", "rpartition", "rsplit", "rstrip", "split", "splitlines",
        "startswith", "strip", "swapcase", "title", "upper",
    ),
    list: ("copy", "count", "index"),
    tuple: ("count", "index"),
    dict: ("copy", "get", "items", "keys", "values"),
    int: ("bit_length",),
    float: ("is_integer",),
}  # fmt: skip
_SET_METHODS: Final = (
    "difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference",
    "union",
)  # fmt: skip

METHODS: Final[Mapping[tuple[type, str], Callable[..., Any]]] = {
    **{(k, name): getattr(k, name) for k, names in _PLAIN_METHODS.items() for name in names},
    **{(k, name): _setwise(name) for k in (set, frozenset) for name in _SET_METHODS},
    (str, "join"): _join,
    (str, "replace"): _replace,
    (set, "copy"): set.copy,
}
"""By the exact type that has them, and their name."""

METHOD_NAMES: Final = frozenset(name for _, name in METHODS)


def equal(left: Any, right: Any, tolerance: float) -> bool:
    """Whether left == right; floats within `tolerance`, approximate values within their own.

    A Counter or OrderedDict equals the dict of the same items.
    """
    if type(left) in _DICTS and type(right) in _DICTS and type(left) is not type(right):
        left, right = dict(left), dict(right)
    if type(right) is Approximate:
        left, right = right, left
    if type(left) is Approximate:
        return _close(right, left)
    return values_match(left, right, tolerance)


def _close(value: Any, wanted: Approximate) -> bool:
    if type(wanted.value) in (list, tuple):
        return (
            type(value) is type(wanted.value)
            and len(value) == len(wanted.value)
            and all(
                _close(mine, Approximate(theirs, wanted.relative, wanted.absolute))
                for mine, theirs in zip(value, wanted.value, strict=True)
            )
        )
    if type(wanted.value) not in (int, float) or type(value) not in (bool, int, float):
        return values_match(value, wanted.value, 0.0)
    # One-sided, as pytest has it: relative to the expected value.
    allowed = max(wanted.absolute, wanted.relative * abs(wanted.value))
    return bool(value == wanted.value or abs(value - wanted.value) <= allowed)
