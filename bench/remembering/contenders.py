"""What others would show a model for a cursor: the open file, and pieces found by BM25.

A contender answers with passages, each saying which lines it is made of. `holds` reads the text, so
that no line counts that is not there. Pieces are functions, heads of classes and what stands
between them, at most 60 lines each; BM25 is SQLite's (FTS5), words are identifiers whole and in
their parts, and the question is what stands round the cursor. Nothing here uses Codewright.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import apsw

BEFORE, AFTER = 10, 5
"""Lines round the cursor whose words are the question."""
LONGEST = 60
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

Count = Callable[[str], int]


class Passage(NamedTuple):
    """Lines of a file, or what stands for them in the text."""

    path: str
    first: int
    last: int
    text: str


class Shown(NamedTuple):
    """What a model would be shown: all of the text, and where it comes from."""

    text: str
    passages: Sequence[Passage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A cursor: what the open file says before it, and behind it."""

    path: str
    before: str
    after: str

    def near(self, before: int = BEFORE, after: int = AFTER) -> str:
        """Returns the lines round the cursor."""
        return "\n".join(self.before.split("\n")[-before:] + self.after.split("\n")[:after])


def words(text: str) -> list[str]:
    """Returns the identifiers of a text in lower case, each whole and in its parts."""
    found = []
    for name in _IDENTIFIER.findall(text):
        parts = _PART.findall(name)
        found.append(name.lower())
        if len(parts) > 1:
            found += [part.lower() for part in parts]
    return found


def holds(passages: Sequence[Passage], path: str, line: int, source: str) -> bool:
    """Says whether a line of the source stands in a passage that covers it."""
    wanted = " ".join(source.split())
    return any(
        wanted in " ".join(each.text.split())
        for each in passages
        if each.path == path and each.first <= line <= each.last
    )


def open_file(ask: Ask, budget: int, count: Count) -> Shown:
    """Returns the lines nearest to the cursor, two before it for one behind it."""
    before, after = ask.before.split("\n")[::-1], ask.after.split("\n")
    taken = [before[0] + after[0]]
    spent, ups, downs = count(taken[0]), 1, 1
    while ups < len(before) or downs < len(after):
        up = ups < len(before) and (ups <= 2 * downs or downs >= len(after))
        line = before[ups] if up else after[downs]
        cost = count(line + "\n")
        if spent + cost > budget:
            break
        spent += cost
        if up:
            taken.insert(0, line)
            ups += 1
        else:
            taken.append(line)
            downs += 1
    first, text = len(before) - ups + 1, "\n".join(taken)
    return Shown(text, [Passage(ask.path, first, first + len(taken) - 1, text)])


def pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yields the lines of each piece of a Python file, both ends from 1 and inclusive."""
    lines = text.count("\n") + 1
    borders = {1, lines + 1}
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        tree = ast.Module([], [])
    todo: list[ast.stmt] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            borders.add(min([node.lineno, *(each.lineno for each in node.decorator_list)]))
            borders.add((node.end_lineno or node.lineno) + 1)
            if isinstance(node, ast.ClassDef):
                todo += node.body
    cuts = sorted(borders)
    for first, end in pairwise(cuts):
        for start in range(first, end, LONGEST):
            yield start, min(start + LONGEST, end) - 1


class Pieces:
    """The pieces of all Python files of a tree, searched by BM25."""

    def __init__(self, root: Path) -> None:
        self._base = apsw.Connection(":memory:")
        self._base.execute("create virtual table t using fts5(words, tokenize='ascii')")
        self._lines: dict[str, list[str]] = {}
        self._places: list[tuple[str, int, int]] = []
        rows = []
        for path in sorted(root.rglob("*.py")):
            text = path.read_text(encoding="utf-8", errors="replace")
            name = path.relative_to(root).as_posix()
            self._lines[name] = text.split("\n")
            for first, last in pieces(text):
                body = "\n".join(self._lines[name][first - 1 : last])
                if body.strip():
                    self._places.append((name, first, last))
                    rows.append((len(self._places), " ".join(words(body))))
        with self._base:
            self._base.executemany("insert into t(rowid, words) values (?, ?)", rows)

    def search(self, question: str, limit: int, *, but: str = "") -> list[tuple[str, int, int]]:
        """Returns the pieces with words of a question, best first; none of the file `but`."""
        asked = " OR ".join(
            f'"{word}"' for word in dict.fromkeys(words(question)) if word.isascii()
        )
        if not asked:
            return []
        found = self._base.execute(
            "select rowid from t where t match ? order by bm25(t) limit ?", (asked, 2 * limit)
        )
        places = [self._places[row - 1] for (row,) in found]
        return [place for place in places if place[0] != but][:limit]

    def shown(self, ask: Ask, budget: int, count: Count) -> Shown:
        """Returns the best pieces as far as they fit; the last one is cut at a line."""
        texts: list[str] = []
        passages, spent = [], 0
        for path, first, last in self.search(ask.near(), 100, but=ask.path):
            head = f"# {path}:{first}-{last}\n"
            lines = self._lines[path][first - 1 : last]
            while lines and spent + count(head + "\n".join(lines) + "\n") > budget:
                lines = lines[: len(lines) * 3 // 4]
            if not lines:
                break
            text = head + "\n".join(lines) + "\n"
            spent += count(text)
            texts.append(text)
            passages.append(Passage(path, first, first + len(lines) - 1, text))
            if len(lines) < last - first + 1:
                break
        while texts and count("".join(texts)) > budget:  # pieces may count for more together
            texts.pop()
            passages.pop()
        return Shown("".join(texts), passages)
