"""Plain values as text: what examiner and program may say to each other.

A value is written as JSON in which every JSON object is a tag for what JSON lacks, so that the
receiver builds exact built-in types and nothing else: `{"t": [1, 2]}` is the tuple (1, 2). An
instance of a subclass travels as the data that the base type holds; an object that is no data at
all travels as an opaque `Reference`, which equals nothing but itself. Shared and cyclic structure
is not kept. Floats, integers of any size and strings (lone surrogates too) arrive as they left.

Nothing here trusts the sender: text that is too deep, or not what it should be, is a `WireError`.
"""

from __future__ import annotations

import builtins
import collections
import datetime
import decimal
import fractions
import itertools
import json
import operator
import re
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from codewright.sandbox.arrays import pack_array, to_base64
from codewright.sandbox.wire import WireError

MAX_DEPTH = 400
MAX_ITERATOR = 100_000
# Decimal text of more digits than this is slow to read and refused by the interpreter.
_DECIMAL_BITS = 12_000
_ATOMS = frozenset({type(None), bool, float, str})
_FLAT = frozenset({type(None), bool, int, float, str})


def _unknown(value: Any) -> Any:
    raise WireError(f"no form is known for {type(value).__name__}")


# JSONEncoder builds one of these for every text; made once, it costs a third.
_pieces = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
    None, _unknown, json.encoder.encode_basestring, None, ":", ",", False, False, True
)


def _encode(packed: Any) -> bytes:
    return "".join(_pieces(packed, 0)).encode("utf-8", "surrogatepass")


class Reference:
    """An object that stayed on the other side: its number there, its type's name, its repr.

    It has no value here and equals only itself. Its truth is what it was when it crossed: a
    program that could choose it anew at each question could decide a test.
    """

    __slots__ = ("number", "shown", "truth", "type_name")

    def __init__(self, number: int, type_name: str, shown: str, truth: bool | None) -> None:
        self.number = number
        self.type_name = type_name
        self.shown = shown
        self.truth = truth

    def __bool__(self) -> bool:
        if self.truth is None:
            raise TypeError(f"an object of type {self.type_name} that has no truth")
        return self.truth is True

    def __repr__(self) -> str:
        return self.shown


class Handed:
    """Objects of this side that the other side knows by number."""

    def __init__(self) -> None:
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}

    def number(self, value: Any) -> int:
        """The number of an object; the same object has the same number."""
        known = self._numbers.get(id(value))
        if known is None:
            known = len(self._objects)
            self._objects.append(value)
            self._numbers[id(value)] = known
        return known

    def find(self, number: int) -> Any:
        """The object of a number.

        Raises:
            WireError: no such number was given out.
        """
        if not 0 <= number < len(self._objects):
            raise WireError(f"no object has the number {number}")
        return self._objects[number]

    def clear(self) -> None:
        """Takes all numbers back."""
        self._objects.clear()
        self._numbers.clear()


class Packer:
    """Values to JSON-ready structure.

    Args:
        opaque: gets an object that is no plain data; returns the number under which the other
            side can ask for it again.
        stand_in: the type that stands on this side for objects of the other; the number behind
            one is what `number_of` returns.
    """

    def __init__(
        self,
        opaque: Callable[[Any], int],
        stand_in: type = Reference,
        number_of: Callable[[Any], int] = operator.attrgetter("number"),
    ) -> None:
        self._opaque = opaque
        self._stand_in = stand_in
        self._number_of = number_of
        self._careful = False
        self._drawn: dict[int, list[Any]] = {}

    def text(self, value: Any) -> bytes:
        """The text of a value.

        Raises:
            WireError: it cannot be written.
        """
        # A generator that is drawn from may have a text of its own written meanwhile.
        before = self._careful, self._drawn
        self._careful, self._drawn = False, {}
        try:
            try:
                return _encode(self.pack(value))
            except ValueError:
                self._careful = True
                return _encode(self.pack(value))
        except RecursionError:
            raise WireError("the value is nested too deep") from None
        finally:
            self._careful, self._drawn = before

    def pack(self, value: Any, depth: int = 0) -> Any:
        """The JSON-ready form of a value.

        Raises:
            WireError: it is nested more than `MAX_DEPTH` deep (or cyclic).
        """
        kind = type(value)
        if kind in _ATOMS:
            return value
        if kind is int:
            return self._int(value)
        if depth > MAX_DEPTH:
            raise WireError(f"the value is nested more than {MAX_DEPTH} deep")
        writer = _WRITERS.get(kind)
        if writer is not None:
            return writer(self, value, depth + 1)
        if kind is self._stand_in:
            return {"h": self._number_of(value)}
        return self._subclass(value, depth)

    def items(self, values: Iterable[Any], depth: int) -> Any:
        """The packed items of a collection, as a list."""
        # A list of atoms is written by C as it is; `text` comes back here for huge integers.
        if not self._careful and _FLAT.issuperset(set(map(type, values))):
            return list(values)
        return [self.pack(v, depth) for v in values]

    @staticmethod
    def _int(value: int) -> Any:
        if value.bit_length() <= _DECIMAL_BITS:
            return value
        return {"i": hex(value)}

    def iterator(self, value: Any, depth: int) -> Any:
        """An iterator as the items that are left in it.

        Raises:
            WireError: there are more than `MAX_ITERATOR`.
        """
        # Kept until the text is written, for what is drawn from an iterator cannot be drawn again.
        items = self._drawn.get(id(value))
        if items is None:
            items = self._drawn[id(value)] = list(itertools.islice(value, MAX_ITERATOR + 1))
        if len(items) > MAX_ITERATOR:
            raise WireError(f"the iterator gave more than {MAX_ITERATOR} items")
        return {"it": [self.pack(item, depth) for item in items]}

    def _subclass(self, value: Any, depth: int) -> Any:
        """Data behind a subclass of a built-in type, read past whatever the subclass overrides."""
        kind = type(value)
        if kind.__module__.partition(".")[0] in ("numpy", "pandas"):
            packed = pack_array(lambda part: self.pack(part, depth + 1), value)
            if packed is not None:
                return packed
        mro = type.__dict__["__mro__"].__get__(kind)
        if bool not in mro and int in mro:
            return self._int(int.__add__(value, 0))
        if float in mro:
            return float.__pos__(value)
        if str in mro:
            return str.__getitem__(value, slice(None))
        if bytes in mro:
            return {"b": to_base64(bytes.__getitem__(value, slice(None)))}
        if tuple in mro:
            return {"t": [self.pack(v, depth + 1) for v in tuple.__iter__(value)]}
        if list in mro:
            return [self.pack(v, depth + 1) for v in list.__iter__(value)]
        if dict in mro:
            pairs = list(dict.items(value))
            keys = [self.pack(k, depth + 1) for k, _ in pairs]
            return {"d": [keys, [self.pack(v, depth + 1) for _, v in pairs]]}
        if set in mro:
            return {"s": [self.pack(v, depth + 1) for v in set.__iter__(value)]}
        if frozenset in mro:
            return {"f": [self.pack(v, depth + 1) for v in frozenset.__iter__(value)]}
        if kind is type and value in BUILTIN_TYPES:
            return {"ty": value.__name__}
        if kind is types.FunctionType:
            return {"h": [self._opaque(value), "function", f"<function {value.__name__}>", True]}
        return {"h": [self._opaque(value), kind.__name__, _shown(value), _truth(value)]}


def _truth(value: Any) -> bool | None:
    try:
        return bool(value)
    except BaseException:  # boundary: truth is the program's own code
        return None


BUILTIN_TYPES = frozenset(
    value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and value.__name__ == name
)


def _parts(p: Packer, v: Any, d: int) -> list[Any]:
    return [p.pack(x, d) for x in (v.start, v.stop, v.step)]


_Writer = Callable[[Packer, Any, int], Any]
_WRITERS: Mapping[type, _Writer] = {
    list: Packer.items,
    tuple: lambda p, v, d: {"t": p.items(v, d)},
    dict: lambda p, v, d: {"d": [p.items(v, d), p.items(v.values(), d)]},
    set: lambda p, v, d: {"s": p.items(v, d)},
    frozenset: lambda p, v, d: {"f": p.items(v, d)},
    bytes: lambda _, v, __: {"b": to_base64(v)},
    bytearray: lambda _, v, __: {"B": to_base64(v)},
    complex: lambda _, v, __: {"c": [v.real, v.imag]},
    range: lambda p, v, d: {"r": _parts(p, v, d)},
    slice: lambda p, v, d: {"sl": _parts(p, v, d)},
    type(...): lambda _, __, ___: {"e": 0},
    decimal.Decimal: lambda _, v, __: {"D": str(v)},
    fractions.Fraction: lambda _, v, __: {"F": [hex(v.numerator), hex(v.denominator)]},
    datetime.date: lambda _, v, __: {"dd": v.isoformat()},
    datetime.datetime: lambda _, v, __: {"dt": v.isoformat()},
    datetime.time: lambda _, v, __: {"tm": v.isoformat()},
    datetime.timedelta: lambda _, v, __: {"td": [v.days, v.seconds, v.microseconds]},
    collections.deque: lambda p, v, d: {"q": p.items(v, d)},
    collections.OrderedDict: lambda p, v, d: {"o": [p.items(v, d), p.items(v.values(), d)]},
    collections.Counter: lambda p, v, d: {"C": [p.items(v, d), p.items(v.values(), d)]},
    types.ModuleType: lambda _, v, __: {"m": v.__name__},
    type({}.keys()): lambda p, v, d: {"dk": p.items(v, d)},
    type({}.values()): lambda p, v, d: {"dv": p.items(v, d)},
    type({}.items()): lambda p, v, d: {"di": p.items(v, d)},
    **dict.fromkeys(
        (types.GeneratorType, map, filter, zip, enumerate, type(reversed([])), type(iter([])),
         type(iter(())), type(iter("")), type(iter({})), type(iter(set()))),
        Packer.iterator,
    ),
}  # fmt: skip


def _shown(value: Any) -> str:
    try:
        # Without addresses: the same program leaves the same evidence wherever it is judged.
        return re.sub(r" at 0x[0-9a-f]+", "", str(repr(value))[:200])
    except BaseException as error:  # boundary: repr is the program's own code
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"
