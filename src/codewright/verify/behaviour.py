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

import decimal
import fractions
import itertools
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
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
    firsts = [distinct[wires[0]] for wires in exact.values()]
    if relation.tolerance > 0 and any(_has_float(outcome.value) for outcome in firsts):
        root = _close(firsts, relation)
        group = {wire: root[number] for wire, number in group.items()}
    return group


def _identity(outcome: Outcome, relation: Relation) -> Hashable:
    """Equal for outcomes that are exactly the same."""
    if outcome.kind not in ("value", "exception"):
        return outcome.kind
    printed = outcome.output if relation.printed else ""
    if outcome.kind == "exception":
        return "exception", outcome.exception, outcome.loading, printed
    try:
        return "value", _key(outcome.value), _changes(outcome, relation), printed
    except RecursionError:
        return outcome.wire


def _changes(outcome: Outcome, relation: Relation) -> Hashable:
    if not (relation.changed and outcome.changed):
        return ()
    return tuple((place, _key(value)) for place, value in outcome.changed)


def _close(outcomes: Sequence[Outcome], relation: Relation) -> list[int]:
    """For each outcome the number of the first that a chain of close values leads to."""
    root = list(range(len(outcomes)))

    def find(number: int) -> int:
        while root[number] != number:
            number = root[number] = root[root[number]]
        return number

    shapes: dict[Hashable, list[int]] = {}
    for number, outcome in enumerate(outcomes):
        if outcome.kind == "value":
            printed = outcome.output if relation.printed else ""
            shape = (_shape(outcome.value), _changes(outcome, relation), printed)
            shapes.setdefault(shape, []).append(number)
    for alike in shapes.values():
        for one, other in _worth_comparing(alike, outcomes):
            if find(one) != find(other) and values_match(
                outcomes[one].value, outcomes[other].value, relation.tolerance
            ):
                root[max(find(one), find(other))] = min(find(one), find(other))
    return [find(number) for number in range(len(outcomes))]


def _worth_comparing(alike: list[int], outcomes: Sequence[Outcome]) -> Iterable[tuple[int, int]]:
    """Pairs among which every chain can be found: of real scalars, neighbours are enough."""
    if all(type(outcomes[number].value) in (bool, int, float) for number in alike):
        real = [n for n in alike if not math.isnan(outcomes[n].value)]
        real.sort(key=lambda number: outcomes[number].value)
        return itertools.pairwise(real)
    return ((one, other) for at, one in enumerate(alike) for other in alike[at + 1 :])


_NUMBERS = frozenset({bool, int, float, complex, decimal.Decimal, fractions.Fraction})


def _key(value: Any) -> Hashable:
    """A hashable stand-in, equal for values that `==` calls equal, NaN included."""
    kind = type(value)
    if kind in _NUMBERS:
        return "nan" if value != value else ("number", value)
    if value is None or kind is str:
        return value, kind
    if kind is list or kind is tuple:
        return kind, tuple(map(_key, value))
    if isinstance(value, dict):
        return dict, frozenset((_key(k), _key(v)) for k, v in value.items())
    if kind is set or kind is frozenset:
        return set, frozenset(map(_key, value))
    if kind is Reference:
        return Reference, value.type_name, value.shown
    if kind is bytes or kind is bytearray:
        return bytes, bytes(value)
    if isinstance(value, np.ndarray | np.generic):
        return np.ndarray, value.shape, _key(value.tolist())
    return kind, repr(value)


def _shape(value: Any) -> Hashable:
    """As `_key`, but every number that may be close to another looks the same."""
    kind = type(value)
    if kind in _NUMBERS:
        return "number"
    if kind is list or kind is tuple:
        return kind, tuple(map(_shape, value))
    if isinstance(value, dict):
        return dict, frozenset((_key(k), _shape(v)) for k, v in value.items())
    if isinstance(value, np.ndarray | np.generic):
        return np.ndarray, value.shape
    return _key(value)


def _has_float(value: Any) -> bool:
    kind = type(value)
    if kind is float or kind is complex:
        return True
    if kind is list or kind is tuple:
        return any(map(_has_float, value))
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fc"
