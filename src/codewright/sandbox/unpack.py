"""Text to plain values: the reading half of `values.py`.

It trusts nobody: text that is too deep, or not what it should be, is a `WireError`; text made to be
slow to read costs its sender its budget.
"""

from __future__ import annotations

import binascii
import collections
import datetime
import decimal
import fractions
import functools
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from codewright.sandbox.arrays import TAGS, unpack_array
from codewright.sandbox.values import BUILTIN_TYPES, Reference
from codewright.sandbox.wire import WireError

_NEVER = float("inf")
_QUICK_TO_BUILD, _PIECE = 64, 500
# Keys that share their hash with others: with more of them all who use the table would be slow.
_MOST_ALIKE = 64
_TYPE_NAMED = {value.__name__: value for value in BUILTIN_TYPES}


class TooSlow(Exception):
    """Building the value takes longer than its budget."""


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "t": tuple,
    "b": binascii.a2b_base64,
    "B": lambda v: bytearray(binascii.a2b_base64(v)),
    "c": lambda v: complex(*v),
    "r": lambda v: range(*v),
    "sl": lambda v: slice(*v),
    "e": lambda _: ...,
    "i": lambda v: int(v, 16),
    "D": decimal.Decimal,
    "F": lambda v: fractions.Fraction(int(v[0], 16), int(v[1], 16)),
    "dd": datetime.date.fromisoformat,
    "dt": datetime.datetime.fromisoformat,
    "tm": datetime.time.fromisoformat,
    "td": lambda v: datetime.timedelta(*v),
    "q": collections.deque,
    "dv": lambda v: dict(enumerate(v)).values(),
    "it": iter,
    "ty": lambda v: _TYPE_NAMED[v],
    **{tag: functools.partial(unpack_array, tag) for tag in TAGS},
}


# Containers that hash what they hold, made of a table of it.
_HASHED: Mapping[str, Callable[[dict[Any, Any]], Any]] = {
    "d": lambda table: table,
    "o": collections.OrderedDict,
    "C": collections.Counter,
    "s": set,
    "f": frozenset,
    "dk": dict.keys,
    "di": dict.items,
}


class Unpacker:
    """JSON text to values.

    Args:
        home: finds this side's object by the number that the other side sent back.
        foreign: makes what stands here for an object of the other side.
        modules: makes what stands for a module that the other side named.
    """

    def __init__(
        self,
        home: Callable[[int], Any],
        foreign: Callable[[Reference], Any],
        modules: Callable[[str], Any],
    ) -> None:
        self._until = _NEVER

        def rebuild(tagged: dict[str, Any]) -> Any:
            if len(tagged) != 1:
                raise WireError("a tag has one key")
            ((tag, value),) = tagged.items()
            reader = _READERS.get(tag)
            if reader is not None:
                return reader(value)
            if tag in _HASHED:
                return self._hashed(tag, value)
            if tag == "h":
                return foreign(_reference(*value)) if type(value) is list else home(value)
            if tag == "m":
                return modules(value)
            raise WireError(f"no such tag: {tag[:20]}")

        self._decode = json.JSONDecoder(object_hook=rebuild).raw_decode

    def unpack(self, text: bytes, budget: float = _NEVER) -> Any:
        """The value that a text holds.

        Args:
            budget: CPU seconds that it may take to build it.

        Raises:
            WireError: it is not one.
            TooSlow: it takes longer; keys that collide can make a small text very slow.
        """
        self._until = time.process_time() + budget if budget != _NEVER else _NEVER
        try:
            string = text.decode("utf-8", "surrogatepass")
            value, end = self._decode(string)
            if end != len(string):
                raise WireError("there is more than one value")
            return value
        except (ValueError, TypeError, KeyError, IndexError, RecursionError, ArithmeticError,
                ImportError, AttributeError) as error:  # fmt: skip
            raise WireError(f"not a plain value: {type(error).__name__}: {error}") from None

    def _hashed(self, tag: str, value: Any) -> Any:
        if tag in ("s", "f"):
            items = self._table(value, value).keys()
            return set(items) if tag == "s" else frozenset(items)
        if tag == "dk":
            return self._table(value, value).keys()
        if tag == "di":
            return self._table([k for k, _ in value], [v for _, v in value]).items()
        table = self._table(*value)
        return _HASHED[tag](table)

    def _table(self, keys: list[Any], values: list[Any]) -> dict[Any, Any]:
        """A dict, built in pieces between which the clock is read."""
        if len(keys) != len(values):
            raise WireError("keys and values do not pair")
        if len(keys) < _QUICK_TO_BUILD:
            return dict(zip(keys, values, strict=True))
        if self._until != _NEVER and len(keys) - len(set(map(hash, keys))) > _MOST_ALIKE:
            raise TooSlow
        table: dict[Any, Any] = {}
        for start in range(0, len(keys), _PIECE):
            if time.process_time() > self._until:
                raise TooSlow
            piece = slice(start, start + _PIECE)
            table.update(zip(keys[piece], values[piece], strict=True))
        return table


def _reference(number: Any, type_name: Any, shown: Any, truth: Any) -> Reference:
    """What stands for an object, if it was described as one."""
    named = type(type_name) is str and type(shown) is str
    if type(number) is not int or not named or type(truth) not in (bool, type(None)):
        raise WireError("no description of an object")
    return Reference(number, type_name, shown, truth)
