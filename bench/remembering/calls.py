"""Does a context of so many tokens have the definition that the next call needs?

Calls are drawn by `sites.py` and taken out by `masks.py`, all of a tree at once: in the tree that
every contender reads there is no such call any more, in the second tree no import of its name
either. For each cursor and budget is asked:

signature    is the line of the `def` or `class` there
constructor  and, of a class that has one of its own, that of its `__init__`
whole        are all lines of the definition there
lines        what share of the definition's lines is there
precision    what share of the lines that are shown belongs to the definition
tokens       how many tokens it came to, by the embedded model's tokenizer

Answers are kept for each contender, tree and way of masking, so that a run goes on where it was
stopped; they are asked again when the contender says that it has changed (`version`).
"""

from __future__ import annotations

import json
import math
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.pages import say
from bench.remembering import masks, trees
from bench.remembering.contenders import Ask, Count, Passage, Pieces, Shown, holds, open_file
from bench.remembering.sites import Site, read

BUDGETS = (512, 1024, 2048, 4096)
COLLECTIONS = ("stdlib", "sympy", "sklearn", "pandas")
WAYS = ("plain", "without import")
_LONG_NAME = re.compile(r"[^\W\d]\w{2,}")
MEASURES = ("signature", "constructor", "whole", "lines", "precision", "tokens")

Answer = Callable[[Ask, int, Count], Shown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A cursor of a masked tree, and the call that was there with the definition it needs."""

    ask: Ask
    site: Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Somebody who answers. open: prepares for a tree. most: questions of a tree, 0 for all."""

    name: str
    version: str
    open: Callable[[Path], Answer]
    most: int = 0


def sites(collection: str, scratch: Path, count: int) -> list[Site]:
    """Returns the calls of a collection, drawn in a process of its own."""
    kept = scratch / f"sites-{collection}-{count}.json"
    if not kept.is_file():
        say(f"drawing {count} calls of {collection}")
        child, place = Path(__file__).resolve().parent / "sites.py", trees.source(collection)
        root, names = (place, "*") if collection == "stdlib" else (place.parent, collection)
        command = [sys.executable, "-W", "ignore", str(child), "--root", str(root)]
        command += ["--names", names, "--count", str(count), "--out", str(kept)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)
    return read(kept)


def questions(collection: str, way: str, scratch: Path, count: int) -> tuple[Path, list[Question]]:
    """Returns a tree in which all calls are masked, and the questions about it."""
    root = scratch / f"{collection}-{count}-{way.replace(' ', '-')}"
    drawn = sites(collection, scratch, count)
    drawn = [site for site in drawn if way == "plain" or site.imported]
    whole = trees.source(collection)
    inside = root if collection == "stdlib" else root / collection
    if not root.with_suffix(".done").is_file():
        trees.copy(whole, inside, tests=collection != "stdlib")
    found = []
    for site in drawn:
        original = (whole if collection == "stdlib" else whole.parent) / site.path
        data = original.read_bytes()
        if way == "plain":
            gap = masks.masked(data, site.start, site.end)
        else:
            gap = masks.without_import(data, site.start, site.end, site.imported, site.within)
        (root / site.path).write_bytes(gap.data)
        found.append(question(site, gap))
    root.with_suffix(".done").write_text("")
    return root, found


def question(site: Site, gap: masks.Masked) -> Question:
    """Returns what is asked about a masked file."""
    offset = masks.place(gap.data, gap.line, gap.column)
    ask = Ask(
        path=site.path,
        before=gap.data[:offset].decode("utf-8", "replace"),
        after=gap.data[offset:].decode("utf-8", "replace"),
    )
    return Question(ask=ask, site=site)


def judged(wanted: Site, shown: Shown, source: Sequence[str], count: Count) -> dict[str, float]:
    """Returns the measures of one answer. source: the lines of the needed definition's file."""
    needed = [
        number for number in range(wanted.first, wanted.last + 1) if source[number - 1].strip()
    ]
    own = [each for each in shown.passages if each.path == wanted.target]
    there = [number for number in needed if holds(own, wanted.target, number, source[number - 1])]
    signature = wanted.line in there
    lines = sum(bool(line.strip()) for each in shown.passages for line in each.text.split("\n"))
    return {
        "signature": float(signature),
        "constructor": float(signature and (not wanted.constructor or wanted.constructor in there)),
        "whole": float(len(there) == len(needed)),
        "lines": len(there) / len(needed),
        "precision": min(1.0, len(there) / lines) if lines else 0.0,
        "tokens": float(count(shown.text)),
    }


def asked(
    contender: Contender, collection: str, way: str, scratch: Path, count: int, counter: Count
) -> list[dict[str, Any]]:
    """Returns one contender's measures: a list of questions, by budget."""
    name = f"answers-{contender.name}-{collection}-{count}-{way}.json".replace(" ", "-")
    kept = scratch / name
    if kept.is_file():
        before = json.loads(kept.read_text())
        if before["version"] == contender.version:
            told: list[dict[str, Any]] = before["answers"]
            return told
    root, wanted = questions(collection, way, scratch, count)
    answer, found = contender.open(root), []
    for each in wanted[: contender.most or None]:
        source = (root / each.site.target).read_text(encoding="utf-8").split("\n")
        measures = {
            str(budget): judged(each.site, answer(each.ask, budget, counter), source, counter)
            for budget in BUDGETS
        }
        found.append({"path": each.ask.path, "how": each.site.how, "measures": measures})
    kept.write_text(json.dumps({"version": contender.version, "answers": found}))
    say(f"{contender.name}: {collection}, {way}: {line(found)}")
    return found


def line(answers: Sequence[dict[str, Any]]) -> str:
    """Returns the share with the signature at each budget, for the log."""
    told = summary(answers)
    return "  ".join(f"{budget} {told[str(budget)]['signature']:.3f}" for budget in BUDGETS)


def summary(answers: Iterable[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Returns the means by budget, how often it was too much, and half of a 95 % interval."""
    answers, found = list(answers), {}
    for budget in map(str, BUDGETS):
        rows = [each["measures"][budget] for each in answers]
        if not rows:
            continue
        told = {name: statistics.fmean(row[name] for row in rows) for name in MEASURES}
        told["over"] = statistics.fmean(row["tokens"] > int(budget) for row in rows)
        told["most"] = max(row["tokens"] for row in rows)
        share = told["signature"]
        told["interval"] = 1.96 * math.sqrt(share * (1 - share) / len(rows))
        found[budget] = told | {"questions": len(rows)}
    return found


class AiderMaps:
    """aider's map for every question of a tree, drawn by its own Python before it is asked."""

    def __init__(self, python: Path, tokens: Path, scratch: Path, most: int) -> None:
        self._python, self._tokens, self._scratch, self._most = python, tokens, scratch, most
        self._asks: dict[str, list[Question]] = {}

    def tell(self, root: Path, wanted: Sequence[Question]) -> None:
        """Says what will be asked of a tree."""
        self._asks[root.name] = list(wanted[: self._most])

    def open(self, root: Path) -> Answer:
        """Draws the maps, or goes on where that was stopped."""
        out, asks = (self._scratch / f"aider-{root.name}{end}" for end in (".json", "-asks.json"))
        asks.write_text(
            json.dumps(
                [
                    {
                        "path": each.ask.path,
                        "words": sorted(set(_LONG_NAME.findall(each.ask.near()))),
                        "budgets": BUDGETS,
                    }
                    for each in self._asks[root.name]
                ]
            )
        )
        child = Path(__file__).resolve().parent / "aider_child.py"
        command = [str(self._python), str(child), "maps", "--root", str(root)]
        command += ["--tokens", str(self._tokens), "--asks", str(asks), "--out", str(out)]
        quiet = {**os.environ, "TQDM_DISABLE": "1"}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=quiet)
        maps = {each["path"]: each["maps"] for each in json.loads(out.read_text())}

        def answer(ask: Ask, budget: int, count: Count) -> Shown:
            told = maps[ask.path][str(budget)]
            return Shown(told["text"], list(_passages(root, told["lines"])))

        return answer


def _passages(root: Path, lines: dict[str, list[int]]) -> Iterable[Passage]:
    for path, numbers in lines.items():
        source = (root / path).read_text(encoding="utf-8", errors="replace").split("\n")
        for number in numbers:
            if number <= len(source):
                yield Passage(path, number, number, source[number - 1][:99])


def baselines() -> list[Contender]:
    """Returns those who need nothing but the tree."""
    return [
        Contender(name="open file", version="1", open=lambda root: open_file),
        Contender(name="BM25", version="1", open=lambda root: Pieces(root).shown),
    ]
