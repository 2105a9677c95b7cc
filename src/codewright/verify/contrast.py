"""Which inputs to show to a person: the few, plain ones on which the heaviest classes differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from codewright.types.behaviour import Answer, BehaviourClass
from codewright.verify.behaviour import Labels, labels
from codewright.verify.show import call_text, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A table of some calls of an answer (numbers in `rows`) by its first classes.

    `marks` holds, for each row, a number per class: equal numbers, the same outcome.
    """

    rows: tuple[int, ...]
    classes: int
    marks: tuple[tuple[int, ...], ...]


def contrast(answer: Answer, *, classes: int, rows: int) -> Contrast:
    """Returns the calls that tell the first classes apart.

    The question's call stands first. Then comes, again and again, the call that parts most of the
    mass that is still together, of equals the shortest; at the end, calls that part the classes in
    yet another way.

    Args:
        classes: most classes to compare.
        rows: most calls to return.
    """
    shown = answer.classes[:classes]
    if not answer.calls or len(shown) < 2:
        return Contrast(rows=(), classes=len(shown), marks=())
    table = labels([each.outcomes for each in shown])
    lengths = [len(call_text(call, "", 400)) for call in answer.calls]
    order = sorted(range(len(answer.calls)), key=lambda number: (lengths[number], number))
    asked = None
    if answer.question is not None:
        asked = place_of(answer.question.call, answer.calls)
    chosen = [] if asked is None else [asked]
    chosen = _parting(table, shown, order, chosen, rows)
    patterns = {tuple(table[:, number]) for number in chosen}
    for number in order:
        pattern = tuple(table[:, number])
        if len(chosen) < rows and len(set(pattern)) > 1 and pattern not in patterns:
            patterns.add(pattern)
            chosen.append(number)
    marks = tuple(tuple(int(mark) for mark in table[:, number]) for number in chosen)
    return Contrast(rows=tuple(chosen), classes=len(shown), marks=marks)


def _parting(
    table: Labels,
    shown: Sequence[BehaviourClass],
    order: Sequence[int],
    chosen: list[int],
    rows: int,
) -> list[int]:
    """`chosen`, and the calls that part what it leaves together, the most mass first."""
    together = {
        pair: shown[pair[0]].mass * shown[pair[1]].mass
        for pair in combinations(range(len(shown)), 2)
    }

    def parted(number: int) -> list[tuple[int, int]]:
        return [pair for pair in together if table[pair[0], number] != table[pair[1], number]]

    for number in chosen:
        for pair in parted(number):
            del together[pair]
    while together and len(chosen) < rows:
        best = max(order, key=lambda number: sum(together[pair] for pair in parted(number)))
        pairs = parted(best)
        if not pairs:
            break
        chosen.append(best)
        for pair in pairs:
            del together[pair]
    return chosen
