"""Drops what the public benchmarks ask, answer and test, so that a score says something.

A document is dropped where it has, of any text of any task (a program without its docstrings, what
is asked, its tests, the lines that a patch adds),
 - at least COVERAGE of the runs of RUN tokens that are its own: runs that more than COMMON texts
   have are left out, a text with fewer than LEAST runs left is too short to tell apart, and LEAST
   of them must be there whatever the share; or
 - LONG tokens one after the other, VARIED of them different (tables of numbers are no copies); or
where a function in it has the shape (shapes.py: names, docstrings, annotations and layout do not
count) of one in a task's program with at least NODES nodes; or with NAMED_NODES, if the function's
own name is the same too (`return x + y` is anybody's).

The first test finds copies in any file, whatever their layout; the second parts of long texts; the
third renamed ones. A translation, or a solution that was rewritten, is found by none of them.

Without a data folder nothing is dropped, and the books say so: the changes of the step have
UNCHECKED with the number of documents. `required` makes an error of it. A benchmark whose file is
missing is named there too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codewright.corpus import shapes
from codewright.corpus.benchmark_texts import Item, read
from codewright.corpus.lexemes import WORDS, TokenHashes, runs
from codewright.corpus.pool import mapped
from codewright.corpus.shapes import Outline
from codewright.corpus.steps import Drops
from codewright.corpus.syntax import parse
from codewright.errors import ConfigError
from codewright.types.document import Document

RUN = 10
COVERAGE = 0.5
COMMON = 8
LEAST = 12
LONG = 60
VARIED = 20
NODES = 14
NAMED_NODES = 7
UNCHECKED = "not decontaminated"
_SIEVE = 24  # bits: a table of 16 MB that most runs of a document fall through


@dataclass(frozen=True, slots=True, kw_only=True)
class Decontaminate:
    """The step.

    folder: of the benchmarks' files (CODEWRIGHT_DATA); None where there is none. required: whether
    that is an error. workers: processes that look at functions.
    """

    folder: Path | None
    required: bool = False
    workers: int = 1

    @property
    def name(self) -> str:
        """Its name in reports."""
        return "decontamination"

    def apply(self, documents: Iterable[Document], drops: Drops) -> Iterator[Document]:
        """Yields each document that holds nothing of a benchmark.

        The reason of a drop names the benchmark, its detail the task and how it was recognised.

        Raises:
            ConfigError: the data is required and not there.
            DataError: a benchmark's file is broken.
            MachineError: a process died.
        """
        items, missing = at_hand(self.folder, required=self.required)
        if self.folder is None:
            for document in documents:
                drops.changed(UNCHECKED)
                yield document
            return
        for name in missing:
            drops.changed(f"{UNCHECKED} against {name}")
        index = Texts(items)
        known = Functions.of(items)
        for document, function in mapped(documents, known.known, self.workers):
            found = index.find(document.text) or function
            if found is None:
                yield document
            else:
                benchmark = found[0].partition("/")[0]
                drops.drop(document, f"contaminated: {benchmark}", f"{found[0]} ({found[1]})")


def at_hand(folder: Path | None, *, required: bool) -> tuple[list[Item], list[str]]:
    """Returns what there is of the benchmarks, and the names of what is missing.

    Raises:
        ConfigError: something is missing, and all is required.
        DataError: a benchmark's file is broken.
    """
    items, missing = ([], ["everything"]) if folder is None else read(folder)
    if missing and required:
        raise ConfigError(
            f"the corpus cannot be kept clean of benchmarks: {', '.join(missing)} is missing",
            hint="set CODEWRIGHT_DATA to a folder that has their files",
        )
    return items, missing


Found = tuple[str, str]
"""The name of a task, and how it was recognised."""


class Texts:
    """The runs of tokens of all texts of all items."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._hashes = TokenHashes()
        self.names: list[str] = []
        texts = self._collect(items)
        found = np.concatenate([*texts, np.empty(0, np.uint64)])
        owners = np.repeat(np.arange(len(texts)), [len(each) for each in texts])
        order = np.argsort(found, kind="stable")
        found, owners = found[order], owners[order]
        # How many texts have a run: each text has it once.
        _, places, counts = np.unique(found, return_inverse=True, return_counts=True)
        own = counts[places] <= COMMON
        sizes = np.bincount(owners[own], minlength=len(texts))
        self.too_short = [self.names[n] for n in np.flatnonzero(sizes < LEAST)]
        used = own & (sizes[owners] >= LEAST)
        self._runs, self._texts, self._sizes = found[used], owners[used], sizes
        self._sieve = np.zeros(1 << _SIEVE, np.bool_)
        self._sieve[self._runs >> np.uint64(64 - _SIEVE)] = True

    def find(self, text: str) -> Found | None:
        """Returns the task that `text` has most of, and how much; None where it has too little."""
        tokens = self._hashes.of(WORDS.findall(text))
        found = _runs(tokens)
        places = np.flatnonzero(self._sieve[found >> np.uint64(64 - _SIEVE)])
        if len(places) < LEAST:
            return None
        places, texts = self._matches(found, places)
        # A run that a document repeats counts once.
        distinct = np.unique(np.stack([texts, found[places].view(np.int64)]), axis=1)[0]
        numbers, counts = np.unique(distinct, return_counts=True)
        numbers, counts = numbers[counts >= LEAST], counts[counts >= LEAST]
        if not len(numbers):
            return None
        shares = counts / self._sizes[numbers]
        best = int(np.argmax(shares))
        if shares[best] >= COVERAGE:
            name = self.names[int(numbers[best])]
            return name, f"{shares[best]:.2f} of its runs of {RUN} tokens"
        for number in numbers[counts > LONG - RUN]:
            if _varied(tokens, places[texts == number]):
                return self.names[int(number)], f"{LONG} tokens in a row"
        return None

    def _collect(self, items: Iterable[Item]) -> list[NDArray[np.uint64]]:
        """Returns the runs of each different text; `names` gets the first task that has it."""
        seen: set[tuple[str, ...]] = set()
        found = []
        for item in items:
            for parts in (*((each,) for each in (*item.programs, *item.texts)), item.added):
                if not any(parts) or parts in seen:
                    continue
                seen.add(parts)
                plain = map(without_docstrings, parts) if parts[0] in item.programs else parts
                tokens = [self._hashes.of(WORDS.findall(part)) for part in plain]
                found.append(np.unique(np.concatenate([_runs(each) for each in tokens])))
                self.names.append(item.name)
        return found

    def _matches(
        self, found: NDArray[np.uint64], places: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns the places of the runs that texts have, and for each the number of a text."""
        first = np.searchsorted(self._runs, found[places], side="left")
        last = np.searchsorted(self._runs, found[places], side="right")
        counts = last - first
        starts = np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        return np.repeat(places, counts), self._texts[starts + np.arange(len(starts))]


def _runs(tokens: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return runs(tokens, RUN) if len(tokens) >= RUN else np.empty(0, np.uint64)


def _varied(tokens: NDArray[np.uint64], places: NDArray[np.int64]) -> bool:
    """Tells whether runs at the given, sorted places make up a stretch that is a copy."""
    borders = np.flatnonzero(np.diff(places) != 1)
    firsts = places[np.concatenate([[0], borders + 1])]
    lasts = places[np.concatenate([borders, [len(places) - 1]])]
    return any(
        last + RUN - first >= LONG and len(np.unique(tokens[first : last + RUN])) >= VARIED
        for first, last in zip(firsts, lasts, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Functions:
    """The shapes of the functions in the programs of benchmarks, each with the name of a task.

    `named` has all of them, with the function's own name; `shapes` those that are large enough to
    be known by their shape alone.
    """

    outlines: frozenset[Outline]
    shapes: dict[int, str]
    named: dict[tuple[int, str], str]

    @classmethod
    def of(cls, items: Iterable[Item]) -> Functions:
        """Collects those of `items` that are large enough."""
        outlines: set[Outline] = set()
        alone: dict[int, str] = {}
        named: dict[tuple[int, str], str] = {}
        tasks: dict[str, str] = {}
        for item in items:
            for program in item.programs:
                tasks.setdefault(program, item.name)
        for program, task in tasks.items():
            tree = parse(program)
            for function in [] if isinstance(tree, str) else shapes.functions(tree):
                key, nodes = shapes.shape(function)
                if nodes < NAMED_NODES or function.name.startswith("__"):
                    continue
                outlines.add(shapes.outline(function))
                named.setdefault((key, function.name), task)
                if nodes >= NODES:
                    alone.setdefault(key, task)
        return cls(frozenset(outlines), alone, named)

    def known(self, texts: list[str]) -> list[Found | None]:
        """Returns for each text the first task whose function it has: the work of a process."""
        return [self.find(text) for text in texts]

    def find(self, text: str) -> Found | None:
        """Returns the task whose function `text` has; None where there is none."""
        tree = parse(text)
        for function in [] if isinstance(tree, str) else shapes.functions(tree):
            if shapes.outline(function) in self.outlines:
                key = shapes.shape(function)[0]
                task = self.shapes.get(key) or self.named.get((key, function.name))
                if task is not None:
                    return task, f"the function {function.name}, line {function.lineno}"
        return None


def without_docstrings(program: str) -> str:
    """Returns Python source without its docstrings; what does not parse is left as it is."""
    tree = parse(program)
    if isinstance(tree, str):
        return program
    lines = program.split("\n")
    for node in shapes.statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | shapes.Function) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                end = first.end_lineno or first.lineno
                lines[first.lineno - 1 : end] = [""] * (end - first.lineno + 1)
    return "\n".join(lines)
