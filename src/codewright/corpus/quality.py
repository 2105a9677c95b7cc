"""How good a file is to learn from, as a number between 0 and 1, and the step that asks for one.

A linear model over the figures of `quality_features`, squashed by the logistic function. Its
weights are data, learned by `bench/quality.py` from files whose quality several signals agree on;
`docs/corpus.md` says how well it ranks files of distributions that it never saw. It knows style,
not truth: a documented, typed, well-named program that is wrong scores high.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from codewright.corpus.quality_features import FEATURES, features
from codewright.corpus.steps import Drops
from codewright.corpus.syntax import Trees, parse
from codewright.types.document import Document

WEIGHTS = "data/quality.json"
CLIP = 2.0
"""Standard deviations beyond which a figure says no more: one odd thing is not a bad file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """A linear model: `mean`, `scale` and `weight` of each of `FEATURES`, and the bias."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    bias: float

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Quality:
        """Returns the model of what `bench/quality.py` wrote."""
        table = plain["features"]
        assert tuple(table) == FEATURES, "the weights were learned for other features"
        return cls(
            mean=tuple(entry["mean"] for entry in table.values()),
            scale=tuple(entry["scale"] for entry in table.values()),
            weight=tuple(entry["weight"] for entry in table.values()),
            bias=plain["bias"],
        )

    @classmethod
    def shipped(cls) -> Quality:
        """Returns the model that comes with the package."""
        text = files("codewright").joinpath(WEIGHTS).read_text(encoding="utf-8")
        return cls.from_plain(json.loads(text))

    def score(self, figures: Sequence[float]) -> float:
        """Returns the score of a file with these figures, between 0 and 1."""
        total = self.bias
        for figure, mean, scale, weight in zip(
            figures, self.mean, self.scale, self.weight, strict=True
        ):
            total += weight * min(max((figure - mean) / scale, -CLIP), CLIP)
        return 1 / (1 + math.exp(-total))

    def of_text(self, text: str) -> float:
        """Returns the score of Python source; 0 where it does not parse."""
        tree = parse(text)
        return 0.0 if isinstance(tree, str) else self.score(features(text, tree))


class QualityStep:
    """The step that drops documents with a score below a threshold."""

    name = "quality"

    def __init__(self, model: Quality, threshold: float, trees: Trees) -> None:
        self._model = model
        self._threshold = threshold
        self._trees = trees

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields documents that are good enough; those in other languages are not scored."""
        for document in documents:
            tree = self._trees.tree(document) if document.language == "python" else None
            if tree is None:
                yield document
                continue
            score = self._model.score(features(document.text, tree))
            if score >= self._threshold:
                yield document
            else:
                drops.drop(document, "quality", f"score {score:.3f}")
