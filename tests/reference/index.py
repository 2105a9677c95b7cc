"""An `Index` that is obviously right: every file read into memory, every question a loop.

It is what the store is compared with, and what tests of everything above the store may use. It
finds nothing again that changed: make another one. Files are taken by suffix, so it knows nothing
of `.gitignore`; folders that begin with a dot are left out.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from codewright.errors import DataError
from codewright.repo.facts import Extractor, Facts
from codewright.repo.index import File, Found
from codewright.repo.sources import as_utf8
from tests.reference.cutter import Chunk, Searched

K1, B = 1.2, 0.75
WEIGHTS = (10.0, 3.0, 1.0)
"""Of the words of a piece's name, its head and its body."""
LEAST = 1e-6
"""What a word is worth that stands in half of all pieces or more, as in SQLite's bm25()."""
MANY = 4096
"""Pieces from which on such words are left out."""
Piece = tuple[int, int, list[list[str]]]
"""Content, place in it, and the words of its fields."""


class MemoryIndex:
    """All files of a folder whose suffix has an extractor.

    Args:
        root: the folder.
        extractors: by suffix (".py"); "" takes what no other takes.
        searched: cuts a file into pieces.
    """

    def __init__(self, root: Path, extractors: Mapping[str, Extractor], searched: Searched) -> None:
        self._root = root.resolve()
        self._files: list[File] = []
        self._data: dict[int, bytes] = {}
        self._facts: dict[int, Facts] = {}
        self._chunks: dict[int, list[Chunk]] = {}
        self._first: dict[int, File] = {}
        self._kept: dict[str, bytes] = {}
        numbers: dict[tuple[bytes, str], int] = {}
        for path in sorted(self._paths(), key=lambda path: path.encode()):
            suffix = Path(path).suffix
            extractor = extractors.get(suffix, extractors.get(""))
            if extractor is None:
                continue
            data = (self._root / path).read_bytes()
            facts = extractor.facts(data)
            content = numbers.setdefault((data, facts.language), len(numbers) + 1)
            file = File(path, content, facts.language, facts.lines, len(data))
            self._files.append(file)
            if content not in self._facts:
                self._facts[content] = facts
                self._data[content] = data
                self._chunks[content] = list(searched.chunks(facts, as_utf8(data)[0]))
                self._first[content] = file

    def _paths(self) -> list[str]:
        found = []
        for path in self._root.rglob("*"):
            inside = path.relative_to(self._root)
            if path.is_file() and not any(part.startswith(".") for part in inside.parts[:-1]):
                found.append(inside.as_posix())
        return found

    @property
    def root(self) -> Path:
        return self._root

    @property
    def state(self) -> str:
        """A sum of hashes, so that a change of one file changes it by a difference."""
        total = 0
        for file in self._files:
            blob = blob_hash(self._data[file.content])
            each = hashlib.sha256(file.path.encode() + b"\0" + blob)
            total += int.from_bytes(each.digest(), "big")
        return f"{total % 2**256:064x}"[:16]

    def files(self) -> Sequence[File]:
        return self._files

    def file(self, path: str) -> File | None:
        return next((file for file in self._files if file.path == path), None)

    def facts(self, content: int) -> Facts:
        return self._facts[content]

    def text(self, path: str) -> str:
        file = self.file(path)
        if file is None:
            raise DataError(f"{path} is not in the index")
        try:
            data = (self._root / path).read_bytes()
        except OSError:
            raise DataError(f"{path} has gone") from None
        if data != self._data[file.content]:
            raise DataError(f"{path} has changed")
        return as_utf8(data)[0].decode("utf-8", "replace")

    def defining(self, name: str, most: int | None = None) -> Sequence[tuple[File, int]]:
        return [
            (file, ordinal)
            for file in self._files
            for ordinal, definition in enumerate(self._facts[file.content].definitions)
            if ordinal and definition.name == name
        ][:most]

    def mentioning(self, name: str) -> Sequence[File]:
        return [
            file
            for file in self._files
            if any(reference.name == name for reference in self._facts[file.content].references)
        ]

    def together(self, name: str, others: Sequence[str]) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for content in {file.content for file in self._files}:
            said = {reference.name for reference in self._facts[content].references}
            if name in said:
                counts.update(said.intersection(others))
        return counts

    def names(self, prefix: str, limit: int) -> Sequence[str]:
        names = {
            definition.name
            for facts in self._facts.values()
            for definition in facts.definitions[1:]
            if definition.name.startswith(prefix)
        }
        return sorted(names, key=str.encode)[:limit]

    def match(self, words: Sequence[str], limit: int) -> Sequence[Found]:
        """BM25 (Robertson and Zaragoza, 2009, section 3.3), a word in a field counted by its
        weight; each piece once, in the first file that has its content."""
        pieces = [
            (content, place, [field.split() for field in (chunk.named, chunk.head, chunk.body)])
            for content, chunks in self._chunks.items()
            for place, chunk in enumerate(chunks)
        ]
        lengths = [sum(map(len, fields)) for _, _, fields in pieces]
        average = sum(lengths) / max(len(pieces), 1)
        scores = [0.0] * len(pieces)
        hit = [False] * len(pieces)
        for word in self._telling(list(dict.fromkeys(words)), pieces):
            counts = [
                sum(
                    weight * field.count(word)
                    for weight, field in zip(WEIGHTS, fields, strict=True)
                )
                for _, _, fields in pieces
            ]
            having = sum(count > 0 for count in counts)
            worth = max(math.log((len(pieces) - having + 0.5) / (having + 0.5)), LEAST)
            for place, count in enumerate(counts):
                if count:
                    hit[place] = True
                    size = K1 * (1 - B + B * lengths[place] / average)
                    scores[place] += worth * count * (K1 + 1) / (count + size)
        found = [
            self._found(self._first[content], place, score)
            for (content, place, _), score, wanted in zip(pieces, scores, hit, strict=True)
            if wanted
        ]
        return sorted(found, key=lambda each: (-each.score, each.file.path.encode(), each.chunk))[
            :limit
        ]

    def _telling(self, words: list[str], pieces: list[Piece]) -> list[str]:
        """Leaves out what stands in half of many pieces; of such alone, only the rarest stays."""
        if len(pieces) < MANY:
            return words
        having = {
            word: sum(any(word in field for field in fields) for _, _, fields in pieces)
            for word in words
        }
        few = [word for word in words if 2 * having[word] < len(pieces)]
        if any(having[word] for word in few):
            return few
        return sorted(words, key=lambda word: having[word] or len(pieces))[:1]

    def chunks(self, file: File) -> Sequence[Found]:
        return [self._found(file, place, 0.0) for place in range(len(self._chunks[file.content]))]

    def _found(self, file: File, place: int, score: float) -> Found:
        chunk = self._chunks[file.content][place]
        number = file.content << 20 | place
        return Found(file, number, chunk.ordinal, chunk.first, chunk.last, score)

    def kept(self, key: str) -> bytes | None:
        return self._kept.get(key)

    def keep(self, key: str, value: bytes) -> None:
        self._kept[key] = value


def blob_hash(data: bytes) -> bytes:
    """Returns what git names a file's content by."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).digest()
