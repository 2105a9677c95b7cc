"""What speaks for a definition being needed at a cursor, as numbers, and how likely that makes it.

Each definition that can be reached from a file gathers evidence: that it is imported and not used
yet, that similar files call it here, that its name says what the line is about. A logistic
regression weighs it (`data/context.json`, learned by `bench/context_weights.py` on call sites of
installed packages). Nothing here knows where evidence comes from.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from codewright.repo.places import Place

FEATURES: tuple[str, ...] = (
    "imported",
    "unused",
    "uses",
    "own",
    "own_scope",
    "own_near",
    "same_name",
    "member",
    "member_unused",
    "inherited",
    "typed",
    "typed_scope",
    "typed_class",
    "returned",
    "co",
    "co_scope",
    "mate",
    "folder",
    "unbound",
    "word_head",
    "word_tail",
    "word_near",
    "word_scope",
    "function",
    "class",
    "method",
    "value",
    "private",
    "dunder",
    "property",
    "test",
    "raise_error",
    "raise_other",
    "error",
    "await_async",
    "await_other",
    "member_many",
    "stated_class",
    "open_call",
    "unused_class",
    "unused_statement",
    "co_class",
    "typed_word",
    "member_word",
    "typed_many",
    "member_alias",
    "member_near",
    "member_scope",
    "member_used",
    "member_part",
    "member_never",
    "member_foreign",
    "member_deep",
    "member_unbound",
    "imported_word",
    "inherited_word",
    "own_word",
    "loose_word",
    "imported_class",
    "member_class",
    "member_private",
    "own_same",
    "loose",
    "assigned",
)

TELLING: Mapping[str, float] = {"unbound": 5.0, "unused": 4.0, "inherited": 3.0, "typed_scope": 1.5}
"""What says more to a person than other evidence of the same strength."""


@dataclass(slots=True)
class Evidence:
    """What speaks for one definition. why: the strongest of it, for a person."""

    place: Place
    features: dict[str, float] = field(default_factory=dict)
    why: str = ""
    kind: str = "import"
    strength: float = 0.0

    def add(self, name: str, value: float, *, why: str = "", kind: str = "import") -> None:
        """Notes a piece of evidence; of two of one name the stronger stays."""
        if value > self.features.get(name, 0.0):
            self.features[name] = value
        if why:
            strength = value * TELLING.get(name, 1.0)
            if strength >= self.strength:
                self.why, self.kind, self.strength = why, kind, strength

    def note(self, pieces: Iterable[tuple[str, float]]) -> None:
        """Notes what says nothing to a person, as `add` does, in this order."""
        features = self.features
        for name, value in pieces:
            if value > features.get(name, 0.0):
                features[name] = value


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What was learned: of each feature, and the bias."""

    bias: float
    weights: Mapping[str, float]

    def chance(self, features: Mapping[str, float]) -> float:
        """Returns the chance that a definition with these features is needed."""
        total = self.bias
        weight = self.weights.get
        for name, value in features.items():
            total += weight(name, 0.0) * value
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


@lru_cache(maxsize=1)
def learned() -> Weights:
    """Returns the weights that come along."""
    text = (files("codewright") / "data" / "context.json").read_text(encoding="utf-8")
    told = json.loads(text)
    return Weights(bias=told["bias"], weights=told["weights"])


def row(features: Mapping[str, float]) -> Sequence[float]:
    """Returns the features in the order of `FEATURES`."""
    return [features.get(name, 0.0) for name in FEATURES]
