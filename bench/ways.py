"""Compares ways to rank functions for a sentence, each by its plain formula, without an index.

    python bench/ways.py --relevance FOLDER

The documents are functions and nothing else, so that what is compared is the ranking. BM25 is
FTS5's formula (`repo/bm25.py`) over the words as they are indexed; vectors are the shipped table's;
their places are added up (`repo/fusion.py`) or their scores (`repo/mixing.py`). `vectors.py`
measures the same in an index, with all that competes there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from bench.remembering.docstrings import Collection, collections, digest
from bench.vectors import difference, summary, table
from scipy import sparse

from codewright.repo.embedding import Piece
from codewright.repo.mixing import MEANING
from codewright.repo.query import COMMON
from codewright.repo.reading import BORDER
from codewright.repo.static_vectors import ShippedEmbedder
from codewright.repo.words import each_word, stem

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results" / "ways.json"
K1, B, LEAST = 1.2, 0.75, 1e-6
WEIGHTS = {"bm25 10, 3, 1": (10.0, 3.0, 1.0), "bm25 5, 2, 1": (5.0, 2.0, 1.0)}
BEST = "bm25 5, 2, 1"

Fields = Sequence[Sequence[str]]


class BM25:
    """All documents' shares of a query's score, word by word."""

    def __init__(self, documents: Sequence[Fields], weights: Sequence[float]) -> None:
        self._words: dict[str, int] = {}
        rows, columns, counts = [], [], []
        for row, fields in enumerate(documents):
            found: Counter[str] = Counter()
            for field, weight in zip(fields, weights, strict=True):
                for word in field:
                    found[word] += weight  # type: ignore[assignment]
            for word, count in found.items():
                rows.append(row)
                columns.append(self._words.setdefault(word, len(self._words)))
                counts.append(float(count))
        lengths = np.array([sum(map(len, fields)) for fields in documents], dtype=float)
        having = np.bincount(columns, minlength=len(self._words))
        worth = np.log((len(documents) - having + 0.5) / (having + 0.5)).clip(LEAST)
        damped = K1 * (1 - B + B * lengths / lengths.mean())
        values = np.array(counts)
        values = worth[columns] * values * (K1 + 1) / (values + damped[rows])
        shape = (len(documents), len(self._words))
        self._shares = sparse.csc_matrix((values, (rows, columns)), shape=shape).T.tocsr()

    def scores(self, words: Sequence[str]) -> np.ndarray:
        ids = [self._words[word] for word in dict.fromkeys(words) if word in self._words]
        return np.asarray(self._shares[ids].sum(axis=0)).ravel()


def measured(collection: Collection, embedder: ShippedEmbedder) -> dict[str, list[int]]:
    """Returns the place of each right answer by each way, from 0."""
    documents = [
        [stems(each) for each in (one.name, one.head, one.body)] for _, one in collection.documents
    ]
    places = {(path, one.line): place for place, (path, one) in enumerate(collection.documents)}
    pieces = [Piece(BORDER.join(" ".join(f).encode() for f in fields)) for fields in documents]
    rows = embedder.documents(pieces)
    asked = embedder.queries([query.text for query in collection.queries])
    by_words = {name: BM25(documents, weights) for name, weights in WEIGHTS.items()}
    ranks: dict[str, list[int]] = {}
    for query, vector in zip(collection.queries, asked, strict=True):
        right = places[query.path, query.line]
        words = [stem(word) for word in each_word(query.text) if word not in COMMON]
        scores = {name: one.scores(words) for name, one in by_words.items()}
        scores["vectors"] = cosines = rows @ vector
        for k in (10, 60):
            scores[f"places, K = {k}"] = 1 / (k + order(scores[BEST])) + 1 / (k + order(cosines))
        best = scores[BEST].max() or 1.0
        scores["scores"] = scores[BEST] / best + MEANING * cosines
        for name, values in scores.items():
            ranks.setdefault(name, []).append(place(values, right))
    return ranks


def stems(text: str) -> list[str]:
    return [stem(word) for word in each_word(text)]


def order(scores: np.ndarray) -> np.ndarray:
    """Returns the place of each, from 1."""
    places = np.empty(len(scores))
    places[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return places


def place(scores: np.ndarray, right: int) -> int:
    """Returns how many are before the right one; of equal ones, those that stand before it."""
    before = (scores > scores[right]).sum() + (scores[:right] == scores[right]).sum()
    return int(before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--relevance", type=Path, required=True, help="a folder with the wheels")
    parser.add_argument("--queries", type=int, default=1000, help="of each collection")
    parser.add_argument("--write", action="store_true", help="keep the figures")
    given = parser.parse_args()
    embedder = ShippedEmbedder()
    read = list(collections(given.relevance, given.queries))
    ranks = {each.name: measured(each, embedder) for each in read}
    joined = {
        way: [rank for ways in ranks.values() for rank in ways[way]]
        for way in next(iter(ranks.values()))
    }
    ranks["all"] = joined
    results = {name: {w: summary(r) for w, r in ways.items()} for name, ways in ranks.items()}
    results["all"]["scores - bm25"] = difference(joined["scores"], joined[BEST])
    for name, rows in results.items():
        print(f"\n{name}\n", *table(rows), sep="\n", flush=True)
    if given.write:
        kept = {"relevance": digest(read), "table": embedder.digest, "results": results}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
