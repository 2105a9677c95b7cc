"""How good is a choice among candidates, and does its confidence mean what it says?

Weights are learned on one half of the benchmark's problems and used on the other, both ways round,
so no problem's hidden tests have a say in its own choice. Where a method cannot tell candidates
apart, each of them is what it may choose: scores are expectations over that draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codewright.verify.case import Case
from codewright.verify.entropy import semantic_entropy
from codewright.verify.metrics import (
    auroc,
    bootstrap_interval,
    brier,
    confident_coverage,
    ece,
    risk_coverage,
)
from codewright.verify.select import Group, select
from codewright.verify.trust import Trust, kind_of, shipped

Floats = NDArray[np.float64]

LEAST_PROBLEMS = 40
"""Of fewer solved problems no weights are learned: the shipped ones are used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a method chose for one problem: candidates, their share that is right, confidence.

    others: measures of doubt to compare the confidence with, larger for more sure.
    """

    members: tuple[int, ...]
    right: float
    confidence: float
    state: str
    others: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What a method chose for every problem, in the problems' order.

    random: share of all candidates that are right, by problem; oracle: whether any is.
    weights: where the weights are from.
    """

    method: str
    weights: str
    chosen: Mapping[str, Chosen]
    random: Mapping[str, float]
    oracle: Mapping[str, float]


def halves(names: Sequence[str], seed: int) -> dict[str, int]:
    """Each problem's half, 0 or 1, drawn by seed."""
    order = np.random.default_rng(seed).permutation(len(names))
    return {names[int(place)]: number % 2 for number, place in enumerate(order)}


def cross_fitted(
    cases: Mapping[str, Case],
    truths: Mapping[str, Sequence[bool]],
    seed: int,
    *,
    without: Sequence[str] = (),
) -> tuple[dict[str, Trust], str]:
    """For each problem weights that were learned on the other half, and a word on them.

    Args:
        without: features that are not looked at (`select.FEATURES`).
    """
    names = list(cases)
    if len(names) < LEAST_PROBLEMS:
        trust = shipped()
        return dict.fromkeys(names, trust), "shipped"
    half = halves(names, seed)
    kinds = sorted({kind_of(case) for case in cases.values()})
    fits = []
    for number in (0, 1):
        learn = [name for name in names if half[name] != number]
        fits.append(
            Trust.fit(
                [cases[name] for name in learn],
                [truths[name] for name in learn],
                seed=seed,
                kinds=kinds,
                without=without,
            )
        )
    return {name: fits[half[name]] for name in names}, "learned on the other half of the problems"


def selected(
    method: str,
    cases: Mapping[str, Case],
    truths: Mapping[str, Sequence[bool]],
    trusts: Mapping[str, Trust],
    weights: str,
) -> Selected:
    """What a method chooses for each case, and how that fares."""
    chosen = {}
    for name, case in cases.items():
        right = np.asarray(truths[name], dtype=np.float64)
        trust = trusts[name]
        groups = select(case, method, list(trust.probabilities(case)))
        chosen[name] = _chosen(case, groups, right, trust)
    return Selected(
        method=method,
        weights=weights,
        chosen=chosen,
        random={name: float(np.mean(truths[name])) for name in cases},
        oracle={name: float(any(truths[name])) for name in cases},
    )


def _chosen(case: Case, groups: Sequence[Group], right: Floats, trust: Trust) -> Chosen:
    if not groups:
        # Nothing can be called: whatever is shown is some candidate.
        return Chosen(
            members=(),
            right=float(right.mean()),
            confidence=0.0,
            state="abstain",
            others=_others(case, 1),
        )
    members = groups[0].members
    confidence = trust.confidence(case, members)
    mass = max(len(each) for each in case.classes if set(each) & set(members))
    return Chosen(
        members=members,
        right=float(right[list(members)].mean()),
        confidence=confidence,
        state=trust.state(case, confidence),
        others=_others(case, mass),
    )


def _others(case: Case, mass: int) -> dict[str, float]:
    _, texts = np.unique(case.texts, return_counts=True)
    return {
        "log of class mass": math.log(mass / case.n),
        "number of classes": -float(len(case.classes)),
        "semantic entropy": -semantic_entropy([len(members) for members in case.classes]),
        "text entropy": -semantic_entropy(texts.tolist()),
    }


def summary(result: Selected, *, seed: int = 0) -> dict[str, Any]:
    """The figures of a selection, as JSON can hold them; intervals are 95 % over the problems."""
    chosen = list(result.chosen.values())
    right = np.array([each.right for each in chosen])
    sure = np.array([each.confidence for each in chosen])
    confident = np.array([each.state == "confident" for each in chosen])
    points = risk_coverage(sure, right)
    _, coverage, risk = confident_coverage(sure, right, error=0.05)
    return {
        "method": result.method,
        "weights": result.weights,
        "problems": len(chosen),
        "selected_pass_at_1": float(right.mean()),
        "interval": _interval(lambda drawn: float(right[drawn].mean()), len(chosen), seed),
        "random_pass_at_1": float(np.mean(list(result.random.values()))),
        "oracle_pass_at_1": float(np.mean(list(result.oracle.values()))),
        "auroc": _finite(_auroc(sure, right)),
        "auroc_interval": _interval(
            lambda drawn: _auroc(sure[drawn], right[drawn]), len(chosen), seed
        ),
        "auroc_of": {
            name: _finite(_auroc(np.array([each.others[name] for each in chosen]), right))
            for name in chosen[0].others
        },
        "ece": ece(sure, right),
        "brier": brier(sure, right),
        "risk_coverage": [[round(x, 4), round(y, 4)] for x, y in points],
        "confident_coverage": float(confident.mean()),
        "confident_error": float(1 - right[confident].mean()) if confident.any() else 0.0,
        "coverage_at_5_percent": coverage,
        "error_at_5_percent": risk,
        "abstained": float(np.mean([each.state == "abstain" for each in chosen])),
    }


def _auroc(sure: Floats, right: Floats) -> float:
    """AUROC where a choice is right with a probability: it counts as both, by that share."""
    return auroc(
        np.concatenate([sure, sure]),
        np.concatenate([np.ones(len(sure), bool), np.zeros(len(sure), bool)]),
        weights=np.concatenate([right, 1 - right]),
    )


def _interval(
    statistic: Callable[[NDArray[np.intp]], float], problems: int, seed: int
) -> list[float] | None:
    """Low and high end; None where most resamples have no such figure (all right, all wrong)."""
    try:
        low, high = bootstrap_interval(statistic, problems, seed=seed, rounds=1000)
    except ValueError:
        return None
    return [low, high]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
