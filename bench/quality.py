"""Learns the quality model, and measures how well it ranks distributions that it never saw.

    python bench/quality.py                     this environment's site-packages and library
    python bench/quality.py --site FOLDER       another one's
    python bench/quality.py --write             the same, and the package's weights are replaced

Files come through the corpus pipeline without its quality step. `curating/signals.py` says which
signals vote on them. Folds are over distributions: no file of one is in both halves.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from bench.curating.signals import Votes, sizes, votes
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from codewright.corpus import shards
from codewright.corpus.build import build
from codewright.corpus.quality import CLIP
from codewright.corpus.quality_features import FEATURES, features
from codewright.corpus.recipe import CorpusConfig, SourceConfig
from codewright.corpus.syntax import parse
from codewright.types.document import Document

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "src" / "codewright" / "data" / "quality.json"
RESULTS = ROOT / "bench" / "results" / "quality.json"
PER_ORIGIN = 300
FOLDS = 5
STRENGTH = 0.05
"""Inverse strength of the penalty on weights."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--site", type=Path, help="a site-packages folder")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "quality")
    parser.add_argument("--write", action="store_true", help="replace the package's weights")
    parser.add_argument("--restart", action="store_true", help="read the files anew")
    given = parser.parse_args()
    config = CorpusConfig(
        sources=(
            SourceConfig(kind="standard-library"),
            SourceConfig(kind="installed", path=given.site),
        ),
        quality=0.0,
        near=0.0,
        decontaminate="off",
        fingerprints=False,
    )
    build(config, given.folder, restart=given.restart)
    everything = list(shards.read(given.folder))
    documents = sample(everything)
    figures = [features(document.text, tree(document)) for document in documents]
    told = votes(documents, figures, everything)
    results = measure(documents, np.array(figures), told)
    if given.write:
        model = fit(np.array(figures), labels(documents, told)[2])
        plain = {**model, "learned": results}
        WEIGHTS.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


def tree(document: Document) -> Any:
    found = parse(document.text)
    assert not isinstance(found, str), "the syntax step lets nothing else through"
    return found


def sample(documents: list[Document]) -> list[Document]:
    """Returns at most `PER_ORIGIN` files of each origin, chosen by their paths."""
    by_origin = defaultdict(list)
    for document in documents:
        by_origin[document.origin].append(document)
    chosen = []
    for origin in sorted(by_origin):
        order = sorted(by_origin[origin], key=lambda d: hashlib.sha256(d.path.encode()).digest())
        chosen += order[:PER_ORIGIN]
    return chosen


def labels(
    documents: list[Document], told: list[Votes]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns which files are clear cases, how good each file is from 0 to 1, and its weight."""
    totals = np.array([each.total for each in told])
    clear = (totals >= 2) | (totals <= -1)
    chance = np.clip((totals + 2) / 5, 0.0, 1.0)
    counts = Counter(document.origin for document in documents)
    weights = np.array([counts[document.origin] ** -0.5 for document in documents])
    # Good and bad weigh the same among files of the same size, or size would be what is learned.
    bins = np.array(sizes(documents))
    sides = []
    for side in (chance, 1 - chance):
        mass = weights * side
        for each in set(bins.tolist()):
            mass[bins == each] /= mass[bins == each].sum()
        sides.append(mass)
    return clear, chance, np.stack(sides) * len(documents) / 16


def fit(figures: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    """Returns the model as plain data; each file counts as both good and bad, by its weights."""
    mean, scale = figures.mean(axis=0), np.maximum(figures.std(axis=0), 1e-6)
    scaled = np.clip((figures - mean) / scale, -CLIP, CLIP)
    model = LogisticRegression(C=STRENGTH, max_iter=2000)
    sides = np.repeat([1, 0], len(figures))
    model.fit(np.concatenate([scaled, scaled]), sides, sample_weight=weights.ravel())
    return {
        "bias": round(float(model.intercept_[0]), 5),
        "features": {
            name: {"mean": round(m, 6), "scale": round(s, 6), "weight": round(w, 5)}
            for name, m, s, w in zip(
                FEATURES, mean.tolist(), scale.tolist(), model.coef_[0].tolist(), strict=True
            )
        },
    }


def scores(model: dict[str, Any], figures: np.ndarray) -> np.ndarray:
    table = list(model["features"].values())
    mean, scale, weight = (np.array([t[k] for t in table]) for k in ("mean", "scale", "weight"))
    total = np.clip((figures - mean) / scale, -CLIP, CLIP) @ weight + model["bias"]
    return 1 / (1 + np.exp(-total))


def measure(documents: list[Document], figures: np.ndarray, told: list[Votes]) -> dict[str, Any]:
    """Returns AUROC over distributions that were not learned from, against each signal."""
    clear, chance, weights = labels(documents, told)
    good = (chance > 0.5).astype(int)
    groups = np.array([document.origin for document in documents])
    folds: dict[str, list[float]] = defaultdict(list)
    held = np.zeros(len(documents))
    for train, test in GroupKFold(FOLDS).split(figures, groups=groups):
        model = fit(figures[train], weights[:, train])
        held[test] = scores(model, figures[test])
        folds["all signals"].append(auroc(good[test][clear[test]], held[test][clear[test]]))
        for name in ("rules", "documented", "lint", "tested"):
            vote = np.array([getattr(told[i], name) for i in test])
            sides = vote != 0
            if name == "tested":
                sides = np.array([told[i].could_be for i in test])
            folds[name].append(auroc((vote[sides] > 0).astype(int), held[test][sides]))
    lengths = np.array([len(document.text) for document in documents])
    inside = [
        auroc(good[mask], held[mask])
        for origin in sorted(set(groups))
        if 5 <= good[mask := (groups == origin) & clear].sum() <= mask.sum() - 5
    ]
    return {
        "files": len(documents),
        "distributions": len(set(groups.tolist())),
        "good": int((good & clear).sum()),
        "bad": int((clear & (1 - good)).sum()),
        "auroc": {name: round(float(np.mean(values)), 3) for name, values in folds.items()},
        "auroc_spread": {name: round(float(np.std(values)), 3) for name, values in folds.items()},
        "auroc_inside_distributions": round(float(np.mean(inside)), 3),
        "distributions_inside": len(inside),
        "rank_correlation_with_size": round(float(spearmanr(held, lengths).statistic), 3),
        "dropped_below": {
            str(t): {
                "files": round(float((held < t).mean()), 4),
                "bytes": round(float(lengths[held < t].sum() / lengths.sum()), 4),
                "of_good": round(float((held[clear & (good == 1)] < t).mean()), 4),
                "of_bad": round(float((held[clear & (good == 0)] < t).mean()), 4),
            }
            for t in (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
        },
    }


def auroc(labels_: np.ndarray, scores_: np.ndarray) -> float:
    return float(roc_auc_score(labels_, scores_)) if 0 < labels_.mean() < 1 else float("nan")


if __name__ == "__main__":
    main()
