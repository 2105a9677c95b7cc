"""Does the embedded model write the next line better when it is shown the repository?

Lines are drawn from packages that the model was not trained on, and the cursor stands behind the
line's indentation. Asked greedily for the rest of the line with nothing else, with the file round
it, and with pieces of other files before that (`complete --context`, the same 2,048 tokens in
all). "Any" lines are drawn from all lines of code; "cross" lines use a name that the file imports
from its own package. exact: the line is right, white space at its ends aside. similarity: one minus
the edit distance over the longer length (Levenshtein).
"""

from __future__ import annotations

import ast
import json
import math
import random
import re
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.pages import say
from bench.remembering import ours, releases
from bench.remembering.contenders import Ask
from bench.remembering.trees import python_files

from codewright.cli.context_manner import manner_of
from codewright.cli.opening import languages
from codewright.generate.registry import open_generator
from codewright.generate.remote import Service
from codewright.repo.context import RepositoryContext
from codewright.repo.reading import opened as unpacked
from codewright.types.generation import Request
from codewright.write.complete import Cursor, Wanted, request

HELD_OUT = ("boltons==26.2.0", "celery==5.7.0", "tornado==6.6.1")
BUDGET = 512
ARMS = ("nothing", "file", "repository")
KINDS = ("any", "cross")
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of a package that is taken away. ask: the cursor behind its indentation."""

    package: str
    kind: str
    ask: Ask
    line: str


def trees(scratch: Path) -> dict[str, Path]:
    """Returns the folders of the packages, fetched where they are not there yet."""
    found = {}
    folder = scratch / "held-out"
    folder.mkdir(parents=True, exist_ok=True)
    for package in HELD_OUT:
        root = folder / package
        if not root.is_dir():
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
            subprocess.run([*pip, "--only-binary", ":all:", package], check=True, stdout=sys.stderr)
            name = package.partition("=")[0]
            releases.unpack(next(folder.glob(f"{name}-*.whl")), root)
        found[package] = root
    return found


def drawn(roots: dict[str, Path], count: int, seed: int = 0) -> list[Place]:
    """Returns so many places of each kind, one for each file in turn, then a second one."""
    chance = random.Random(seed)
    every: dict[str, list[list[Place]]] = {kind: [] for kind in KINDS}
    for package, root in roots.items():
        for path in python_files(root):
            inside = path.relative_to(root)
            if "test" in str(inside.parent) or path.name.startswith("test"):
                continue
            text = path.read_text(encoding="utf-8")
            for kind, places in _places(package, inside.as_posix(), text).items():
                chance.shuffle(places)
                every[kind].append(places)
    found: list[Place] = []
    for files in every.values():
        chance.shuffle(files)
        turns = (each[turn] for turn in range(1000) for each in files if turn < len(each))
        found += [place for _, place in zip(range(count), turns, strict=False)]
    return found


def _places(package: str, path: str, text: str) -> dict[str, list[Place]]:
    """Returns the places of one file."""
    names, lines = own_names(text, path.partition("/")[0]), text.split("\n")
    strings = _in_strings(text)
    found: dict[str, list[Place]] = {kind: [] for kind in KINDS}
    for number, line in enumerate(lines):
        body = line.strip()
        if len(body) < 8 or body[0] in "#\"'" or number + 1 in strings:
            continue
        if body.startswith(("import ", "from ", "def ", "class ", "@")):
            continue
        column = len(line) - len(line.lstrip())
        before = "\n".join([*lines[:number], line[:column]])
        ask = Ask(path=path, before=before, after="\n".join(["", *lines[number + 1 :]]))
        for kind in ("any", *(["cross"] if names & set(_NAME.findall(body)) else [])):
            found[kind].append(Place(package=package, kind=kind, ask=ask, line=body))
    return found


def own_names(text: str, package: str) -> set[str]:
    """Returns the names that a file imports from its own package."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (
            node.level or (node.module or "").partition(".")[0] == package
        ):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def _in_strings(text: str) -> set[int]:
    """Returns the lines that belong to a text of several lines."""
    return {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        if node.end_lineno != node.lineno
    }


def measured(scratch: Path, count: int) -> dict[str, Any]:
    """Returns the scores by arm and kind."""
    roots = trees(scratch)
    places = drawn(roots, count)
    generator = open_generator("embedded", environment={}, service=Service())
    told: dict[str, Any] = {"places": len(places), "packages": list(roots), "scores": {}}
    asked = {arm: [_bare(place, arm) for place in places] for arm in ARMS[:2]}
    asked["repository"] = _with_context(places, roots, scratch)
    for arm, requests in asked.items():
        said = [each[0].text for each in generator.generate(requests)]
        scores = [score(text, place.line) for text, place in zip(said, places, strict=True)]
        told["scores"][arm] = {
            kind: summary([s for s, p in zip(scores, places, strict=True) if p.kind == kind])
            for kind in KINDS
        }
        say(f"completion, {arm}: {json.dumps(told['scores'][arm])}")
    return told


def _bare(place: Place, arm: str) -> Request:
    ask = place.ask
    if arm == "nothing":
        return request(Cursor(before=ask.before.split("\n")[-1], after="", python=True), _WANTED)
    return request(Cursor(before=ask.before, after=ask.after, python=True), _WANTED)


_WANTED = Wanted(line=True, max_tokens=48)


def _with_context(places: Sequence[Place], roots: dict[str, Path], scratch: Path) -> list[Request]:
    read, found = languages(), {}
    for package, root in roots.items():
        store = ours.opened(root, scratch / "cache")
        how = manner_of("embedded", form="auto", tokenizer=None, name=package.partition("=")[0])
        builder = RepositoryContext(
            store, lambda _, data: unpacked(read.read("python", data).facts), how
        )
        for number, place in enumerate(places):
            if place.package == package:
                context = builder.retrieve(ours.query(place.ask), BUDGET)
                cursor = Cursor(before=place.ask.before, after=place.ask.after, python=True)
                wanted = Wanted(line=True, max_tokens=48, context=context)
                found[number] = request(cursor, wanted)
    return [found[number] for number in range(len(places))]


def score(said: str, line: str) -> tuple[float, float]:
    """Returns whether the first line that was said is right, and how similar it is."""
    first = said.split("\n")[0].strip()
    longest = max(len(first), len(line))
    return float(first == line), 1 - distance(first, line) / longest if longest else 1.0


def distance(one: str, other: str) -> int:
    """Returns the least number of characters put in, taken out or changed (Levenshtein)."""
    row = list(range(len(other) + 1))
    for number, mine in enumerate(one, 1):
        before, row[0] = row[0], number
        for place, yours in enumerate(other, 1):
            least = min(row[place] + 1, row[place - 1] + 1, before + (mine != yours))
            before, row[place] = row[place], least
    return row[-1]


def summary(scores: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Returns the means, each with half of its 95 % interval."""
    exact, similar = zip(*scores, strict=True)
    told = {"places": float(len(scores))}
    for name, values in (("exact", exact), ("similarity", similar)):
        told[name] = statistics.fmean(values)
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        told[f"{name} ±"] = 1.96 * spread / math.sqrt(len(values))
    return told
