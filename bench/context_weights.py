"""Learns what speaks for a definition being needed at a cursor: `data/context.json`.

    python bench/context_weights.py learn --trees FOLDER --sites FOLDER --out context.json
    python bench/context_weights.py score --trees FOLDER --sites FOLDER [--weights context.json]

TREES holds a folder for each package with its sources, SITES a file for each with calls of which it
is certain what they call (`bench/remembering/sites.py`). Each call is masked twice: once with the
import of its name, once without. Packages that `bench/repo.py` measures on are not learned from.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.remembering.masks import Masked, masked, without_import
from tests.reference.index import MemoryIndex

from codewright.generate.registry import embedded
from codewright.repo.around import around
from codewright.repo.context import RepositoryContext
from codewright.repo.counting import Own
from codewright.repo.evidence import FEATURES, Weights, learned, row
from codewright.repo.exports import Exports
from codewright.repo.facts import Binding, Facts, Use
from codewright.repo.fitting import Fitting
from codewright.repo.forms import FORMS
from codewright.repo.gather import Gather
from codewright.repo.index import File, Found
from codewright.repo.lookup import Lookup
from codewright.repo.manner import Manner
from codewright.repo.scanner import Scanner
from codewright.repo.similar import Similar
from codewright.tokens.bpe import Tokenizer
from codewright.types.context import Query

BUDGETS = (512, 1024, 2048, 4096)
NEGATIVES = 60
"""Definitions that were not needed, drawn for each call."""


class NoPieces:
    """Cuts nothing: this measures what needs no search."""

    def chunks(self, facts: Facts, data: bytes) -> list[Found]:
        """Returns nothing."""
        return []


class Quick(MemoryIndex):
    """The plain index with tables for what is asked often."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, {".py": Scanner()}, NoPieces())
        self._by_path = {file.path: file for file in self._files}
        self._defining: dict[str, list[tuple[File, int]]] = defaultdict(list)
        self._mentioning: dict[str, list[File]] = defaultdict(list)
        for file in self._files:
            facts = self._facts[file.content]
            for ordinal, definition in enumerate(facts.definitions):
                if ordinal:
                    self._defining[definition.name].append((file, ordinal))
            for name in {reference.name for reference in facts.references}:
                self._mentioning[name].append(file)
        self._named = super().state
        self._said = {
            content: frozenset(reference.name for reference in facts.references)
            for content, facts in self._facts.items()
        }

    @property
    def state(self) -> str:
        return self._named

    def file(self, path: str) -> File | None:
        return self._by_path.get(path)

    def defining(self, name: str) -> Sequence[tuple[File, int]]:
        return self._defining.get(name, ())

    def together(self, name: str, others: Sequence[str]) -> Mapping[str, int]:
        wanted, counts = frozenset(others), Counter()
        for content in {file.content for file in self.mentioning(name)}:
            counts.update(wanted & self._said[content])
        return counts

    def mentioning(self, name: str) -> Sequence[File]:
        return self._mentioning.get(name, ())


def read(path: str, data: bytes) -> Facts:
    return Scanner().facts(data)


def gaps(data: bytes, site: Mapping) -> Iterator[tuple[bool, Masked]]:
    """Yields the file with the call taken out, with and without the import of its name."""
    yield True, masked(data, tuple(site["start"]), tuple(site["end"]))
    if site["imported"]:
        yield (
            False,
            without_import(
                data, tuple(site["start"]), tuple(site["end"]), site["imported"], site["within"]
            ),
        )


def parted(gap: Masked) -> tuple[str, str]:
    """Returns the text before a gap and behind it."""
    lines = gap.data.split(b"\n")
    head = b"\n".join([*lines[: gap.line - 1], lines[gap.line - 1][: gap.column]])
    return head.decode(errors="replace"), gap.data[len(head) :].decode(errors="replace")


def typed(index: Quick, lookup: Lookup, most: int) -> list[dict]:
    """Returns calls of methods of other files' classes, by the type that the receiver has."""
    found = []
    for file in index.files():
        facts = index.facts(file.content)
        wanted = {}
        for each in facts.references:
            if each.guess and each.use == Use.CALL and each.binding == Binding.IMPORT:
                for step in lookup.imported(each.path, file.path).steps[:1]:
                    if step.place.ordinal and step.place.path != file.path:
                        wanted[each.line, each.column] = step.place
        if not wanted:
            continue
        tree = ast.parse((index.root / file.path).read_bytes())
        for statement in ast.walk(tree):
            if not isinstance(statement, ast.Expr | ast.Assign | ast.Return):
                continue
            for call in ast.walk(statement):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                    column = call.func.end_col_offset - len(call.func.attr.encode())
                    place = wanted.get((call.func.end_lineno, column))
                    if place is not None:
                        definition = lookup.space(place.path).definitions[place.ordinal]
                        found.append({
                            "path": file.path, "start": [call.lineno, call.col_offset],
                            "end": [statement.end_lineno, statement.end_col_offset],
                            "imported": "", "within": 0, "target": place.path,
                            "line": definition.line,
                        })  # fmt: skip
    random.Random(0).shuffle(found)
    return found[:most]


def packages(given: argparse.Namespace) -> Iterator[tuple[str, Quick, list[dict]]]:
    for path in sorted(given.sites.glob("*.json")):
        sites = json.loads(path.read_text())
        wanted = given.only.split(",") if given.only else [path.stem]
        if path.stem in wanted and len(sites) >= 10:
            yield path.stem, Quick(given.trees / path.stem), sites


def learn(given: argparse.Namespace) -> None:
    """Fits the weights, with every second package held out to show how well they do."""
    from sklearn.linear_model import LogisticRegression

    rows, labels, groups, weights, reached = [], [], [], [], Counter()
    chance = random.Random(0)
    for group, (name, index, sites) in enumerate(packages(given)):
        lookup = Lookup(index)
        similar, fitting, exports = Similar(lookup), Fitting(lookup), Exports(lookup)
        for site in sites + typed(index, lookup, len(sites) // 2):
            data = (index.root / site["path"]).read_bytes()
            for kept, gap in gaps(data, site):
                found = Gather(
                    lookup,
                    similar,
                    fitting,
                    exports,
                    around(read, site["path"], *parted(gap), None),
                ).run()
                right = [
                    place
                    for place in found
                    if place.path == site["target"]
                    and lookup.space(place.path).definitions[place.ordinal].line == site["line"]
                ]
                reached[name, kept, bool(right)] += 1
                if not right:
                    continue
                wrong = [place for place in found if place not in right]
                drawn = chance.sample(wrong, min(NEGATIVES, len(wrong)))
                for place in (*right, *drawn):
                    rows.append(row(found[place].features))
                    labels.append(place in right)
                    groups.append(group)
                    weights.append(1.0 if place in right else len(wrong) / max(1, len(drawn)))
        print(name, [reached[name, kept, True] for kept in (True, False)],
              [reached[name, kept, False] for kept in (True, False)], flush=True)  # fmt: skip
    X, y, g, w = map(np.array, (rows, labels, groups, weights))
    for held in (0, 1):
        model = LogisticRegression(C=1.0, max_iter=2000).fit(
            X[g % 2 != held], y[g % 2 != held], w[g % 2 != held]
        )
        p = model.predict_proba(X[g % 2 == held])[:, 1]
        gold = y[g % 2 == held]
        loss = -np.average(np.log(np.where(gold, p, 1 - p)), weights=w[g % 2 == held])
        print(f"held out {held}: {loss:.5f} nats a definition")
    model = LogisticRegression(C=1.0, max_iter=2000).fit(X, y, w)
    told = dict(zip(FEATURES, (round(float(v), 3) for v in model.coef_[0]), strict=True))
    out = {"bias": round(float(model.intercept_[0]), 3), "weights": told}
    given.out.write_text(json.dumps(out, indent=1) + "\n")
    print(json.dumps(out, indent=1))


def score(given: argparse.Namespace) -> None:
    """Says in which share of the contexts the needed definition is."""
    weights = learned()
    if given.weights:
        told = json.loads(given.weights.read_text())
        weights = Weights(bias=told["bias"], weights=told["weights"])
    counter = Own(Tokenizer.load(embedded() / "tokenizer.json"))
    hits: Counter = Counter()
    times = []
    for name, index, sites in packages(given):
        builder = RepositoryContext(
            index, read, Manner(form=FORMS[given.form], counter=counter, name=name), weights=weights
        )
        for site in sites[:: given.every]:
            data = (index.root / site["path"]).read_bytes()
            for kept, gap in gaps(data, site):
                before, after = parted(gap)
                for budget in BUDGETS:
                    began = time.perf_counter()
                    context = builder.retrieve(
                        Query(path=site["path"], before=before, after=after), budget
                    )
                    times.append(time.perf_counter() - began)
                    assert context.tokens <= budget
                    hit = any(
                        passage.path == site["target"]
                        and passage.first <= site["line"] <= passage.last
                        for passage in context.passages
                    )
                    hits[name, kept, budget, hit] += 1
                    hits["all", kept, budget, hit] += 1
        _say(name, hits)
    _say("all", hits)
    print(f"ms: p50 {np.median(times) * 1e3:.0f}, p99 {np.quantile(times, 0.99) * 1e3:.0f}")


def _say(name: str, hits: Counter) -> None:
    for kept in (True, False):
        shares = [
            hits[name, kept, b, True]
            / max(1, hits[name, kept, b, True] + hits[name, kept, b, False])
            for b in BUDGETS
        ]
        n = hits[name, kept, 512, True] + hits[name, kept, 512, False]
        print(f"{name:16} {'with' if kept else 'no  '} import", n,
              " ".join(f"{s:.3f}" for s in shares), flush=True)  # fmt: skip


def main() -> None:
    """Learns or scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("learn", "score"))
    parser.add_argument("--trees", type=Path, required=True)
    parser.add_argument("--sites", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("context.json"))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--form", default="repository")
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    {"learn": learn, "score": score}[given.what](given)


if __name__ == "__main__":
    main()
