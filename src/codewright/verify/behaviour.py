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

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codewright.types.behaviour import Inputs, Observation, Observer, Outcome, Probe
from codewright.types.judging import Limits
from codewright.verify.sameness import (
    MOST_DEEP,
    NoKey,
    chained,
    has_float,
    is_deep,
    key,
    numbers,
    shape,
)

OBSERVING = Limits(cpu_seconds=2.0, wall_seconds=1.0, memory_bytes=1 << 30)
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
    # Only a value that has an identity beside its text can be close to another.
    first = {
        number: distinct[wires[0]]
        for number, (identity, wires) in enumerate(exact.items())
        if distinct[wires[0]].kind == "value" and type(identity) is not bytes
    }
    if relation.tolerance > 0 and any(has_float(outcome.value) for outcome in first.values()):
        root = _close(first, relation)
        group = {wire: root.get(number, number) for wire, number in group.items()}
    return group


def _identity(outcome: Outcome, relation: Relation) -> Hashable:
    """Equal for outcomes that are exactly the same; where that cannot be told, their text."""
    if outcome.kind not in ("value", "exception"):
        return outcome.kind
    printed = outcome.output if relation.printed else ""
    if outcome.kind == "exception":
        return "exception", outcome.exception, outcome.loading, printed
    # Each container writes a bracket: few of them are not nested deep.
    if outcome.wire.count(b"[") > MOST_DEEP and is_deep(
        [outcome.value, *(value for _, value in outcome.changed)]
    ):
        return outcome.wire
    try:
        return "value", key(outcome.value), _changes(outcome, relation), printed
    except NoKey:
        return outcome.wire


def _changes(outcome: Outcome, relation: Relation) -> Hashable:
    if not (relation.changed and outcome.changed):
        return ()
    return tuple((place, key(value)) for place, value in outcome.changed)


def _close(outcomes: Mapping[int, Outcome], relation: Relation) -> dict[int, int]:
    """For each outcome the number of the first that chains of close numbers lead to.

    Outcomes of one shape are compared number by number, so that the cost is that of sorting.
    """
    root = {number: number for number in outcomes}
    shapes: dict[Hashable, list[int]] = {}
    for number, outcome in outcomes.items():
        printed = outcome.output if relation.printed else ""
        form = (shape(outcome.value), _changes(outcome, relation), printed)
        shapes.setdefault(form, []).append(number)
    for alike in shapes.values():
        like = outcomes[alike[0]].value
        try:
            rows = [list(numbers(outcomes[number].value, like)) for number in alike]
        except KeyError:  # a NaN among the keys of a dict is found by nobody
            continue
        chains = [chained(column, relation.tolerance) for column in zip(*rows, strict=True)]
        first: dict[tuple[int, ...], int] = {}
        for place, number in enumerate(alike):
            links = tuple(chain[place] for chain in chains if chain)
            root[number] = first.setdefault(links, number)
    return root
