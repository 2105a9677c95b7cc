"""The inputs on which candidates are compared: first many, then those that tell them apart.

`seeds` takes what is known of a function, from its examples, the tests that a model wrote and its
annotations, and adds to it. `diversify` goes on from calls on which the candidates were run: what
separates them is kept and varied further. Nothing here runs a program.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from codewright.types.behaviour import Call
from codewright.types.judging import CallPair
from codewright.verify.asserts import WrittenTest
from codewright.verify.calls import Place, distinct, levelled, places, tied, wire_text
from codewright.verify.hints import from_hints, guesses, inferred
from codewright.verify.mutate import boundaries, mutate, seen
from codewright.verify.signature import Signature, signature

CORE: Final = 20
"""Known calls that are kept as evidence although they separate nothing."""

_TRIES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many inputs may be made.

    calls: that are kept. rounds: of `diversify`. per_round: new calls in each.
    """

    calls: int = 100
    rounds: int = 6
    per_round: int = 30
    seed: int = 0


Labels = Sequence[Sequence[int]]
"""Candidates x calls; equal labels in a column mean the same behaviour on that call."""

Split = Callable[[Sequence[Call]], Labels]
"""Runs the candidates on calls."""


def seeds(
    prompt: str,
    entry_point: str,
    *,
    examples: Sequence[CallPair],
    tests: Sequence[WrittenTest],
    budget: Budget,
) -> list[Call]:
    """Returns at most `budget.calls` different calls of a function, the surest first.

    In this order: the examples' ("example"), the tests' by how often they are made ("test"), the
    edges of these ("boundary"), mutations of them ("mutation"), and calls from annotations ("hint")
    or like the known ("inferred"). Tests take at most two fifths, edges a sixth, drawn calls a
    fifth, if there is enough of the others. A test's call of other types than the examples' is left
    out. Where nothing is known, all are drawn from the annotations or guessed.
    """
    shown = signature(prompt, entry_point)
    given = [Call(args=p.args, kwargs=dict(p.kwargs), source="example") for p in examples]
    made = [call for test in tests for call in test.calls]
    if shown is not None:
        given = [_by_position(call, shown) for call in given]
        made = [_by_position(call, shown) for call in made if shown.accepts(call.args, call.kwargs)]
    tested = [call for call in _by_frequency(made) if not given or _is_like(call, given)]
    room = budget.calls
    known = list(distinct(given))[:room]
    known += list(distinct(tested, known))[: min(room - len(known), max(1, room * 2 // 5))]
    edges = list(distinct(boundaries(known), known))[: min(room - len(known), room // 6)]
    drawn = from_hints(prompt, entry_point, room, budget.seed, known)
    drawn = drawn or inferred(known, room, budget.seed)
    if not drawn and not known:
        drawn = guesses(shown.required or len(shown.names) if shown else 1, budget.seed)
    drawn = list(distinct(drawn, [*known, *edges]))
    rest = room - len(known) - len(edges)
    wanted = max(0, rest - min(len(drawn), room // 5))
    varied = list(distinct(_mutations(known, wanted, budget.seed), [*known, *edges]))
    chosen = [*known, *edges, *varied[:wanted]]
    return [*chosen, *distinct(drawn, chosen)][:room]


def _by_position(call: Call, shown: Signature) -> Call:
    """The call with what it gives by keyword moved to its position, as far as that goes."""
    args = list(call.args)
    kwargs = dict(call.kwargs)
    for name in shown.names[len(args) :]:
        if name not in kwargs:
            break
        args.append(kwargs.pop(name))
    return Call(args=tuple(args), kwargs=kwargs, source=call.source)


def _is_like(call: Call, given: Sequence[Call]) -> bool:
    """Whether each argument is of a type that an example has at its place; numbers are alike."""
    seen_at: dict[Place, set[type]] = {}
    for known in given:
        for place, value in places(known):
            seen_at.setdefault(place, set()).add(_kind(value))
    return all(
        place not in seen_at or _kind(value) in seen_at[place] for place, value in places(call)
    )


def _kind(value: object) -> type:
    return float if type(value) is int else type(value)


def _by_frequency(calls: Iterable[Call]) -> list[Call]:
    """Each call once, the most frequent first; among equals, the first made."""
    count: dict[bytes, int] = {}
    first: dict[bytes, Call] = {}
    for call in calls:
        text = wire_text(call)
        if text is not None:
            count[text] = count.get(text, 0) + 1
            first.setdefault(text, call)
    return [first[text] for text in sorted(first, key=lambda text: -count[text])]


def _mutations(calls: Sequence[Call], count: int, seed: int) -> list[Call]:
    """Up to `count` different mutations; each call has its turn."""
    if not calls or count <= 0:
        return []
    rng = random.Random(f"mutations {seed}")
    known, level = seen(calls), tied(calls)
    made = (
        levelled(mutate(calls[n % len(calls)], known, rng), level) for n in range(count * _TRIES)
    )
    return list(distinct(made, calls))[:count]


def diversify(known: Sequence[Call], split: Split, budget: Budget) -> list[Call]:
    """Returns calls that separate the candidates at least as well as `known`, after a search.

    Round by round, mutations of the calls that separated something and fresh values of the same
    kind are run; those that refine the partition of the candidates stay. It ends with a round that
    refines nothing, or with the budget, or when no two candidates are alike. The known come first.
    Known calls that separate nothing are left out beyond the first `CORE`, as far as
    `budget.calls` asks for it; what separates is never left out.
    """
    calls = list(distinct(known))
    if not calls:
        return []
    state = _Partition(split(calls))
    splitting = [call for number, call in enumerate(calls) if state.add(number)]
    kept: list[Call] = []
    asked = list(calls)
    rng = random.Random(f"diversify {budget.seed}")
    level = tied(calls)
    for number in range(budget.rounds):
        if state.complete:
            break
        parents = splitting[-CORE:] or calls
        fresh = inferred(calls, budget.per_round // 4, budget.seed * budget.rounds + number)
        around = seen([*calls, *kept])
        varied = (
            levelled(
                mutate(rng.choice(parents if rng.random() < 0.75 else calls), around, rng), level
            )
            for _ in range(budget.per_round * _TRIES)
        )
        batch = list(distinct([*fresh, *varied], asked))[: budget.per_round]
        if not batch:
            break
        asked += batch
        state.extend(split(batch))
        found = [call for place, call in enumerate(batch) if state.add(place)]
        if not found:
            break
        splitting += found
        kept += found
    return _within(calls, kept, splitting, budget.calls)


def _within(
    calls: Sequence[Call], kept: Sequence[Call], splitting: Sequence[Call], most: int
) -> list[Call]:
    needed = {wire_text(call) for call in splitting}
    core = {wire_text(call) for call in calls[:CORE]}
    room = most - len(kept) - sum(wire_text(call) in needed | core for call in calls)
    chosen = []
    for call in calls:
        if wire_text(call) in needed | core:
            chosen.append(call)
        elif room > 0:
            chosen.append(call)
            room -= 1
    return [*chosen, *kept]


class _Partition:
    """The classes of candidates that columns of labels separate, refined column by column."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._class_of: list[int] = [0] * len(labels)
        self._classes = min(1, len(labels))

    @property
    def complete(self) -> bool:
        return self._classes == len(self._class_of)

    def extend(self, labels: Labels) -> None:
        """Goes on with the columns of other calls.

        The candidates are the same, in the same order.
        """
        assert len(labels) == len(self._class_of)
        self._labels = labels

    def add(self, column: int) -> bool:
        """Refines the classes by a column; whether it separated any."""
        numbers: dict[tuple[int, int], int] = {}
        refined = [
            numbers.setdefault((before, row[column]), len(numbers))
            for before, row in zip(self._class_of, self._labels, strict=True)
        ]
        separated = len(numbers) > self._classes
        self._class_of, self._classes = refined, len(numbers)
        return separated


def minimise(calls: Sequence[Call], labels: Labels) -> list[int]:
    """Returns the numbers of a few calls that give the same partition as all, the best first.

    Greedy: the call that separates most beyond those chosen, until the classes are all there;
    then whatever the later ones made needless is left out. Empty where nothing is separated.
    """
    whole = _classes(labels, range(len(calls)))
    chosen: list[int] = []
    while _classes(labels, chosen) < whole:
        chosen.append(max(range(len(calls)), key=lambda n: (_classes(labels, [*chosen, n]), -n)))
    for number in list(chosen):
        others = [other for other in chosen if other != number]
        if _classes(labels, others) == whole:
            chosen = others
    return chosen


def _classes(labels: Labels, columns: Iterable[int]) -> int:
    picked = list(columns)
    return len({tuple(row[column] for column in picked) for row in labels})
