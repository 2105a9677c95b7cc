"""Signals of a file's quality that cost too much to ask for every file of a corpus.

Four of them vote: transparent rules, docstrings, what a linter finds, and whether there are tests
for the file. A file is called good or bad only where they lean the same way; the others are not
used for learning. No person labelled anything.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codewright.corpus.quality_features import FEATURES
from codewright.types.document import Document

RULES = {
    "half of the lines of functions in ones of more than 80": ("long_functions", 0.5),
    "a tenth of the statements nested five deep": ("deep", 0.1),
    "a twentieth of the lines above 100 characters": ("line_long", 0.05),
    "half of the lines are repetitions": ("repeated_lines", 0.5),
    "a quarter of the imports are stars": ("star_imports", 0.25),
    "a bare except for every 200 statements": ("bare_excepts", 0.005),
    "a silent except for every 100 statements": ("silent_excepts", 0.01),
    "a global for every five functions": ("globals", 0.2),
    "commented-out code": ("commented_code", 0.03),
    "two fifths of the names have one or two letters": ("short_names", 0.4),
    "prints": ("prints", 0.05),
    "little but imports": ("imports", 0.6),
    "little but assignments": ("assignments", 0.85),
}
"""What breaks a rule: a figure above a value. All are rates: a file is not worse for being long."""

LINT = (
    "E4,E7,E9,W,F,B,C4,C901,SIM,RET,PIE,PLE,PLW,PLR0911,PLR0912,PLR0913,PLR0915,N,A,S110,BLE,PERF"
)
TEST = re.compile(r"(?:^|/)tests?/|(?:^|/)test_[^/]*\.py$|_test\.py$")
_IMPORT = re.compile(
    r"^\s*(?:from\s+([\w.]+)\s+import\s+([\w, ]+)|import\s+([\w.]+))", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """What the signals say of one file: 1 good, -1 bad, 0 nothing.

    could_be: whether tests for the file would have been seen: its distribution brings tests.
    """

    rules: int
    documented: int
    lint: int
    tested: int
    could_be: bool

    @property
    def total(self) -> int:
        return self.rules + self.documented + self.lint + self.tested


def votes(
    documents: Sequence[Document],
    figures: Sequence[Sequence[float]],
    everything: Sequence[Document],
) -> list[Votes]:
    """Returns the votes on `documents`; tests are looked for in `everything`."""
    found = lint(documents)
    density = [
        count / (document.text.count("\n") + 1)
        for count, document in zip(found, documents, strict=True)
    ]
    # A short file has nothing or a lot to the line: files are compared with those of their size.
    bins = sizes(documents)
    thirds = {}
    for each in set(bins):
        ordered = sorted(d for d, b in zip(density, bins, strict=True) if b == each)
        thirds[each] = ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3]
    covered = tested(everything)
    with_tests = {origin for origin, count in Counter(o for o, _ in covered).items() if count >= 20}
    told = []
    for document, row, amount, each in zip(documents, figures, density, bins, strict=True):
        low, high = thirds[each]
        is_test = bool(TEST.search(document.path))
        broken = sum(row[FEATURES.index(name)] > most for name, most in RULES.values())
        told.append(
            Votes(
                rules=1 if broken == 0 else -1 if broken >= 2 else 0,
                documented=0 if is_test else _documented(document),
                lint=1 if amount <= low else -1 if amount > high else 0,
                tested=int(not is_test and (document.origin, _module(document.path)) in covered),
                could_be=not is_test and document.origin in with_tests,
            )
        )
    return told


def sizes(documents: Sequence[Document]) -> list[int]:
    """Returns for each document which eighth it is in, by size."""
    order = sorted(range(len(documents)), key=lambda n: len(documents[n].text))
    found = [0] * len(documents)
    for place, number in enumerate(order):
        found[number] = 8 * place // len(order)
    return found


def _documented(document: Document) -> int:
    tree = ast.parse(document.text)
    public = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
    ]
    with_docstring = sum(ast.get_docstring(node, clean=False) is not None for node in public)
    if len(public) >= 3 and with_docstring < 0.15 * len(public):
        return -1
    opened = ast.get_docstring(tree, clean=False) is not None
    return int(bool(public) and with_docstring >= 0.6 * len(public) and opened)


def lint(documents: Sequence[Document]) -> list[int]:
    """Returns how many things ruff finds in each document, without a configuration."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, document in enumerate(documents):
            (folder / f"f{number:06d}.py").write_text(document.text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--exit-zero",
             "--select", LINT, "--ignore", "N999", "--output-format", "json-lines", str(folder)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    counts = Counter(
        Path(json.loads(line)["filename"]).stem for line in done.stdout.splitlines() if line
    )
    return [counts[f"f{number:06d}"] for number in range(len(documents))]


def tested(documents: Sequence[Document]) -> set[tuple[str, str]]:
    """Returns (origin, dotted module) of what tests of the same origin are about."""
    found = set()
    stems: dict[tuple[str, str], list[str]] = {}
    for document in documents:
        module = _module(document.path)
        stems.setdefault((document.origin, module.rpartition(".")[2]), []).append(module)
    for document in documents:
        if not TEST.search(document.path):
            continue
        stem = _module(document.path).rpartition(".")[2]
        own = stem.removeprefix("test_").removesuffix("_test")
        same = stems.get((document.origin, own), [])
        if len(same) == 1:
            found.add((document.origin, same[0]))
        for match in _IMPORT.finditer(document.text):
            base = match[1] or match[3]
            found.add((document.origin, base))
            for each in (match[2] or "").split(","):
                found.add((document.origin, f"{base}.{each.strip()}"))
    return found


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
