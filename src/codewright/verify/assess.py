"""From candidates to an answer that knows its worth.

    study      every candidate meets every input (see `study.py`)
    select     a method orders the classes; learned weights say how likely each is right
    question   where two readings remain, the plainest input that tells them apart

No generator is asked and no test of the user's is run here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from codewright.types.behaviour import Answer, BehaviourClass, Call, Inputs, Observer, Outcome
from codewright.types.judging import CallPair, Candidate
from codewright.verify.behaviour import observe
from codewright.verify.case import Case
from codewright.verify.entropy import (
    probability_masses,
    rao_blackwell_entropy,
    semantic_entropy,
    text_entropy,
)
from codewright.verify.question import Pair, question
from codewright.verify.select import Group, select
from codewright.verify.study import Assessment, Studied, Watch, study
from codewright.verify.trust import Trust, shipped

_SOURCES: Mapping[str, str] = {
    "example": "from the examples",
    "test": "from the model's tests",
    "hint": "from the annotations",
    "inferred": "like those that are known",
    "boundary": "at the edges",
    "mutation": "variations",
    "": "given",
}


def assess(
    prompt: str,
    entry_point: str,
    candidates: Sequence[Candidate],
    *,
    executor: Observer,
    examples: Sequence[CallPair] = (),
    tests: Sequence[str] = (),
    settings: Assessment | None = None,
    watch: Watch = lambda stage, done, total: None,
) -> Answer:
    """Chooses among candidates and says how far to trust the choice.

    Args:
        prompt: what the candidates were written for; its examples and annotations are read.
        entry_point: what to call, where a candidate names nothing else.
        examples: the user's.
        tests: assertions that a model wrote, repeated as often as it wrote them.
        watch: told how far each stage is.

    Raises:
        MachineError: as `executor` raises.
    """
    settings = settings or Assessment()
    trust = settings.trust or shipped()
    studied = study(prompt, entry_point, candidates, executor=executor, examples=examples,
                    tests=tests, settings=settings, watch=watch)  # fmt: skip
    known = studied.case
    chances = trust.probabilities(known)
    groups = select(known, settings.method, list(chances))
    return _answer(
        entry_point, candidates, examples, settings, studied, groups, trust,
        _asker(entry_point, candidates, executor, settings),
    )  # fmt: skip


def _answer(
    entry_point: str,
    candidates: Sequence[Candidate],
    examples: Sequence[CallPair],
    settings: Assessment,
    studied: Studied,
    groups: Sequence[Group],
    trust: Trust,
    runner: Pair,
) -> Answer:
    known = studied.case
    classes = _classes(candidates, studied, groups, len(examples))
    programs = [candidate.program for candidate in candidates]
    likely = _likelihoods(candidates, known)
    sizes = [len(each.members) for each in classes]
    chosen = classes[0].representative if groups else None
    confidence = trust.confidence(known, groups[0].members) if groups else 0.0
    asked = question(classes, studied.calls, runner) if settings.ask and groups else None
    return Answer(
        chosen=chosen,
        program=programs[chosen] if chosen is not None else "",
        entry_point=(candidates[chosen].entry_point if chosen is not None else "") or entry_point,
        state=trust.state(known, confidence) if groups else "abstain",
        confidence=confidence,
        entropy=semantic_entropy(sizes) if sizes else 0.0,
        probability_entropy=(
            rao_blackwell_entropy(known.classes, *likely, texts=[c.text for c in candidates])
            if likely
            else None
        ),
        text_entropy=text_entropy(programs) if programs else 0.0,
        classes=classes,
        calls=studied.calls,
        candidates=len(candidates),
        examples=len(examples),
        method=settings.method,
        question=asked,
        findings=_findings(studied, classes if groups else (), known),
    )


def _classes(
    candidates: Sequence[Candidate], studied: Studied, groups: Sequence[Group], examples: int
) -> tuple[BehaviourClass, ...]:
    """All classes: in the method's order, then those that cannot be chosen."""
    known = studied.case
    score = {row: group.score for group in groups for row in group.members}
    place = {row: number for number, group in enumerate(groups) for row in group.members}
    likely = _likelihoods(candidates, known)
    masses = (
        probability_masses(known.classes, *likely, texts=[c.text for c in candidates])
        if likely
        else None
    )
    texts = Counter(candidate.program for candidate in candidates)
    made = []
    for number, members in enumerate(known.classes):
        first = min(members, key=lambda row: _rank(candidates[row], texts, known, row))
        best = (
            min((place[row], row) for row in members if row in place)
            if any(row in place for row in members)
            else (len(place), members[0])
        )
        made.append((best[0], -len(members), members[0], BehaviourClass(
            members=members,
            representative=first,
            outcomes=studied.observed[first],
            mass=len(members) / known.n,
            probability_mass=masses[number] if masses is not None else None,
            score=max((score[row] for row in members if row in score), default=0.0),
            examples_held=int(known.held[members[0]].sum()) if examples else 0,
        )))  # fmt: skip
    return tuple(each[-1] for each in sorted(made, key=lambda each: each[:3]))


def _rank(
    candidate: Candidate, texts: Counter[str], known: Case, row: int
) -> tuple[float, int, int, int]:
    """The representative is the likeliest, the most often written, the shortest, the first."""
    normed = known.normed[row]
    likely = 0.0 if np.isnan(normed) else -float(normed)
    return likely, -texts[candidate.program], len(candidate.program), row


def _likelihoods(
    candidates: Sequence[Candidate], known: Case
) -> tuple[list[float], list[int]] | None:
    """Log-probabilities and tokens; None unless there are candidates and all of them have both."""
    if not len(known.normed) or np.isnan(known.normed).any():
        return None
    return [c.log_probability or 0.0 for c in candidates], [c.tokens for c in candidates]


def _findings(studied: Studied, classes: Sequence[BehaviourClass], known: Case) -> tuple[str, ...]:
    """What was checked and seen, as sentences."""
    made = Counter(call.source for call in studied.calls)
    kinds = ", ".join(f"{count} {_SOURCES[source]}" for source, count in made.most_common())
    told = [f"every candidate met {len(studied.calls)} inputs ({kinds})"]
    if studied.left_out:
        told.append(
            f"{studied.left_out} inputs were left out: most candidates refuse them or take too long"
        )
    dead = Counter(
        row[0].exception or row[0].kind
        for row, live in zip(studied.observed, known.live, strict=True)
        if not live and row
    )
    if dead:
        why = ", ".join(f"{name} {count}" for name, count in dead.most_common(4))
        told.append(f"candidates that return from no input: {sum(dead.values())} ({why})")
    if classes:
        told += _habits(classes[0].outcomes)
    return tuple(told)


def _habits(outcomes: Sequence[Outcome]) -> list[str]:
    """What a user should know of the chosen program's behaviour beside its values."""
    seen = {
        "alters its arguments": sum(bool(outcome.changed) for outcome in outcomes),
        "prints": sum(bool(outcome.output) for outcome in outcomes),
        "raises": sum(outcome.kind == "exception" for outcome in outcomes),
        "does not finish": sum(outcome.kind == "timeout" for outcome in outcomes),
        "does not do the same twice": sum(outcome.kind == "unstable" for outcome in outcomes),
    }
    return [
        f"the chosen program {what} on {count} of {len(outcomes)} inputs"
        for what, count in seen.items()
        if count
    ]


def _asker(
    entry_point: str, candidates: Sequence[Candidate], executor: Observer, settings: Assessment
) -> Pair:
    """Runs two candidates on calls; for the search of a plain question."""

    def run(
        one: int, other: int, calls: Sequence[Call]
    ) -> tuple[Sequence[Outcome], Sequence[Outcome]]:
        pair = [candidates[one], candidates[other]]
        first, second = observe(
            executor,
            [each.program for each in pair],
            [each.entry_point or entry_point for each in pair],
            Inputs(calls=tuple(calls), call_seconds=settings.call_seconds),
            settings.limits,
        )
        return first.outcomes, second.outcomes

    return run
