"""How likely is a class of candidates to be right? Weights that were learned on solved problems.

`best` chooses the class of the highest probability under a conditional logit with an alternative
"none of these" (see `ranking.py`). The probability of whatever a method chose, with how far the
other candidates agree with it and how long it is, gives the confidence through a logistic curve
that was fitted on problems which the logit had not seen.

There is a model for each kind of evidence: whether the user gave examples, and whether the model
wrote tests.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codewright.errors import DataError
from codewright.types.behaviour import State
from codewright.verify.calibration import Logistic, expect_keys
from codewright.verify.case import Case
from codewright.verify.ranking import Ranker
from codewright.verify.select import FEATURES, features, offered

Floats = NDArray[np.float64]

KINDS = ("plain", "tests", "examples", "both")
"""Kinds of evidence: neither, the model's tests, the user's examples, both."""

SIZES = (5, 10, 20, 50)
"""Numbers of candidates that a fit also practises on, beside all that there are."""

_USED = {
    "plain": ("mass", "values", "substance", "n"),
    "tests": ("mass", "dual", "tests", "values", "substance", "n"),
    "examples": ("mass", "values", "substance", "held", "all_held", "any_held", "n"),
    "both": FEATURES,
}
_RANKER_L2, _CURVE_L2 = 2.0, 1.0
_FOLDS = 4

CONFIDENT_ERROR = 0.045
"""Of answers called confident: a little less than the 5 % that are promised."""

_CURVE = ("log_odds", "agreement", "substance", "n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The weights for one kind of evidence.

    An answer of at least `confident` is confident: of all that are so sure, `CONFIDENT_ERROR` are
    expected to be wrong.
    """

    ranker: Ranker
    curve: Logistic
    confident: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Models by kind of evidence. Of less confidence than `abstain` there is no answer."""

    models: Mapping[str, Model]
    abstain: float = 0.1

    @classmethod
    def fit(
        cls,
        cases: Sequence[Case],
        truths: Sequence[Sequence[bool]],
        *,
        seed: int = 0,
        kinds: Sequence[str] = KINDS,
        without: Sequence[str] = (),
    ) -> Self:
        """Learns from problems whose candidates' truth is known.

        Args:
            cases: one per problem, with examples and tests.
            truths: one per problem, one flag per candidate.
            kinds: of evidence to learn; what a case has beyond it is hidden.
            without: features that are not looked at, to see what they are worth.
        """
        models = {}
        for kind in kinds:
            seen = [_as_kind(case, kind) for case in cases]
            practice = _practice(seen, truths, seed)
            used = [name for name in _USED[kind] if name not in without]
            ranker = _fit_ranker(practice, used)
            curve, confident = _fit_curve(practice, used, seed)
            models[kind] = Model(ranker=ranker, curve=curve, confident=confident)
        return cls(models=models)

    def probabilities(self, case: Case) -> Floats:
        """The chance of each class of `offered(case)` to be right; they sum to at most 1."""
        ranker = self.models[kind_of(case)].ranker
        return ranker.probabilities(_columns(features(case), ranker.names))

    def confidence(self, case: Case, members: Sequence[int]) -> float:
        """The calibrated chance that a random one of these candidates is right; 0 of none."""
        if not members:
            return 0.0
        model = self.models[kind_of(case)]
        row = _curve_row(case, members, _share(case, members, self.probabilities(case)))
        return float(model.curve.predict(np.array([row]))[0])

    def state(self, case: Case, confidence: float) -> State:
        """What to call an answer of this confidence."""
        if confidence >= self.models[kind_of(case)].confident:
            return "confident"
        return "abstain" if confidence < self.abstain else "uncertain"

    def to_dict(self) -> dict[str, Any]:
        """As a dict that JSON can hold."""
        return {
            "models": {
                kind: {
                    "ranker": model.ranker.to_dict(),
                    "curve": model.curve.to_dict(),
                    "confident": model.confident,
                }
                for kind, model in self.models.items()
            },
            "abstain": self.abstain,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` gave.

        Raises:
            DataError: keys are missing or unknown.
        """
        expect_keys(data, ("models", "abstain"))
        models = {}
        for kind, model in data["models"].items():
            expect_keys(model, ("ranker", "curve", "confident"))
            models[kind] = Model(
                ranker=Ranker.from_dict(model["ranker"]),
                curve=Logistic.from_dict(model["curve"]),
                confident=float(model["confident"]),
            )
        return cls(models=models, abstain=float(data["abstain"]))


def shipped() -> Trust:
    """The weights that come with the package (how they were made: docs/trust.md).

    Raises:
        DataError: the file is not what it should be.
    """
    text = (files("codewright") / "data" / "trust.json").read_text(encoding="utf-8")
    try:
        return Trust.from_dict(json.loads(text)["trust"])
    except (ValueError, KeyError) as error:
        raise DataError(f"the package's trust.json is broken: {error}") from None


def kind_of(case: Case) -> str:
    """Which evidence a case holds."""
    examples, tests = bool(case.held.shape[1]), bool(case.counts.sum())
    return KINDS[2 * examples + tests]


def _as_kind(case: Case, kind: str) -> Case:
    if kind in ("plain", "tests"):
        case = case.without_examples()
    if kind in ("plain", "examples"):
        case = case.without_tests()
    return case


_Practice = list[list[tuple[Case, Floats, Floats]]]
"""For each problem cases of several sizes, with the features of each class of `offered(case)` and
the share of its candidates that are right."""


def _practice(cases: Sequence[Case], truths: Sequence[Sequence[bool]], seed: int) -> _Practice:
    rng = np.random.default_rng(seed)
    practice = []
    for case, truth in zip(cases, truths, strict=True):
        right = np.asarray(truth, dtype=np.float64)
        sizes = []
        for size in (*[s for s in SIZES if s < case.n], case.n):
            rows = np.sort(rng.permutation(case.n)[:size])
            some = case if size == case.n else case.subset([int(row) for row in rows])
            shares = [float(right[rows[list(members)]].mean()) for members in offered(some)]
            sizes.append((some, features(some), np.array(shares)))
        practice.append(sizes)
    return practice


def _fit_ranker(practice: _Practice, used: Sequence[str]) -> Ranker:
    cases = [each for sizes in practice for each in sizes if len(each[2])]
    return Ranker.fit(
        [_columns(table, used) for _, table, _ in cases],
        [shares for _, _, shares in cases],
        names=used,
        # Cases of one problem are no independent evidence.
        l2=_RANKER_L2 * (1 + len(SIZES)),
        none=True,
    )


def _fit_curve(practice: _Practice, used: Sequence[str], seed: int) -> tuple[Logistic, float]:
    """The curve to the chance of being right, on problems that were held out.

    With it the least confidence that is called confident; 1 where none is.
    """
    order = np.random.default_rng(seed + 1).permutation(len(practice))
    rows, labels = [], []
    for fold in range(_FOLDS):
        out = set(order[fold::_FOLDS].tolist())
        ranker = _fit_ranker([sizes for i, sizes in enumerate(practice) if i not in out], used)
        for problem in sorted(out):
            for case, table, shares in practice[problem]:
                if not len(shares):
                    continue
                chances = ranker.probabilities(_columns(table, used))
                best = int(np.argmax(chances))
                rows.append(_curve_row(case, offered(case)[best], float(chances[best])))
                labels.append(float(shares[best]))
    curve = Logistic.fit(np.array(rows), np.array(labels), names=_CURVE, l2=_CURVE_L2)
    return curve, _confident(curve.predict(np.array(rows)))


def _confident(sure: Floats) -> float:
    """The least confidence of which answers, by their own word, are seldom enough wrong.

    By their word and not by how they fared: among a hundred problems the few errors at the top
    are a matter of luck, while the curve is made from all of them.
    """
    ordered = np.sort(sure)[::-1]
    wrong = np.cumsum(1 - ordered) / np.arange(1, len(ordered) + 1)
    enough = np.flatnonzero(wrong <= CONFIDENT_ERROR)
    return float(ordered[enough[-1]]) if len(enough) else 1.0


def _columns(table: Floats, names: Sequence[str]) -> Floats:
    return table[:, [FEATURES.index(name) for name in names]]


def _share(case: Case, members: Sequence[int], chances: Floats) -> float:
    """The probability of the classes that the members come from, averaged over the members."""
    of = {row: chance for each, chance in zip(offered(case), chances, strict=True) for row in each}
    return float(np.mean([of.get(row, 0.0) for row in members]))


def _curve_row(case: Case, members: Sequence[int], chance: float) -> list[float]:
    """What the curve sees of a choice.

    agreement: the weighted share of calls on which a random candidate does what the chosen one
    does: a graded mass, in which near classes count for as much as they have in common.
    substance: the size of the chosen program. Long programs are less often right.
    """
    chance = min(max(chance, 1e-6), 1 - 1e-6)
    agreement = float(((case.table == case.table[members[0]]) @ case.weights).mean())
    nodes = min(float(case.nodes[row]) for row in members)
    return [math.log(chance / (1 - chance)), agreement, math.log1p(nodes), math.log(case.n)]
