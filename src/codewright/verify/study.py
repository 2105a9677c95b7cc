"""Makes inputs for a function and lets every candidate meet them.

Inputs come from the examples, the annotations and the model's tests, and from variations of these
(see `inputs.py`). Those that separate candidates are varied further. In the end inputs are left
out that the function is not for. What follows from it all is for `assess.py`.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from codewright.types.behaviour import Call, Inputs, Observation, Observer, Outcome
from codewright.types.judging import CallPair, Candidate, Limits
from codewright.verify.asserts import WrittenTest, parse_test
from codewright.verify.behaviour import OBSERVING, Relation, labels, observe
from codewright.verify.calls import distinct
from codewright.verify.case import Case, case, in_scope
from codewright.verify.inputs import Budget, diversify, seeds
from codewright.verify.literals import source_of
from codewright.verify.signature import signature
from codewright.verify.trust import Trust

Watch = Callable[[str, int, int], None]
"""Told the name of a stage, how much of it is done, and how much there is."""

MOST_TEST_CALLS = 300

_MOST_LATE = 5
_PILOT, _PILOT_SECONDS, _HOPELESS = 8, 0.01, 0.9
_LATE = Outcome(kind="timeout", wire=b"timeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """How candidates are weighed.

    method: one of `select.METHODS`. calls: inputs at most, beside those of the model's tests.
    rounds: of the search for inputs that separate. call_seconds: CPU time of one call.
    limits: of all calls of one program. trust: None takes the weights that are shipped.
    """

    method: str = "best"
    calls: int = 100
    rounds: int = 3
    seed: int = 0
    call_seconds: float = 0.05
    limits: Limits = field(default_factory=lambda: OBSERVING)
    relation: Relation = field(default_factory=Relation)
    trust: Trust | None = None
    ask: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """Candidates and what they did: the case, its calls, and outcomes (candidates x calls)."""

    case: Case
    calls: tuple[Call, ...]
    observed: tuple[tuple[Outcome, ...], ...]
    left_out: int


def study(
    prompt: str,
    entry_point: str,
    candidates: Sequence[Candidate],
    *,
    executor: Observer,
    examples: Sequence[CallPair] = (),
    tests: Sequence[str] = (),
    settings: Assessment,
    watch: Watch = lambda stage, done, total: None,
) -> Studied:
    """Makes inputs and observes the candidates on them; raises as `assess`."""
    counts = Counter(tests)
    parsed = {text: test for text in counts if (test := parse_test(text, entry_point)) is not None}
    budget = Budget(calls=settings.calls, rounds=settings.rounds, seed=settings.seed)
    calls = _calls(
        _shown(prompt, entry_point, candidates), entry_point, examples, parsed, counts, budget
    )
    bench = _Bench(entry_point, candidates, executor, settings, watch)
    bench.meet(calls)
    if settings.rounds and len(candidates) > 1:
        # What the tests call has to stay, however many there are.
        budget = replace(budget, calls=len(calls) + settings.rounds * budget.per_round)
        calls = diversify(calls, bench.split, budget)
    kept = bench.numbers(calls)
    rows = [[row[number] for number in kept] for row in bench.rows]
    made = [bench.calls[number] for number in kept]
    # Who has used up its time has no say in what the function is for.
    scope = in_scope(
        [rows[at] for at in bench.in_time], [call.source == "example" for call in made]
    )
    known = case(candidates, entry_point, made, rows, bench.table[:, kept], scope=scope,
                 examples=examples, tests=parsed, counts=counts)  # fmt: skip
    return Studied(
        case=known,
        calls=tuple(made[number] for number in scope),
        observed=tuple(tuple(row[number] for number in scope) for row in rows),
        left_out=len(bench.slow) + len(made) - len(scope),
    )


def _shown(prompt: str, entry_point: str, candidates: Sequence[Candidate]) -> str:
    """Where a signature can be read: the prompt, or else one that most candidates have."""
    if signature(prompt, entry_point) is not None:
        return prompt
    heads: Counter[str] = Counter()
    for each in candidates:
        head = _head(each.program, each.entry_point or entry_point)
        if head:
            heads[head.replace(each.entry_point or entry_point, entry_point, 1)] += 1
    most = heads.most_common(1)
    return f"{most[0][0]}\n    ...\n" if most else prompt


def _head(program: str, entry_point: str) -> str:
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == entry_point:
            bare = ast.FunctionDef(
                name=node.name, args=node.args, body=[ast.Pass()], decorator_list=[],
                returns=node.returns, lineno=1, col_offset=0,
            )  # fmt: skip
            return source_of(bare).rpartition("\n")[0]
    return ""


def _calls(
    prompt: str,
    entry_point: str,
    examples: Sequence[CallPair],
    parsed: Mapping[str, WrittenTest],
    counts: Counter[str],
    budget: Budget,
) -> list[Call]:
    """Inputs to begin with: seeds, and whatever else the examples and the model's tests call."""
    written = [parsed[text] for text in parsed for _ in range(counts[text])]
    calls = seeds(prompt, entry_point, examples=examples, tests=written, budget=budget)
    asked = [Call(args=p.args, kwargs=p.kwargs, source="example") for p in examples]
    asked += [
        call for text in sorted(parsed, key=lambda t: -counts[t]) for call in parsed[text].calls
    ]
    return [*calls, *list(distinct(asked, calls))[:MOST_TEST_CALLS]]


def _is_stubborn(seen: Observation) -> bool:
    """Whether the program had to be ended from outside, late over and over."""
    late = sum(outcome.kind == "timeout" for outcome in seen.outcomes)
    return bool(seen.message) and late >= _MOST_LATE and seen.outcomes[-1].kind == "timeout"


class _Bench:
    """Candidates that meet calls, batch by batch; what they did is kept.

    A program that has used up its time is late on whatever comes later, and is not run again.
    """

    def __init__(
        self,
        entry_point: str,
        candidates: Sequence[Candidate],
        executor: Observer,
        settings: Assessment,
        watch: Watch,
    ) -> None:
        self._programs = [each.program for each in candidates]
        self._entry_points = [each.entry_point or entry_point for each in candidates]
        self._executor = executor
        self._settings = settings
        self._watch = watch
        self.calls: list[Call] = []
        self.rows: list[list[Outcome]] = [[] for _ in candidates]
        self.slow: set[int] = set()
        self._used: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._spent: set[tuple[str, str]] = set()
        self.table = np.zeros((len(candidates), 0), dtype=np.int32)

    def meet(self, calls: Sequence[Call]) -> None:
        """Lets every candidate meet the calls, but for those that take a few of them too long."""
        slow = self._slow(calls)
        quick = [call for call, late in zip(calls, slow, strict=True) if not late]
        self._watch("running", 0, len(self._programs))
        seen = self._observe(self._programs, self._entry_points, quick, most_late=_MOST_LATE)
        self._watch("running", len(self._programs), len(self._programs))
        fresh = np.zeros((len(seen), len(calls)), dtype=np.int32)
        if seen:
            fresh[:, [not late for late in slow]] = labels(
                [observation.outcomes for observation in seen], self._settings.relation
            )
        for row, observation in zip(self.rows, seen, strict=True):
            outcomes = iter(observation.outcomes)
            row += [_LATE if late else next(outcomes) for late in slow]
        self.slow |= {len(self.calls) + at for at, late in enumerate(slow) if late}
        self.calls += calls
        self.table = np.concatenate([self.table, fresh], axis=1)

    def _observe(
        self, programs: Sequence[str], names: Sequence[str], calls: Sequence[Call], most_late: int
    ) -> list[Observation]:
        seconds = self._settings.call_seconds if most_late == _MOST_LATE else _PILOT_SECONDS
        inputs = Inputs(calls=tuple(calls), call_seconds=seconds, most_late=most_late)
        pairs = list(zip(programs, names, strict=True))
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in self._spent]
        made = observe(
            self._executor, [p for p, _ in fresh], [n for _, n in fresh], inputs,
            self._settings.limits,
        )  # fmt: skip
        for pair, seen in zip(fresh, made, strict=True):
            self._used[pair] += seen.cpu_seconds
            if _is_stubborn(seen) or self._used[pair] >= self._settings.limits.cpu_seconds:
                self._spent.add(pair)
        late = Observation(outcomes=(_LATE,) * len(calls))
        known = dict(zip(fresh, made, strict=True))
        return [known.get(pair, late) for pair in pairs]

    def _slow(self, calls: Sequence[Call]) -> list[bool]:
        """Which calls two of a few candidates do not finish at once; an example is never slow.

        Such a call would cost many candidates their time, and would say which are slow, not which
        are right. One candidate has no veto, and one that is late on nearly all calls is no
        measure of them. Which few are asked does not depend on the order of the candidates.
        """
        few = sorted(
            set(zip(self._programs, self._entry_points, strict=True)),
            key=lambda pair: hashlib.sha256(pair[0].encode("utf-8", "surrogatepass")).digest(),
        )[:_PILOT]
        seen = self._observe(
            [program for program, _ in few], [name for _, name in few], calls, most_late=len(calls)
        )
        late = np.array([[o.kind == "timeout" for o in each.outcomes] for each in seen], dtype=bool)
        late = late.reshape(len(few), len(calls))
        fair = late[late.mean(axis=1) < _HOPELESS] if len(calls) else late
        some: list[bool] = (fair.sum(axis=0) >= 2).tolist()
        return [call.source != "example" and slow for call, slow in zip(calls, some, strict=True)]

    def split(self, calls: Sequence[Call]) -> list[list[int]]:
        """Labels on calls, for `diversify`; calls that were met are not made again."""
        at = {id(call): number for number, call in enumerate(self.calls)}
        fresh = [call for call in calls if id(call) not in at]
        if fresh:
            self.meet(fresh)
            at = {id(call): number for number, call in enumerate(self.calls)}
        table: list[list[int]] = self.table[:, [at[id(call)] for call in calls]].tolist()
        return table

    @property
    def in_time(self) -> list[int]:
        """The candidates that have time left."""
        pairs = zip(self._programs, self._entry_points, strict=True)
        return [at for at, pair in enumerate(pairs) if pair not in self._spent]

    def numbers(self, calls: Sequence[Call]) -> list[int]:
        """The places at which calls are that were met."""
        at = {id(call): number for number, call in enumerate(self.calls)}
        return [at[id(call)] for call in calls if at[id(call)] not in self.slow]
