"""Everything that is known about the candidates for one function once they have been observed.

A case holds arrays only: candidates x calls, candidates x examples, candidates x tests. What is
concluded from them is for `select.py` and `trust.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from codewright.sandbox.compare import values_match
from codewright.types.behaviour import Call, Outcome
from codewright.types.judging import CallPair, Candidate
from codewright.verify.asserts import WrittenTest
from codewright.verify.behaviour import Labels, classes
from codewright.verify.calls import wire_text
from codewright.verify.static import static

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

TOLERANCE = 1e-6

_LEAST_VALUES = 0.5
_MOST_LATE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Candidates for one function, and what they did.

    Shapes: n candidates, c calls, e examples, t model-written tests (different ones).
        table (n, c): labels of outcomes. values (n, c): whether the call returned.
        held (n, e): whether the example holds. passes (n, t): whether the test holds.
        counts (t,): how often the model wrote the test. weights (c,): how much a call counts,
        summing to 1: calls that tests make often count for more. nodes (n,): size of the program.
        texts (n,): equal for equal programs. normed (n,): length-normalised log-probability; nan
        where there is none.
    classes: candidates with equal rows of `table`.
    """

    table: Labels
    values: Bools
    held: Bools
    passes: Bools
    counts: Floats
    weights: Floats
    nodes: Floats
    texts: Floats
    normed: Floats
    classes: tuple[tuple[int, ...], ...]

    @property
    def n(self) -> int:
        """The number of candidates."""
        return len(self.table)

    @property
    def live(self) -> Bools:
        """Candidates, shape (n,), that returned from at least one call."""
        return np.asarray(self.values.any(axis=1), dtype=np.bool_)

    def subset(self, rows: Sequence[int]) -> Self:
        """The case of some of the candidates, on the same calls."""
        at = np.asarray(rows, dtype=np.intp)
        table = self.table[at]
        return replace(
            self,
            table=table,
            values=self.values[at],
            held=self.held[at],
            passes=self.passes[at],
            nodes=self.nodes[at],
            texts=self.texts[at],
            normed=self.normed[at],
            classes=tuple(classes(table)),
        )

    def without_examples(self) -> Case:
        """The same case, blind to whether examples hold."""
        return replace(self, held=self.held[:, :0])

    def without_tests(self) -> Case:
        """The same case, blind to the model's tests."""
        return replace(self, passes=self.passes[:, :0], counts=self.counts[:0])


def in_scope(observed: Sequence[Sequence[Outcome]], kept: Sequence[bool]) -> list[int]:
    """The numbers of the calls on which candidates can be compared.

    A call that most candidates refuse lies outside what the function is for, and one that many do
    not finish says which are slow: neither says which are right. Candidates that return from no
    call have no say.

    Args:
        observed: outcomes, candidates x calls.
        kept: calls that stay whatever candidates make of them, one flag per call.
    """
    live = [row for row in observed if any(outcome.kind == "value" for outcome in row)]
    numbers = range(len(kept))
    if not live:
        return list(numbers)
    chosen = []
    for call in numbers:
        kinds = Counter(row[call].kind for row in live)
        late = kinds["timeout"] / len(live)
        if kept[call] or (kinds["value"] / len(live) >= _LEAST_VALUES and late <= _MOST_LATE):
            chosen.append(call)
    return chosen or list(numbers)


def case(
    candidates: Sequence[Candidate],
    entry_point: str,
    calls: Sequence[Call],
    observed: Sequence[Sequence[Outcome]],
    table: Labels,
    *,
    scope: Sequence[int],
    examples: Sequence[CallPair] = (),
    tests: Mapping[str, WrittenTest] | None = None,
    counts: Mapping[str, int] | None = None,
) -> Case:
    """The case of candidates that were observed.

    Args:
        calls: that were made, with those of the examples and tests among them; examples and tests
            that made others are left out.
        observed: outcomes, candidates x calls. table: their labels.
        scope: numbers of the calls that form the classes.
        tests, counts: by source text, the test and how often it was written.
    """
    place = {wire_text(call): number for number, call in enumerate(calls)}
    tests, counts = tests or {}, counts or {}
    usable = {}
    for source, test in tests.items():
        made = [place.get(wire_text(call)) for call in test.calls]
        if None not in made:
            usable[source] = [at for at in made if at is not None]
    pairs = [(place.get(wire_text(Call(args=p.args, kwargs=p.kwargs))), p) for p in examples]
    held = [_held(observed, at, pair) for at, pair in pairs if at is not None]
    passes = [_passed(observed, at, tests[source]) for source, at in usable.items()]
    often = np.array([counts.get(source, 1) for source in usable], dtype=np.float64)
    weights = np.full(len(calls), 0.5)
    for count, at in zip(often, usable.values(), strict=True):
        weights[at] += count
    weights = weights[list(scope)]
    # Its own memory: the rows are read as bytes.
    table = np.ascontiguousarray(table[:, list(scope)])
    values = [[row[at].kind == "value" for at in scope] for row in observed]
    n = len(candidates)
    numbers = {program: k for k, program in enumerate({c.program: 0 for c in candidates})}
    return Case(
        table=table,
        values=np.array(values, dtype=np.bool_).reshape(n, len(scope)),
        held=np.array(held, dtype=np.bool_).reshape(len(held), n).T,
        passes=np.array(passes, dtype=np.bool_).reshape(len(passes), n).T,
        counts=often,
        weights=weights / max(float(weights.sum()), 1e-9),
        nodes=np.array(
            [static(c.program, c.entry_point or entry_point).nodes for c in candidates],
            dtype=np.float64,
        ),
        texts=np.array([numbers[c.program] for c in candidates], dtype=np.float64),
        normed=np.array([_normed(candidate) for candidate in candidates]),
        classes=tuple(classes(table)),
    )


def _held(observed: Sequence[Sequence[Outcome]], at: int, pair: CallPair) -> list[bool]:
    known: dict[bytes, bool] = {}
    for row in observed:
        outcome = row[at]
        if outcome.wire not in known:
            known[outcome.wire] = outcome.kind == "value" and values_match(
                outcome.value, pair.expected, TOLERANCE, loose_sequences=True
            )
    return [known[row[at].wire] for row in observed]


def _passed(
    observed: Sequence[Sequence[Outcome]], at: Sequence[int], test: WrittenTest
) -> list[bool]:
    known: dict[tuple[bytes, ...], bool] = {}
    said = []
    for row in observed:
        outcomes = [row[number] for number in at]
        key = tuple(outcome.wire for outcome in outcomes)
        if key not in known:
            known[key] = test.holds(outcomes)
        said.append(known[key])
    return said


def _normed(candidate: Candidate) -> float:
    if candidate.log_probability is None or candidate.tokens < 1:
        return float("nan")
    return candidate.log_probability / candidate.tokens
