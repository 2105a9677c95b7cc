"""Which programs do the same: labels for what they did, classes of equal behaviour, distances.

Two outcomes of one call are the same when a test that compares with `==` could not tell them
apart: values equal as Python has it, floats within a tolerance, exceptions by type, and what was
printed or changed in the arguments. Closeness of floats is no equivalence by itself (a near b,
b near c); its transitive closure is taken, so that classes are a partition and do not depend on
the order of the candidates.

Observational equivalence on finitely many inputs approximates equality of the functions from
above: more inputs can only split classes.
"""

from __future__ import annotations

import collections
import copy
import datetime
import decimal
import fractions
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codewright.sandbox.compare import values_match
from codewright.sandbox.values import Reference
from codewright.types import Inputs, Limits, Observation, Observer, Outcome, Probe

OBSERVING = Limits(cpu_seconds=2.0, wall_seconds=2.0, memory_bytes=1 << 30)
"""What one program may use for all of its calls."""

Labels = NDArray[np.int32]
"""Candidates x calls. Equal labels in a column: the same outcome of that call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """When two outcomes are the same.

    tolerance: of floats, absolute or relative. printed, changed: whether output and altered
    arguments count.
    """

    tolerance: float = 1e-6
    printed: bool = True
    changed: bool = True


def observe(
    observer: Observer,
    programs: Sequence[str],
    entry_points: Sequence[str],
    inputs: Inputs,
    limits: Limits = OBSERVING,
) -> list[Observation]:
    """What each program does on the inputs; equal programs are run once.

    Args:
        programs, entry_points: one per candidate.
    """
    probes: dict[tuple[str, str], Probe] = {}
    for program, entry_point in zip(programs, entry_points, strict=True):
        key = (program, entry_point)
        if key not in probes:
            probes[key] = Probe(
                program=program, inputs=inputs, entry_point=entry_point, limits=limits
            )
    seen = dict(zip(probes, observer.observe(probes.values()), strict=True))
    return [seen[key] for key in zip(programs, entry_points, strict=True)]


def labels(observed: Sequence[Sequence[Outcome]], relation: Relation | None = None) -> Labels:
    """Labels of outcomes, candidates x calls; numbered by first appearance in each column."""
    relation = relation or Relation()
    calls = len(observed[0]) if observed else 0
    table = np.zeros((len(observed), calls), dtype=np.int32)
    for call in range(calls):
        column = [outcomes[call] for outcomes in observed]
        distinct = {outcome.wire: outcome for outcome in column}
        group = _groups(distinct, relation)
        numbers: dict[int, int] = {}
        for row, outcome in enumerate(column):
            table[row, call] = numbers.setdefault(group[outcome.wire], len(numbers))
    return table


def classes(table: Labels) -> list[tuple[int, ...]]:
    """The candidates with equal rows, as ascending numbers; largest class first, then earliest."""
    members: dict[bytes, list[int]] = {}
    for row in range(len(table)):
        members.setdefault(table[row].tobytes(), []).append(row)
    return sorted((tuple(each) for each in members.values()), key=lambda c: (-len(c), c[0]))


def distance(table: Labels, one: int, other: int) -> float:
    """The share of calls on which two candidates differ, 0 to 1."""
    if table.shape[1] == 0:
        return 0.0
    return float(np.mean(table[one] != table[other]))


def distances(table: Labels, representatives: Sequence[int]) -> NDArray[np.float64]:
    """Distances between candidates, n x n."""
    rows = table[list(representatives)]
    if table.shape[1] == 0:
        return np.zeros((len(rows), len(rows)))
    apart: NDArray[np.float64] = np.mean(rows[:, None, :] != rows[None, :, :], axis=2)
    return apart


def _groups(distinct: Mapping[bytes, Outcome], relation: Relation) -> dict[bytes, int]:
    """Wire to the number of its group."""
    exact: dict[Hashable, list[bytes]] = {}
    for wire, outcome in distinct.items():
        exact.setdefault(_identity(outcome, relation), []).append(wire)
    group = {wire: number for number, wires in enumerate(exact.values()) for wire in wires}
    # Only what has an identity beside its text can be close to something.
    first = {
        number: distinct[wires[0]]
        for number, (identity, wires) in enumerate(exact.items())
        if type(identity) is not bytes
    }
    if relation.tolerance > 0 and any(_has_float(outcome.value) for outcome in first.values()):
        root = _close(first, relation)
        group = {wire: root.get(number, number) for wire, number in group.items()}
    return group


class _NoKey(Exception):
    """Nothing hashable stands for the value."""


def _identity(outcome: Outcome, relation: Relation) -> Hashable:
    """Equal for outcomes that are exactly the same; where that cannot be told, their text."""
    if outcome.kind not in ("value", "exception"):
        return outcome.kind
    printed = outcome.output if relation.printed else ""
    if outcome.kind == "exception":
        return "exception", outcome.exception, outcome.loading, printed
    # Each container writes a bracket: few of them are not nested deep.
    if outcome.wire.count(b"[") > _MOST_DEEP and _is_deep(outcome):
        return outcome.wire
    try:
        return "value", _key(outcome.value), _changes(outcome, relation), printed
    except _NoKey:
        return outcome.wire


def _changes(outcome: Outcome, relation: Relation) -> Hashable:
    if not (relation.changed and outcome.changed):
        return ()
    return tuple((place, _key(value)) for place, value in outcome.changed)


def _is_deep(outcome: Outcome) -> bool:
    """Whether it is nested too deep for functions that call themselves."""
    level = [outcome.value, *(value for _, value in outcome.changed)]
    for _ in range(_MOST_DEEP):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += [*value.keys(), *value.values()]
            elif isinstance(value, _CONTAINERS):
                inner += copy.copy(value)
        if not inner:
            return False
        level = inner
    return True


def _close(outcomes: Mapping[int, Outcome], relation: Relation) -> dict[int, int]:
    """For each outcome the number of the first that chains of close numbers lead to.

    Outcomes of one shape are compared number by number, so that the cost is that of sorting.
    """
    root = {number: number for number in outcomes}
    shapes: dict[Hashable, list[int]] = {}
    for number, outcome in outcomes.items():
        if outcome.kind == "value":
            printed = outcome.output if relation.printed else ""
            shape = (_shape(outcome.value), _changes(outcome, relation), printed)
            shapes.setdefault(shape, []).append(number)
    for alike in shapes.values():
        like = outcomes[alike[0]].value
        try:
            rows = [list(_numbers(outcomes[number].value, like)) for number in alike]
        except KeyError:  # a NaN among the keys of a dict is found by nobody
            continue
        chains = [_chained(column, relation.tolerance) for column in zip(*rows, strict=True)]
        first: dict[tuple[int, ...], int] = {}
        for place, number in enumerate(alike):
            key = tuple(chain[place] for chain in chains if chain)
            root[number] = first.setdefault(key, number)
    return root


def _chained(column: Sequence[Any], tolerance: float) -> list[int]:
    """For each number the number of its chain; empty where all are equal.

    Sorted numbers with a float near both belong together; without one they are exact.
    """
    distinct = set(map(_named, column))
    if len(distinct) == 1:
        return []
    ordered = sorted(distinct - {"nan"}, key=_magnitude)
    after: list[Any] = []  # the nearest float that is not smaller
    for number in reversed(ordered):
        after.append(number if type(number) is float else after[-1] if after else None)
    after.reverse()
    chain: dict[Any, int] = {"nan": -1}
    below: Any = None  # the nearest float that is not larger than `before`
    before: Any = None
    for place, number in enumerate(ordered):
        joined = place > 0 and (
            (below is not None and values_match(below, number, tolerance))
            or (after[place] is not None and values_match(before, after[place], tolerance))
        )
        chain[number] = chain[before] if joined else place
        below, before = number if type(number) is float else below, number
    return [chain[_named(number)] for number in column]


def _magnitude(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _named(number: Any) -> Any:
    """The number, or one name for all that are none."""
    if type(number) is decimal.Decimal and number.is_nan():
        return "nan"  # asking a signalling one for equality is an error
    return number if number == number else "nan"


_NUMBERS = frozenset({bool, int, float, complex, decimal.Decimal, fractions.Fraction})
_SHOWN = frozenset({
    type, type(...), datetime.date, datetime.datetime, datetime.time, datetime.timedelta,
})  # fmt: skip
_IN_ORDER = frozenset({list, tuple, collections.deque})
_UNORDERED = frozenset({type({}.keys()), type({}.items())})
_ONCE = frozenset({type({}.values()), *(type(iter(kind())) for kind in (list, tuple, str, dict))})
_CONTAINERS = (*_IN_ORDER, set, frozenset, *_UNORDERED, *_ONCE, np.ndarray)
_MOST_DEEP = 100


def _key(value: Any) -> Hashable:
    """A hashable stand-in, equal for values that `==` calls equal, NaN included.

    Raises:
        _NoKey: there is none.
    """
    kind = type(value)
    if kind in _NUMBERS:
        named = _named(value)
        return named if type(named) is str else ("number", named)
    if value is None or kind is str:
        return value, kind
    if kind in _IN_ORDER:
        return kind, tuple(map(_key, value))
    if isinstance(value, dict):
        return dict, frozenset((_key(k), _key(v)) for k, v in value.items())
    if kind is set or kind is frozenset:
        return set, frozenset(map(_key, value))
    if kind is Reference:
        return Reference, value.type_name, value.shown
    if kind is bytes or kind is bytearray:
        return bytes, bytes(value)
    if isinstance(value, np.ndarray):
        return np.ndarray, value.shape, _key(value.tolist())
    return _odd_key(value)


def _odd_key(value: Any) -> Hashable:
    kind = type(value)
    if kind in _SHOWN:
        return kind, repr(value)
    if kind is slice:
        return kind, *map(_key, (value.start, value.stop, value.step))
    if kind is range:
        # Its length may be more than can be asked for.
        return kind, value[:1] == value or (value[0], value[-1], value.step)
    if kind in _UNORDERED:
        return kind, frozenset(map(_key, value))
    if kind in _ONCE:
        return kind, tuple(map(_key, copy.copy(value)))
    if isinstance(value, np.generic) and not isinstance(value.item(), np.generic):
        return _key(value.item())
    raise _NoKey


def _shape(value: Any) -> Hashable:
    """As `_key`, but every number that may be close to another looks the same."""
    kind = type(value)
    if kind is complex:
        return "complex"
    if kind in _NUMBERS or (isinstance(value, np.generic) and value.dtype.kind in _REAL):
        return "number"
    if kind in _IN_ORDER:
        return kind, tuple(map(_shape, value))
    if isinstance(value, dict):
        return dict, frozenset((_key(k), _shape(v)) for k, v in value.items())
    if isinstance(value, np.ndarray) and value.dtype.kind in _REAL:
        return np.ndarray, value.shape
    return _key(value)


_REAL = "biuf"


def _numbers(value: Any, like: Any) -> Iterator[Any]:
    """The numbers of a value that may be close to others, in the order of one of equal shape.

    Raises:
        KeyError: the order cannot be found.
    """
    kind = type(value)
    if kind is complex:
        yield from (value.real, value.imag)
    elif kind in _NUMBERS:
        yield value
    elif kind in _IN_ORDER:
        for one, other in zip(value, like, strict=True):
            yield from _numbers(one, other)
    elif isinstance(value, dict):
        for key, other in like.items():
            yield from _numbers(dict.__getitem__(value, key), other)
    elif isinstance(value, np.ndarray | np.generic) and value.dtype.kind in _REAL:
        yield from value.ravel().tolist()


def _has_float(value: Any) -> bool:
    kind = type(value)
    if kind is float or kind is complex:
        return True
    if kind in _IN_ORDER:
        return any(map(_has_float, value))
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fc"
