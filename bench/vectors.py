"""Compares ways of finding the function that a sentence was written for, on real libraries.

    pip download --no-deps -d FOLDER sympy==1.14.0 scikit-learn==1.9.1 django==5.2.19
    python bench/vectors.py --relevance FOLDER
    python bench/vectors.py --relevance FOLDER --embedder minilm --collections scikit-learn

Each collection is written to a folder without its docstrings, indexed as a repository is, and
searched: by words (BM25 as it is shipped), by vectors, by both mixed (`mixing.py`), and by all ways
fused, as `codewright search` does it.
Everything in it competes, pieces of classes and modules too. Intervals are of 1,000 draws of the
queries. `remembering/docstrings.py` says what the queries are.

The shipped table is made by

    pip download --no-deps --only-binary :all: -d WHEELS -r recipes/vectors-packages.txt
    python -m bench.remembering.pairs \\
        --wheels WHEELS --relevance FOLDER --out pairs.tsv --held held.tsv
    python -m bench.remembering.two_towers --pairs pairs.tsv --out src/codewright/data/vectors.npz
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from bench.remembering.docstrings import Collection, Query, collections, digest

from codewright.cli.embedders import open_embedder
from codewright.cli.opening import languages
from codewright.repo.index import Found
from codewright.repo.mixing import mixed
from codewright.repo.query import read
from codewright.repo.search import Searcher
from codewright.repo.store import Store

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results" / "vectors.json"
DEPTH = 200
"""Pieces that a way is asked for; what it does not find among them counts as not found."""
PLACES = (1, 5, 10, 20)
DRAWS = 1000

Ranks = dict[str, list[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--relevance", type=Path, required=True, help="a folder with the wheels")
    parser.add_argument("--embedder", default="static")
    parser.add_argument("--queries", type=int, default=1000, help="of each collection")
    parser.add_argument("--collections", nargs="*", default=[], help="only those that begin so")
    parser.add_argument("--write", action="store_true", help="keep the figures")
    given = parser.parse_args()
    wanted = [
        each
        for each in collections(given.relevance, given.queries)
        if not given.collections or each.name.startswith(tuple(given.collections))
    ]
    rows, all_ranks = {}, []
    for each in wanted:
        ranks, figures = measured(each, given.embedder)
        rows[each.name] = figures | {way: summary(found) for way, found in ranks.items()}
        all_ranks.append(ranks)
        print(json.dumps({each.name: rows[each.name]}), flush=True)
    joined = {way: [place for ranks in all_ranks for place in ranks[way]] for way in all_ranks[0]}
    rows["all"] = {way: summary(found) for way, found in joined.items()}
    for way in ("mixed", "search"):
        rows["all"][f"{way} - words"] = difference(joined[way], joined["words"])
    for line in table(rows["all"]):
        print(line)
    if given.write:
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        kept[given.embedder] = {"relevance": digest(wanted), "results": rows}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def measured(collection: Collection, embedder: str) -> tuple[Ranks, dict[str, Any]]:
    """Returns the place of each right answer by each way (from 0, -1 where it is not found)."""
    maker = open_embedder(embedder)
    with tempfile.TemporaryDirectory() as folder:
        root = collection.written(Path(folder) / "code")
        began = time.perf_counter()
        with Store.open(root, Path(folder) / "cache", languages(), print, maker) as store:
            store.update()
            seconds = time.perf_counter() - began
            pieces = sum(len(store.chunks(file)) for file in store.files())
            searcher = Searcher(store, meaning=store)
            ranks: Ranks = {
                "words": places(
                    store, collection, lambda text: store.match(read(text).words, DEPTH)
                ),
                "vectors": places(store, collection, lambda text: store.nearest(text, DEPTH)),
                "mixed": places(store, collection, lambda text: mixing(store, text)),
                "search": [fused(searcher, query) for query in collection.queries],
            }
    return ranks, {"files": len(collection.files), "pieces": pieces, "seconds": seconds}


def places(
    store: Store, collection: Collection, way: Callable[[str], Sequence[Found]]
) -> list[int]:
    """Returns the places of the right answers, where the pieces of one definition are one."""
    ranks = []
    for query in collection.queries:
        keys = dict.fromkeys(
            (each.file.path, each.file.content, each.ordinal or -each.first)
            for each in way(query.text)
        )
        right = [
            path == query.path
            and ordinal > 0
            and store.facts(content).definitions[ordinal].line == query.line
            for path, content, ordinal in keys
        ]
        ranks.append(right.index(True) if True in right else -1)
    return ranks


def mixing(store: Store, text: str) -> Sequence[Found]:
    return mixed(store.match(read(text).words, DEPTH), store.nearest(text, DEPTH))


def fused(searcher: Searcher, query: Query) -> int:
    hits = searcher.search(query.text, limit=max(PLACES))
    right = [
        hit.file.path == query.path and hit.ordinal > 0 and hit.definition.line == query.line
        for hit in hits
    ]
    return right.index(True) if True in right else -1


def gains(ranks: Sequence[int]) -> dict[str, np.ndarray]:
    """Returns what each query adds to each figure."""
    places = np.array(ranks)
    found = {"mrr": np.where(places >= 0, 1 / (places.clip(0) + 1), 0.0)}
    return found | {f"recall@{k}": ((places >= 0) & (places < k)).astype(float) for k in PLACES}


def summary(ranks: Sequence[int]) -> dict[str, Any]:
    """Returns each figure with its 95 % interval."""
    return {name: interval(values) for name, values in gains(ranks).items()}


def difference(ranks: Sequence[int], other: Sequence[int]) -> dict[str, Any]:
    """Returns the same for the difference of two ways on the same queries."""
    one, two = gains(ranks), gains(other)
    return {name: interval(one[name] - two[name]) for name in one}


def interval(values: np.ndarray) -> list[float]:
    """Returns the mean, and the middle 95 % of the means of as many queries, drawn again."""
    draws = np.random.default_rng(6).integers(0, len(values), (DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), (0.025, 0.975))
    return [round(float(each), 4) for each in (values.mean(), low, high)]


def table(rows: dict[str, Any]) -> list[str]:
    """Returns the figures in Markdown, in percent."""
    names = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
    for way, figures in rows.items():
        cells = (f"{100 * a:.1f} ({100 * b:.1f} to {100 * c:.1f})" for a, b, c in figures.values())
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
