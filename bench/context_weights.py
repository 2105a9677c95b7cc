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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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
DECAY = 1.5
TYPED = 0.5
"""What a call of a method of a local counts, whose type is guessed."""


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

    def defining(self, name: str, most: int | None = None) -> Sequence[tuple[File, int]]:
        return self._defining.get(name, ())[:most]

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
    """Fits the weights: of all that a cursor may need, what is needed is to come first.

    A conditional logit (McFadden 1974) over the definitions of each cursor, with weights decayed
    by their squares; then a bias and a scale, so that its figures are chances.
    """
    cursors: list[tuple[np.ndarray, int, float]] = []
    reached: Counter = Counter()
    for name, index, sites in packages(given):
        lookup = Lookup(index)
        similar, fitting, exports = Similar(lookup), Fitting(lookup), Exports(lookup)
        for site in sites + typed(index, lookup, len(sites) // 2):
            data = (index.root / site["path"]).read_bytes()
            for kept, gap in gaps(data, site):
                here = around(read, site["path"], *parted(gap), None)
                found = Gather(lookup, similar, fitting, exports, here).run()
                right = [
                    at
                    for at, place in enumerate(found)
                    if place.path == site["target"]
                    and lookup.space(place.path).definitions[place.ordinal].line == site["line"]
                ]
                reached[name, kept, bool(right)] += 1
                rows = np.array([row(each.features) for each in found.values()], dtype=np.float32)
                if len(rows):
                    certain = 1.0 if "how" in site else TYPED
                    cursors.append((rows, right[0] if right else -1, certain))
        print(name, [reached[name, kept, True] for kept in (True, False)],
              [reached[name, kept, False] for kept in (True, False)], flush=True)  # fmt: skip
    weights, bias = fitted(cursors)
    told = dict(zip(FEATURES, (round(float(v), 3) for v in weights), strict=True))
    out = {"bias": round(bias, 3), "weights": told}
    given.out.write_text(json.dumps(out, indent=1) + "\n")
    print(json.dumps(out, indent=1))


def fitted(cursors: Sequence[tuple[np.ndarray, int, float]]) -> tuple[np.ndarray, float]:
    """Returns weights and a bias for cursors: rows, which of them is needed (-1: none), weight."""
    import torch

    full = [each for each in cursors if each[1] >= 0]
    x_NF = torch.from_numpy(np.concatenate([rows for rows, _, _ in full]))
    sizes = [len(rows) for rows, _, _ in full]
    of_N = torch.repeat_interleave(torch.arange(len(full)), torch.tensor(sizes))
    starts = np.cumsum([0, *sizes[:-1]])
    gold_C = torch.tensor([start + at for start, (_, at, _) in zip(starts, full, strict=True)])
    worth_C = torch.tensor([worth for _, _, worth in full])
    w_F = torch.zeros(x_NF.shape[1], requires_grad=True)

    def loss() -> torch.Tensor:
        s_N = x_NF @ w_F
        top_C = torch.full((len(full),), -1e9).scatter_reduce(0, of_N, s_N.detach(), "amax")
        sums_C = torch.zeros(len(full)).index_add(0, of_N, torch.exp(s_N - top_C[of_N]))
        missed_C = sums_C.log() + top_C - s_N[gold_C]
        return (worth_C * missed_C).sum() + 0.5 * DECAY * (w_F**2).sum()

    _least(loss, w_F)
    with torch.no_grad():
        s_N = torch.cat([torch.from_numpy(rows) @ w_F for rows, _, _ in cursors])
    y_N, start = torch.zeros(len(s_N)), 0
    for rows, at, _ in cursors:
        if at >= 0:
            y_N[start + at] = 1.0
        start += len(rows)
    line = torch.tensor([-7.0, 1.0], requires_grad=True)
    chance = torch.nn.functional.binary_cross_entropy_with_logits
    _least(lambda: chance(s_N * line[1] + line[0], y_N, reduction="sum"), line)
    bias, scale = line.detach().tolist()
    return w_F.detach().numpy() * scale, bias


def _least(loss: Callable[[], Any], values: Any) -> None:
    """Moves values to where a loss is least."""
    import torch

    steps = torch.optim.LBFGS([values], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Any:
        steps.zero_grad()
        told = loss()
        told.backward()
        return told

    steps.step(closure)


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
