"""Does a search for an issue's text find where its commit changed the code?

Instances are those of SWE-bench Lite and Verified whose gold patch fits a release on the package
index (`releases.py`, `patches.py`): the sources are the release's, not the commit's, which is near
and not the same. Only Python files that are no tests count, both as gold and, for every contender
alike, as what is searched. Asked of each ranking of pieces:

file@k      the share of the patch's files among the first k files
function@k  the share of the functions, or lines outside any, that it changes and that the first k
            pieces touch
lines       the share of its lines within the first 500 lines of pieces
"""

from __future__ import annotations

import ast
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet
from bench.pages import say
from bench.remembering import patches, releases
from bench.remembering.weighed import Weighed, Words

KS = (1, 5, 10)
READ = 500
"""Lines of pieces that somebody would read."""
DEEP = 400
"""Pieces that are ranked."""

Piece = tuple[str, int, int]
Answer = Callable[[str], Sequence[Piece]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An issue, and the lines of a release that its patch changes, by path."""

    name: str
    sets: tuple[str, ...]
    root: Path
    text: str
    gold: dict[str, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Localiser:
    """Somebody who ranks pieces. open: prepares for a tree."""

    name: str
    version: str
    open: Callable[[Path], Answer]


def instances(data: Path, scratch: Path) -> tuple[list[Instance], dict[str, int]]:
    """Returns the instances that are covered, and how many there are of each set."""
    rows: dict[str, dict[str, Any]] = {}
    sizes = {}
    for name in ("lite", "verified"):
        table = pyarrow.parquet.read_table(data / "swebench" / f"{name}.parquet").to_pylist()
        sizes[name] = len(table)
        for row in table:
            rows.setdefault(row["instance_id"], row | {"sets": []})["sets"].append(name)
    sizes["both"] = len(rows)
    folders = releases.gather(
        ((row["repo"], row["version"]) for row in rows.values()), scratch / "releases"
    )
    found = []
    for name, row in sorted(rows.items()):
        for root in folders[row["repo"], row["version"]]:
            gold = patches.fitted(row["patch"], root)
            if gold is not None:
                found.append(
                    Instance(
                        name=name,
                        sets=tuple(row["sets"]),
                        root=root,
                        text=row["problem_statement"],
                        gold=gold,
                    )
                )
                break
    return found, sizes


def judged(gold: dict[str, list[int]], root: Path, ranked: Sequence[Piece]) -> dict[str, float]:
    """Returns the measures of one ranking."""
    ranked = [piece for piece in ranked if not patches.is_test(piece[0])]
    files = list(dict.fromkeys(path for path, _, _ in ranked))
    told = {f"file@{k}": sum(path in gold for path in files[:k]) / len(gold) for k in KS}
    wanted = [
        (path, *span)
        for path, lines in gold.items()
        for span in functions((root / path).read_bytes(), lines)
    ]
    for k in KS:
        told[f"function@{k}"] = statistics.fmean(
            any(path == at and first <= end and last >= start for path, first, last in ranked[:k])
            for at, start, end in wanted
        )
    seen: set[tuple[str, int]] = set()
    read = 0
    for path, first, last in ranked:
        room = min(last - first + 1, READ - read)
        seen |= {(path, line) for line in range(first, first + room)}
        read += room
    every = [(path, line) for path, lines in gold.items() for line in lines]
    told["lines"] = statistics.fmean(place in seen for place in every)
    return told


def functions(data: bytes, lines: Iterable[int]) -> list[tuple[int, int]]:
    """Returns the innermost functions that lines stand in; a line outside any is its own."""
    spans = [
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(ast.parse(data))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    found = {}
    for line in lines:
        round_it = [span for span in spans if span[0] <= line <= span[1]]
        found[min(round_it, key=lambda span: span[1] - span[0], default=(line, line))] = None
    return list(found)


def asked(
    contender: Localiser, wanted: Sequence[Instance], scratch: Path
) -> dict[str, dict[str, float]]:
    """Returns one contender's measures by instance; goes on where it was stopped."""
    kept = scratch / f"commits-{contender.name}.json".replace(" ", "-")
    told: dict[str, Any] = {"version": contender.version, "answers": {}}
    if kept.is_file() and json.loads(kept.read_text())["version"] == contender.version:
        told = json.loads(kept.read_text())
    answers: dict[str, dict[str, float]] = told["answers"]
    todo = [each for each in wanted if each.name not in answers]
    for root in dict.fromkeys(each.root for each in todo):
        answer = contender.open(root)
        for each in todo:
            if each.root == root:
                answers[each.name] = judged(each.gold, root, answer(each.text))
        kept.write_text(json.dumps(told))
        say(f"{contender.name}: {root.name}: {len(answers)} of {len(wanted)}")
    return {each.name: answers[each.name] for each in wanted}


def summary(
    answers: dict[str, dict[str, float]], wanted: Sequence[Instance], part: str
) -> dict[str, float]:
    """Returns the means over the instances of a set, "both" for all."""
    rows = [answers[each.name] for each in wanted if part == "both" or part in each.sets]
    found = {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}
    return found | {"instances": len(rows)}


def baselines() -> list[Localiser]:
    """Returns BM25 over pieces and over whole files, both by all words of the text."""

    def weighed(*, whole: bool) -> Callable[[Path], Answer]:
        projects: dict[str, Words] = {}

        def prepare(root: Path) -> Answer:
            name = project(root)
            for other in [each for each in projects if each != name]:
                del projects[other]
            made = Weighed(root, projects.setdefault(name, Words()), whole=whole)
            return lambda text: made.ranked(text, DEEP)

        return prepare

    return [
        Localiser(name="BM25 pieces", version="3", open=weighed(whole=False)),
        Localiser(name="BM25 files", version="3", open=weighed(whole=True)),
    ]


def project(root: Path) -> str:
    """Returns the project of a release's folder: its name without the version."""
    return root.name.rpartition("-")[0]
