"""A repository as an outline: repository, packages, modules, classes, functions, each with a note.

    outline = Outline(index, kept, hashes)
    outline.children(outline.root)
    outline.find("where are cookies parsed")

A folder's note is its README's or its package's first sentence, else the largest names below it. A
function that says nothing of itself is told by its signature and by names that it uses and few
others do. Notes are kept by content: a file's by its hash, a folder's by the hashes of what is in
it, so that an edit costs the file and the folders above it. `find` goes from coarse to fine: of all
folders and files below the best so far, the best stay (by the words of their notes and names, rarer
words counting more), until only definitions are left.

Notes come from the repository alone here; `summaries.py` has them written by a model.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from codewright.errors import DataError
from codewright.repo.facts import Binding, Facts, Use
from codewright.repo.index import File, Index
from codewright.repo.notes import CALLABLE, CONTAINERS, MAIN, Note, of_definition, of_file
from codewright.repo.query import read
from codewright.repo.words import each_word, stem

VERSION = b"1"
"""Changes when notes are taken in another way: they are kept by what they were taken from."""
_BEAM = 8
_DEFINITIONS = 400
_K = 1.2
_USED = 3
_TELLING = frozenset({Use.CALL, Use.READ, Use.INHERIT})


class Kept(Protocol):
    """Keeps texts by what they were made from."""

    def get(self, keys: Iterable[bytes]) -> Mapping[bytes, str]:
        """Returns the texts that are kept under these keys."""
        ...

    def put(self, texts: Mapping[bytes, str]) -> None:
        """Keeps texts."""
        ...


class Node(NamedTuple):
    """One place in the outline.

    kind: repository, package, module, class or function. path: of the folder ("" for the
    repository) or file. ordinal: in the file. key: equal where the note was made from the same.
    """

    kind: str
    path: str
    ordinal: int
    name: str
    line: int
    says: str
    key: bytes


class Trail(NamedTuple):
    """A way down to a definition, or to a file without any: the nodes from the top."""

    nodes: Sequence[Node]
    score: float


class _Entry(NamedTuple):
    """A folder or file with what is known of it."""

    node: Node
    note: Note


class Outline:
    """The outline of one state.

    Args:
        index: the repository.
        kept: where notes are kept.
        hashes: of the bytes of each content.
    """

    def __init__(self, index: Index, kept: Kept, hashes: Mapping[int, bytes]) -> None:
        self._index = index
        self._kept = kept
        self._inside: dict[str, list[str]] = {"": []}
        self._files: dict[str, File] = {}
        for file in index.files():
            self._files[file.path] = file
            self._place(file.path)
        self._hashes = hashes
        self._entries: dict[str, _Entry] = {}
        self._spread: dict[str, int] = {}
        self.taken = 0
        """How many notes were taken and not found: what an edit costs."""
        self._take()

    @property
    def root(self) -> Node:
        """The repository."""
        return self._entries[""].node

    def at(self, path: str) -> Node | None:
        """Returns the node of a folder or file."""
        entry = self._entries.get(path.strip("/").removeprefix("./"))
        return entry.node if entry else None

    def children(self, node: Node) -> Sequence[Node]:
        """Returns what is directly below a node: folders first, definitions in their order."""
        if node.path in self._inside:
            below = [self._entries[path] for path in self._inside[node.path]]
            below.sort(key=lambda each: (each.node.kind == "module", each.node.path))
            return [each.node for each in below]
        facts = self._facts(node.path)
        return [
            each._replace(says=f"{each.says}: {', '.join(telling)}")
            if not facts.definitions[each.ordinal].doc
            and (telling := self._used(facts, each.ordinal))
            else each
            for each in self._definitions(node)
        ]

    def find(self, query: str, limit: int = 10) -> Sequence[Trail]:
        """Returns the definitions that a query leads to, best first; none without telling words."""
        words = read(query).words
        leaves: list[tuple[_Entry, float]] = []
        level = [self._entries[path] for path in self._inside[""]]
        while level:
            ranked = self._ranked(words, level)[:_BEAM]
            leaves += [each for each in ranked if each[0].node.path not in self._inside]
            level = [
                self._entries[path]
                for entry, _ in ranked
                for path in self._inside.get(entry.node.path, ())
            ]
        leaves.sort(key=lambda each: (-each[1], each[0].node.path))
        trails = [
            trail for entry, score in leaves[:_BEAM] for trail in self._inner(words, entry, score)
        ]
        trails.sort(key=lambda each: (-each.score, each.nodes[-1].path, each.nodes[-1].line))
        return trails[:limit]

    def source(self, node: Node) -> Sequence[str]:
        """Returns the lines of a definition, all lines of a file."""
        lines = self._lines(node.path)
        if node.kind == "module":
            return lines
        definition = self._facts(node.path).definitions[node.ordinal]
        return lines[definition.first - 1 : definition.end]

    def _place(self, path: str) -> None:
        while True:
            folder = path.rpartition("/")[0]
            known = folder in self._inside
            self._inside.setdefault(folder, []).append(path)
            if known:
                return
            path = folder

    def _take(self) -> None:
        """Takes the notes of all files and folders, those that are not kept anew."""
        keys = {
            path: _key(b"file", [file.language.encode(), self._hashes[file.content]])
            for path, file in self._files.items()
        }
        kept = self._kept.get(keys.values())
        new: dict[bytes, str] = {}
        for path, key in keys.items():
            text = kept.get(key) or new.get(key)
            if text is None:
                text = new[key] = _written(of_file(self._facts(path), self._lines(path)))
            node = Node("module", path, 0, path.rpartition("/")[2], 1, "", key)
            self._entries[path] = self._entry(node, _read(text))
        folders = sorted(self._inside, key=lambda path: (-path.count("/") - bool(path), path))
        for folder in folders:
            below = sorted(self._inside[folder])
            parts = [
                part for path in below for part in (path.encode(), self._entries[path].node.key)
            ]
            key = _key(b"folder", parts)
            text = self._kept.get([key]).get(key)
            if text is None:
                text = new[key] = _written(self._of_folder(below))
            kind = "package" if folder else "repository"
            name = folder.rpartition("/")[2] or self._index.root.name
            self._entries[folder] = self._entry(
                Node(kind, folder, 0, name, 0, "", key), _read(text)
            )
        self.taken = len(new)
        self._kept.put(new)

    def _entry(self, node: Node, note: Note) -> _Entry:
        says = note.says or (f"has {', '.join(note.main)}" if note.main else "")
        return _Entry(node._replace(says=says), note)

    def _of_folder(self, below: Sequence[str]) -> Note:
        counts: Counter[str] = Counter()
        largest: list[tuple[int, str]] = []
        says = ""
        for path in sorted(below, key=_telling):
            note = self._entries[path].note
            counts.update(note.words)
            if path in self._files:
                if not says and _says(path):
                    says = note.says
                name = note.main[0] if note.main else _bare(path)
                largest.append((-self._files[path].lines, name))
            else:
                largest += [(-sum(note.words.values()), name) for name in note.main[:1]]
        words = dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:3000])
        main = list(dict.fromkeys(name for _, name in sorted(largest)))[:MAIN]
        return Note(says=says, words=words, main=main)

    def _ranked(
        self, words: Sequence[str], entries: Sequence[_Entry]
    ) -> list[tuple[_Entry, float]]:
        """Returns the entries with any of the words, best first, by BM25 among themselves."""
        counts = [self._counts(words, each) for each in entries]
        sizes = [sum(each.note.words.values()) + 1 for each in entries]
        scores = _bm25(words, counts, sizes)
        found = [pair for pair in zip(entries, scores, strict=True) if pair[1] > 0]
        return sorted(found, key=lambda each: (-each[1], each[0].node.path))

    def _counts(self, words: Sequence[str], entry: _Entry) -> Mapping[str, int]:
        called = {stem(word) for word in each_word(entry.node.name.rpartition(".")[0])}
        called |= {stem(word) for word in each_word(entry.node.name)}
        return {word: entry.note.words.get(word, 0) + 5 * (word in called) for word in words}

    def _inner(self, words: Sequence[str], entry: _Entry, score: float) -> list[Trail]:
        """Returns the ways to the definitions of a file that have any of the words."""
        path = entry.node.path
        above = [self._entries[""].node]
        parts = path.split("/")
        above += [self._entries["/".join(parts[:end])].node for end in range(1, len(parts) + 1)]
        trails = [above]
        trails += [[*above, each] for each in self._definitions(entry.node)[:_DEFINITIONS]]
        trails += [
            [*trail, each]
            for trail in trails[1:]
            if trail[-1].kind == "class"
            for each in self._definitions(trail[-1])[:_DEFINITIONS]
        ]
        texts = [Counter(stem(w) for w in each_word(f"{t[-1].name} {t[-1].says}")) for t in trails]
        inner = _bm25(words, texts, [sum(each.values()) + 1 for each in texts])
        most = max(inner, default=0.0) or 1.0
        found = [
            Trail(trail, score * (0.5 + inside / most / 2))
            for trail, inside in zip(trails, inner, strict=True)
            if inside > 0
        ]
        return found or [Trail(above, score / 2)]

    def _definitions(self, node: Node) -> Sequence[Node]:
        facts, lines = self._facts(node.path), self._lines(node.path)
        found = []
        for ordinal, each in enumerate(facts.definitions):
            if not ordinal or each.parent != node.ordinal:
                continue
            if each.kind in CONTAINERS or each.kind in CALLABLE:
                kind = "class" if each.kind in CONTAINERS else "function"
                text = "\n".join(lines[each.first - 1 : each.end]).encode("utf-8", "replace")
                key = _key(b"definition", [text])
                says = of_definition(each, lines)
                found.append(Node(kind, node.path, ordinal, each.name, each.line, says, key))
        return found

    def _used(self, facts: Facts, ordinal: int) -> Sequence[str]:
        """Returns the names that tell most: used here, and in few files (tf-idf)."""
        counts = Counter(
            each.name
            for each in facts.references
            if each.scope == ordinal and each.use in _TELLING and each.binding != Binding.BUILTIN
        )
        for name in counts:
            if name not in self._spread:
                self._spread[name] = len(self._index.mentioning(name)) or 1
        every = len(self._files) + 1
        worth = {name: n * math.log(every / self._spread[name]) for name, n in counts.items()}
        return sorted(worth, key=lambda name: (-worth[name], name))[:_USED]

    def _facts(self, path: str) -> Facts:
        return self._index.facts(self._files[path].content)

    def _lines(self, path: str) -> Sequence[str]:
        try:
            text = self._index.text(path)
        except DataError:
            return ()
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _bare(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _says(path: str) -> bool:
    """True where a file speaks for its folder."""
    return _telling(path)[0] < 2


def _telling(path: str) -> tuple[int, str]:
    name = path.rpartition("/")[2].lower()
    if name.startswith("readme"):
        return 0, path
    return (1 if name in ("__init__.py", "mod.rs", "package-info.java", "doc.go") else 2), path


def _bm25(
    words: Sequence[str], counts: Sequence[Mapping[str, int]], sizes: Sequence[int]
) -> list[float]:
    average = sum(sizes) / max(len(sizes), 1)
    scores = [0.0] * len(counts)
    for word in words:
        having = sum(each.get(word, 0) > 0 for each in counts)
        worth = math.log(1 + (len(counts) - having + 0.5) / (having + 0.5))
        for at, each in enumerate(counts):
            if count := each.get(word, 0):
                scores[at] += worth * count / (count + _K * (0.25 + 0.75 * sizes[at] / average))
    return scores


def _key(kind: bytes, parts: Iterable[bytes]) -> bytes:
    hashed = hashlib.sha256(VERSION + kind)
    for part in parts:
        hashed.update(len(part).to_bytes(8, "little") + part)
    return hashed.digest()


def _written(note: Note) -> str:
    return json.dumps([note.says, dict(note.words), list(note.main)], separators=(",", ":"))


def _read(text: str) -> Note:
    says, words, main = json.loads(text)
    return Note(says=says, words=words, main=main)
