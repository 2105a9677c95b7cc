"""What is measured: methods, ingredients, confidence, numbers of candidates, harder tests."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import Any

import numpy as np
from bench.selecting.data import Cases, Data, Truths

from codewright.evaluate.selection import Selected, cross_fitted, halves, selected, summary
from codewright.verify.metrics import bootstrap_difference, bootstrap_interval
from codewright.verify.trust import Trust

METHODS = ("first", "majority", "dual", "examples", "best")
INGREDIENTS = {
    "the model's tests": ("dual", "tests"),
    "their consensus sets": ("dual",),
    "class mass": ("mass",),
    "returning at all": ("values",),
    "size of the program": ("substance",),
}
EXAMPLE_INGREDIENTS = {"examples (their results)": ("held", "all_held", "any_held")}
SIZES = (5, 10, 20, 50, 100)


def run(data: Data, *, draws: int) -> dict[str, Any]:
    """All figures, as JSON can hold them."""
    plain, plus = data.truths["humaneval"], data.truths["humanevalplus"]
    sides = {"blind": data.blind, "shown": data.shown}
    return {
        "version": importlib.metadata.version("codewright"),
        "draws": draws,
        "methods": {
            side: {m: _method(m, seen, plain, plus, draws) for m in _methods(side)}
            for side, seen in sides.items()
        },
        "without": {side: _ingredients(seen, plain, side, draws) for side, seen in sides.items()},
        "sizes": {side: _sizes(seen, plain, side) for side, seen in sides.items()},
    }  # fmt: skip


def _methods(side: str) -> Sequence[str]:
    return [m for m in METHODS if side == "shown" or m != "examples"]


def _method(method: str, seen: Cases, plain: Truths, plus: Truths, draws: int) -> dict[str, Any]:
    found = [_choose(method, seen, plain, seed) for seed in range(draws)]
    right = _rights(found)
    told = [summary(each, seed=0) for each in found]
    harder = [_rescored(each, plus) for each in found]
    return {
        "pass_at_1": float(right.mean()),
        "draws_sd": float(np.std([each["selected_pass_at_1"] for each in told])),
        "interval": list(_interval(right)),
        "halves": next(_directions(each, seed) for seed, each in enumerate(found)),
        "humanevalplus": float(np.mean(harder)),
        **{
            name: float(np.mean([each[name] for each in told]))
            for name in ("auroc", "ece", "brier", "confident_coverage", "confident_error",
                         "coverage_at_5_percent", "error_at_5_percent", "abstained")
        },
        "auroc_interval": told[0]["auroc_interval"],
        "auroc_of": {
            name: float(np.mean([each["auroc_of"][name] for each in told]))
            for name in told[0]["auroc_of"]
        },
        "risk_coverage": told[0]["risk_coverage"],
    }  # fmt: skip


def _choose(
    method: str, seen: Cases, truths: Truths, seed: int, without: Sequence[str] = ()
) -> Selected:
    trusts, weights = cross_fitted(seen, truths, seed, without=without)
    return selected(method, seen, truths, trusts, weights)


def _rights(found: Sequence[Selected]) -> np.ndarray:
    """Chance of being right, by problem, over the draws."""
    return np.mean([[c.right for c in each.chosen.values()] for each in found], axis=0)


def _interval(right: np.ndarray) -> tuple[float, float]:
    return bootstrap_interval(lambda drawn: float(right[drawn].mean()), len(right), seed=0)


def _directions(found: Selected, seed: int) -> list[float]:
    """pass@1 on each half, by weights of the other."""
    half = halves(list(found.chosen), seed)
    return [
        float(np.mean([c.right for name, c in found.chosen.items() if half[name] == number]))
        for number in (0, 1)
    ]


def _rescored(found: Selected, truths: Truths) -> float:
    """pass@1 of the same choices under other tests."""
    scores = []
    for name, chosen in found.chosen.items():
        right = np.array(truths[name], dtype=float)
        scores.append(right[list(chosen.members)].mean() if chosen.members else right.mean())
    return float(np.mean(scores))


def _ingredients(seen: Cases, truths: Truths, side: str, draws: int) -> dict[str, Any]:
    """What `best` loses without each of its ingredients."""
    whole = _rights([_choose("best", seen, truths, seed) for seed in range(draws)])
    named = {**INGREDIENTS, **(EXAMPLE_INGREDIENTS if side == "shown" else {})}
    return {
        name: _without(seen, truths, features, draws, whole) for name, features in named.items()
    }


def _without(
    seen: Cases, truths: Truths, features: Sequence[str], draws: int, one: np.ndarray
) -> dict[str, Any]:
    """What `best`, right with the chances `one`, loses without some features; paired."""
    part = [_choose("best", seen, truths, seed, features) for seed in range(draws)]
    two = _rights(part)
    difference = bootstrap_difference(
        lambda drawn: float(one[drawn].mean()),
        lambda drawn: float(two[drawn].mean()),
        len(one),
        seed=0,
    )
    return {
        "pass_at_1": float(two.mean()),
        "lost": difference.value,
        "interval": [difference.low, difference.high],
        "auroc": float(np.mean([summary(each)["auroc"] for each in part])),
    }


def _sizes(seen: Cases, truths: Truths, side: str) -> dict[str, Any]:
    """The methods on fewer candidates: means over draws of which candidates there are."""
    return {str(size): _at(seen, truths, size, side) for size in SIZES}


def _at(seen: Cases, truths: Truths, size: int, side: str) -> dict[str, Any]:
    rounds = 1 if size == max(SIZES) else 3
    rows: dict[str, list[dict[str, Any]]] = {method: [] for method in _methods(side)}
    for number in range(rounds):
        rng = np.random.default_rng(number)
        picks = {name: np.sort(rng.permutation(case.n)[:size]) for name, case in seen.items()}
        some = {name: case.subset([int(row) for row in picks[name]]) for name, case in seen.items()}
        right = {name: [truths[name][row] for row in picks[name]] for name in seen}
        # Weights come from all candidates of the other half: a user has those of the package.
        trusts, weights = cross_fitted(seen, truths, number)
        for method in rows:
            rows[method].append(summary(selected(method, some, right, trusts, weights)))
    return {
        method: {
            name: float(np.mean([each[name] for each in told]))
            for name in ("selected_pass_at_1", "auroc", "ece", "coverage_at_5_percent")
        }
        for method, told in rows.items()
    }


def weights(data: Data) -> dict[str, Any]:
    """The package's weights: learned on all problems, and what is known of them."""
    plain = data.truths["humaneval"]
    names = list(data.blind)
    truths = [plain[name] for name in names]
    models = {
        **Trust.fit([data.blind[n] for n in names], truths, kinds=("plain", "tests")).models,
        **Trust.fit([data.shown[n] for n in names], truths, kinds=("examples", "both")).models,
    }
    return {
        "made_by": "bench/selection.py --fit",
        "learned_from": "164 problems of HumanEval, 100 programs each by CodeGen-Mono-16B "
        "(temperature 0.8, top-p 0.95), with the tests that it wrote",
        "trust": Trust(models=models).to_dict(),
    }
