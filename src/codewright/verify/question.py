"""The clarifying question: the plainest input on which the two leading readings differ.

It is asked only where a reply could change something: two classes that both satisfy every example
that any class satisfies, the second not too light. The input is then made as small as it can be
(see `shrink.py`) while both programs still return, and return different things.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from codewright.types.behaviour import BehaviourClass, Call, Outcome, Question
from codewright.verify.behaviour import Relation, labels
from codewright.verify.inputs import Budget, diversify
from codewright.verify.shrink import plainness, shrink

Pair = Callable[[int, int, Sequence[Call]], tuple[Sequence[Outcome], Sequence[Outcome]]]
"""Runs two candidates on calls: their outcomes."""

LEAST_MASS = 0.1
"""A class of less is no reading worth a question, beside one of at least twice that."""

_ROUNDS, _BATCH, _HUNTS = 12, 40, 4


def question(
    classes: Sequence[BehaviourClass], calls: Sequence[Call], run: Pair
) -> Question | None:
    """Returns what to ask; None where one reading is left, or nothing separates the two.

    Args:
        classes: the chosen one first.
        calls: on which `outcomes` of the classes were seen.
    """
    rivals = [number for number in range(1, len(classes)) if _rivals(classes[0], classes[number])]
    for other in sorted(rivals, key=lambda number: -classes[number].mass):
        one, two = classes[0], classes[other]
        pair = (one.representative, two.representative)
        seen = list(zip(calls, one.outcomes, two.outcomes, strict=True))
        splitting = [call for call, mine, theirs in seen if _both_return(mine, theirs)]
        known = [call for call, mine, theirs in seen if mine.kind == theirs.kind == "value"]
        splitting = splitting or _hunted(known, pair, run)
        splitting = splitting or [call for call, mine, theirs in seen if _different(mine, theirs)]
        plain = _plainest(splitting, pair, run) if splitting else None
        if plain is not None:
            call, choices = plain
            return Question(call=call, classes=(0, other), choices=choices)
    return None


def _hunted(known: Sequence[Call], pair: tuple[int, int], run: Pair) -> list[Call]:
    """Calls like the known from which both programs return, different things."""

    def split(calls: Sequence[Call]) -> list[list[int]]:
        first, second = run(*pair, calls)
        apart = [
            int(_both_return(mine, theirs)) for mine, theirs in zip(first, second, strict=True)
        ]
        return [[0] * len(apart), apart]

    for seed in range(_HUNTS):
        found = diversify(known, split, Budget(calls=0, rounds=1, per_round=_BATCH, seed=seed))
        apart = split(found)[1] if found else []
        if any(apart):
            return [call for call, is_apart in zip(found, apart, strict=True) if is_apart]
    return []


def _rivals(one: BehaviourClass, two: BehaviourClass) -> bool:
    return (
        two.examples_held >= one.examples_held
        and (two.mass >= LEAST_MASS or two.mass >= one.mass / 2)
        and any(outcome.kind == "value" for outcome in two.outcomes)
    )


def _different(mine: Outcome, theirs: Outcome) -> bool:
    """Whether an example could tell them apart: it says nothing of side effects."""
    table = labels([[mine], [theirs]], Relation(printed=False, changed=False))
    return bool(table[0, 0] != table[1, 0])


def _both_return(mine: Outcome, theirs: Outcome) -> bool:
    return mine.kind == theirs.kind == "value" and _different(mine, theirs)


def _plainest(
    splitting: Sequence[Call], pair: tuple[int, int], run: Pair
) -> tuple[Call, tuple[Outcome, Outcome]] | None:
    both = _both_return
    seen: dict[int, tuple[Outcome, Outcome]] = {}

    def differ(calls: Sequence[Call]) -> list[bool]:
        first, second = run(*pair, calls)
        for call, mine, theirs in zip(calls, first, second, strict=True):
            seen[id(call)] = (mine, theirs)
        return [both(mine, theirs) for mine, theirs in zip(first, second, strict=True)]

    start = min(splitting, key=plainness)
    if not differ([start])[0]:
        both = _different
        if not differ([start])[0]:
            return None
    call = shrink(start, differ, rounds=_ROUNDS, batch=_BATCH)
    return call, seen[id(call)]
