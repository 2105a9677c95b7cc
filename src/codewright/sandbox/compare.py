"""Is it the expected value, is it the expected output: tolerant where numbers and white space are.

Both sides are data of exact built-in types, as they come off the wire: no method of theirs is the
program's own. Nothing here recurses, and the cost is linear in the size of the expected side
(and of the blank part of what was printed), however large or deep the other is.
"""

from __future__ import annotations

import cmath
import collections
import decimal
import fractions
import math
import re
import sys
from itertools import zip_longest
from typing import Any, Final

_NUMBERS: Final = frozenset({bool, int, float, complex, decimal.Decimal, fractions.Fraction})
_SEQUENCES: Final = frozenset({list, tuple})
_SETS: Final = frozenset({set, frozenset})
_BYTES: Final = frozenset({bytes, bytearray})
_DICTS: Final = frozenset({dict, collections.Counter, collections.OrderedDict})
_ALIKE: Final = (_SETS, _BYTES)
_PLAIN: Final = frozenset({type(None), bool, int, float, str})
_NUMERIC_DTYPES: Final = "biufc"

# From its first visible character to its end; blank lines have none. A line ends at \n alone, all
# other white space counts as a blank.
_LINE: Final = re.compile(r"\S[^\n]*")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
_BEFORE, _SHOWN, _QUOTED = 20, 60, 76


def values_match(
    got: Any, expected: Any, tolerance: float, *, loose_sequences: bool = False
) -> bool:
    """Whether two values are equal as Python's `==` has it, but for floats.

    A float or complex number equals any number within the tolerance, absolute or relative, and a
    NaN equals a NaN; integers, decimals and fractions among themselves are exact. So True is 1,
    a list is no tuple, a set is a frozenset. Members of sets and keys of dictionaries are exact.
    Arrays of numpy equal arrays of the same shape; data frames equal nothing. What is none of these
    is equal only to its own type. Cyclic values are equal if no finite path tells them apart.

    Args:
        tolerance: the larger of the absolute and the relative difference that is let through.
        loose_sequences: lists, tuples and arrays may stand for each other, for expected values
            that come from JSON.
    """
    pending = [(got, expected)]
    compared: set[tuple[int, int]] = set()
    kept: list[Any] = []  # what an array was turned into lives on, so that ids stay unique
    while pending:
        mine, theirs = pending.pop()
        if mine is theirs:
            continue
        one, other = type(mine), type(theirs)
        if one is other and one in _PLAIN and mine == theirs:
            continue
        mine, theirs = _unpacked(mine, theirs, loose_sequences)
        one, other = type(mine), type(theirs)
        if one in _NUMBERS and other in _NUMBERS:
            if not _numbers_match(mine, theirs, tolerance):
                return False
        elif (one in _SEQUENCES and other in _SEQUENCES) or (one in _DICTS and other in _DICTS):
            alike = one is other or loose_sequences or one in _DICTS
            if len(mine) != len(theirs) or not alike:
                return False
            if (id(mine), id(theirs)) in compared:
                continue
            compared.add((id(mine), id(theirs)))
            kept += (mine, theirs)
            pairs = _by_key(mine, theirs) if one in _DICTS else zip(mine, theirs, strict=True)
            if pairs is None:
                return False
            pending += pairs
        elif not _same(mine, theirs):
            return False
    return True


def _same(mine: Any, theirs: Any) -> bool:
    one, other = type(mine), type(theirs)
    if one is not other and not any(one in kinds and other in kinds for kinds in _ALIKE):
        return False
    try:
        return (mine == theirs) is True
    except (RecursionError, ValueError):  # deep members of sets; data frames of other columns
        return False


def _by_key(mine: dict[Any, Any], theirs: dict[Any, Any]) -> list[tuple[Any, Any]] | None:
    """The values under equal keys; None where a key is missing."""
    try:
        # Past `Counter`, for which nothing is missing.
        return [(dict.__getitem__(mine, key), value) for key, value in theirs.items()]
    except (KeyError, RecursionError):
        return None


def _numbers_match(mine: Any, theirs: Any, tolerance: float) -> bool:
    if _is_nan(mine) or _is_nan(theirs):
        return _is_nan(mine) and _is_nan(theirs)
    if mine == theirs:
        return True
    kinds = (type(mine), type(theirs))
    # What differs as it stands may be equal once made a float.
    if tolerance <= 0 or not (float in kinds or complex in kinds):
        return False
    try:
        one, other = complex(mine), complex(theirs)
    except OverflowError:  # an integer beyond all floats
        return False
    if cmath.isinf(one) or cmath.isinf(other):  # so may a decimal be, which is no infinity
        return False
    return cmath.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)


def _is_nan(number: Any) -> bool:
    kind = type(number)
    if kind is decimal.Decimal:
        return bool(number.is_nan())  # asking a signalling one for equality is an error
    return kind in (float, complex) and cmath.isnan(number)


def _unpacked(mine: Any, theirs: Any, loose: bool) -> tuple[Any, Any]:
    """Arrays and scalars of numpy as plain values, where both sides have a right to be compared."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return mine, theirs
    mine, theirs = (v.item() if isinstance(v, numpy.generic) else v for v in (mine, theirs))
    arrays = [isinstance(v, numpy.ndarray) for v in (mine, theirs)]
    if all(arrays):
        kinds = {mine.dtype.kind, theirs.dtype.kind}
        if mine.shape == theirs.shape and (len(kinds) == 1 or kinds <= set(_NUMERIC_DTYPES)):
            return mine.tolist(), theirs.tolist()
        return mine, None
    if loose and arrays[0] and type(theirs) in _SEQUENCES:
        return mine.tolist(), theirs
    if loose and arrays[1] and type(mine) in _SEQUENCES:
        return mine, theirs.tolist()
    return mine, theirs


def outputs_match(got: str, expected: str, tolerance: float) -> bool:
    """Whether a program printed what it should.

    Blank lines, white space at the ends of lines and its amount inside them do not count; which
    words stand on which line does, and so does case. Two words that are both numbers, at least
    one of them written with a point or an exponent, are equal within the tolerance (absolute or
    relative); integers are equal as they are written, but for a plus sign and the sign of zero,
    so 007 is not 7. `nan`, `inf`, `0x10` and `1_000` are no numbers.
    """
    if got == expected:
        return True
    lines = zip_longest(_LINE.finditer(got), _LINE.finditer(expected))
    return all(_lines_match(mine, theirs, tolerance) for mine, theirs in lines)


def first_difference(got: str, expected: str, tolerance: float = 0.0) -> str:
    """Where two outputs part, in at most 200 characters; "" where `outputs_match`.

    The line number is that of the expected output, or of what was printed where that goes on.
    """
    for mine, theirs in zip_longest(_LINE.finditer(got), _LINE.finditer(expected)):
        if _lines_match(mine, theirs, tolerance):
            continue
        ours = "" if mine is None else mine.group().rstrip()
        wanted = "" if theirs is None else theirs.group().rstrip()
        at = _shared(ours, wanted)
        if theirs is None:
            return f"line {_number(mine)}: expected no more output, got {_quoted(ours, 0)}"
        if mine is None:
            return f"line {_number(theirs)}: expected {_quoted(wanted, 0)}, got no more output"
        return f"line {_number(theirs)}: expected {_quoted(wanted, at)}, got {_quoted(ours, at)}"
    return ""


def _lines_match(
    mine: re.Match[str] | None, theirs: re.Match[str] | None, tolerance: float
) -> bool:
    if mine is None or theirs is None:
        return False
    if mine.group() == theirs.group():
        return True
    wanted = theirs.group().split()
    # One word too many is told from the expected number without splitting a huge line to its end.
    words = mine.group().split(None, len(wanted))
    return len(words) == len(wanted) and all(
        word == want or _words_match(word, want, tolerance)
        for word, want in zip(words, wanted, strict=True)
    )


def _words_match(word: str, want: str, tolerance: float) -> bool:
    if not (_NUMBER.fullmatch(word) and _NUMBER.fullmatch(want)):
        return False
    if _INTEGER.fullmatch(word) and _INTEGER.fullmatch(want):
        return _integer(word) == _integer(want)
    mine, theirs = float(word), float(want)
    if math.isinf(mine) or math.isinf(theirs):
        return False  # beyond all floats: only the same text is the same number
    return mine == theirs or math.isclose(mine, theirs, rel_tol=tolerance, abs_tol=tolerance)


def _integer(text: str) -> str:
    """Without a plus, and without the minus of zero. Never an int: those have a limit of digits."""
    if text[0] == "+" or (text[0] == "-" and not text.strip("-0")):
        return text[1:]
    return text


def _number(line: re.Match[str]) -> int:
    return line.string.count("\n", 0, line.start()) + 1


def _shared(one: str, other: str) -> int:
    """How many characters the two have in common from the start on."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _quoted(line: str, at: int) -> str:
    """The part of the line around a place, in quotes, what is not printable escaped."""
    start = max(0, at - _BEFORE)
    end = start + _SHOWN
    text = repr(line[start:end])
    if len(text) > _QUOTED or end < len(line):
        text = text[: _QUOTED - 1] + "…"
    return "…" + text if start else text
