"""Finds the pieces of a repository that a query is about, by several ways together.

    Searcher(index, meaning=vectors, ties=ties).search("where are sessions closed", limit=10)

The ways: `words` (BM25 over names, heads and bodies), `meaning` (vectors, where there are some),
`names` (symbols called so, or beginning so), `ties` (what the best of the others use and are used
by). Words and meaning have scores for the same pieces and are mixed into one ranking (`mixing.py`);
names and ties have places alone, which are fused with that ranking's (`fusion.py`). Every hit says
its place in each way. Pieces of one definition are one hit. A filter leaves out of the fused
ranking and moves nothing in it. Where too little is left, the ways are asked for more, up to `MOST`
each, and all is mixed and fused anew: a piece of which only the words had been found may then have
a meaning too, and another place.

The same index and query give the same hits. A query cannot fail: one that says nothing finds
nothing. What stands in a hit is the repository's text, data and never an instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

from codewright.errors import DataError
from codewright.repo.chunks import LONGEST
from codewright.repo.facts import Definition
from codewright.repo.fusion import Fused, K, fuse
from codewright.repo.index import File, Found, Index
from codewright.repo.mixing import MEANING, mixed
from codewright.repo.naming import named
from codewright.repo.query import Query, read
from codewright.repo.remembered_words import RememberedWords

DEPTH = 60
"""Pieces that each way is asked for."""
MOST = 3840
"""Pieces that a way is asked for at most, where filters leave too little."""
TEXT = "text"
"""The ranking of words and meaning together."""
_SEEDS = 8
"""Hits whose neighbours count."""
_READ = 300
"""Hits that are held against the phrases of a query."""
_AROUND = 2
"""Lines of a snippet before and after the best one."""

Key = tuple[str, int]
"""A path, and an ordinal; or, where a piece is of the file itself, minus its first line."""

_WORDS = RememberedWords()


class Meaning(Protocol):
    """Finds by what a text means."""

    def nearest(self, text: str, limit: int) -> Sequence[Found]:
        """Returns the nearest pieces, best first, each once."""
        ...


class Ties(Protocol):
    """Knows what belongs together."""

    def near(self, path: str, ordinal: int) -> Sequence[tuple[str, int]]:
        """Returns the definitions that one uses and is used by, the closest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the ways are weighed. Measured: see docs/log.md.

    meaning: of a cosine beside the share of the best score by words. weights: of the rankings that
    are fused; `text` is the one of words and meaning, and counts once for each that found
    something.
    """

    meaning: float = MEANING
    weights: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({TEXT: 1.0, "names": 1.0, "ties": 0.1})
    )
    k: int = K


class Hit(NamedTuple):
    """One piece or definition that was found.

    ordinal: its definition. first, last: its lines. line: the one that fits best; snippet: lines
    around it, from `begins` on, empty where the file has changed since. places: in each way that
    found it, from 1.
    """

    file: File
    ordinal: int
    definition: Definition
    qualified: str
    first: int
    last: int
    line: int
    begins: int
    snippet: Sequence[str]
    score: float
    places: Mapping[str, int]


Keeps = Callable[[File, int], bool]
"""A filter: whether a definition of a file may be a hit."""


class Searcher:
    """Searches one state of a repository.

    Args:
        index: the repository.
        meaning: finds by meaning; None leaves that way out.
        ties: finds neighbours; None leaves that way out.
        settings: how the ways are weighed.
    """

    def __init__(
        self,
        index: Index,
        *,
        meaning: Meaning | None = None,
        ties: Ties | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._index = index
        self._meaning = meaning
        self._ties = ties
        self._settings = settings or Settings()
        self._same: dict[int, list[File]] = {}

    def search(self, text: str, *, limit: int = 10, keeps: Keeps | None = None) -> Sequence[Hit]:
        """Returns what fits best, best first.

        Args:
            text: words, names, `"phrases"`, patterns with `*`, in any mixture.
            limit: hits at most.
            keeps: leaves out what it is false for.
        """
        query = read(text)
        if query.empty or limit < 1:
            return ()
        depth = DEPTH
        while True:
            asked = _Asked(self._index, query, depth)
            more = asked.ask(self._meaning, self._settings.meaning)
            fused = self._fused(asked)
            kept = self._kept(asked, fused, keeps, limit)
            if len(kept) >= limit or not more or depth >= MOST or query.phrases:
                return [asked.hit(key, each) for key, each in kept]
            depth *= 4

    def _fused(self, asked: _Asked) -> Sequence[Fused[Key]]:
        settings, weights = self._settings, dict(self._settings.weights)
        ways = sum(bool(asked.rankings[way]) for way in ("words", "meaning"))
        weights[TEXT] = weights.get(TEXT, 0.0) * ways
        fused = fuse(asked.rankings, weights, k=settings.k)
        if self._ties is None or not weights.get("ties"):
            return fused
        near: dict[Key, None] = {}
        for path, ordinal in (each.thing for each in fused[:_SEEDS]):
            if ordinal > 0:
                near.update(dict.fromkeys(self._ties.near(path, ordinal)))
        asked.rankings["ties"] = list(near)
        return fuse(asked.rankings, weights, k=settings.k)

    def _kept(
        self, asked: _Asked, fused: Sequence[Fused[Key]], keeps: Keeps | None, limit: int
    ) -> list[tuple[Key, Fused[Key]]]:
        """Returns the best that a filter and the query's phrases leave."""
        found: list[tuple[Key, Fused[Key]]] = []
        taken: set[Key] = set()
        for each in fused[:_READ] if asked.query.phrases else fused:
            key = self._allowed(each.thing, keeps)
            if key is not None and key not in taken and asked.says(key):
                taken.add(key)
                found.append((key, each))
                if len(found) == limit:
                    break
        return found

    def _allowed(self, key: Key, keeps: Keeps | None) -> Key | None:
        """Returns a key that a filter lets pass: of this file, or of one with the same content."""
        file = self._index.file(key[0])
        if file is None:
            return None
        ordinal = max(key[1], 0)
        if keeps is None or keeps(file, ordinal):
            return key
        if not self._same:
            for each in self._index.files():
                self._same.setdefault(each.content, []).append(each)
        twins = (each for each in self._same[file.content] if each != file)
        twin = next((each for each in twins if keeps(each, ordinal)), None)
        return (twin.path, key[1]) if twin is not None else None


class _Asked:
    """One query: the rankings that were found for it, and what is needed to show a hit."""

    def __init__(self, index: Index, query: Query, depth: int) -> None:
        self._index = index
        self.query = query
        self._depth = depth
        self._pieces: dict[tuple[int, int], Found] = {}
        self._lines: dict[str, Sequence[str] | None] = {}
        self.rankings: dict[str, list[Key]] = {}

    def ask(self, meaning: Meaning | None, weight: float) -> bool:
        """Fills the rankings; returns whether a way has more than it was asked for."""
        query, depth = self.query, self._depth
        by_words = self._index.match(query.words, depth) if query.words else ()
        by_meaning = meaning.nearest(query.text, depth) if meaning is not None else ()
        by_names = named(self._index, query, depth)
        self.rankings = {
            "words": [self._key(each) for each in by_words],
            "meaning": [self._key(each) for each in by_meaning],
            TEXT: [self._key(each) for each in mixed(by_words, by_meaning, weight=weight)],
            "names": [(file.path, ordinal) for file, ordinal in by_names],
        }
        return max(len(by_words), len(by_meaning), len(by_names)) >= depth

    def _key(self, found: Found) -> Key:
        number = found.ordinal or -found.first
        self._pieces.setdefault((found.file.content, number), found)
        return found.file.path, number

    def says(self, key: Key) -> bool:
        """True where all of the query's phrases stand in a hit's lines."""
        if not self.query.phrases:
            return True
        file = self._file(key)
        lines = self._text(file.path)
        first, last = self._span(file, key)
        text = " ".join(" ".join(lines[first - 1 : last]).casefold().split())
        return all(phrase.casefold() in text for phrase in self.query.phrases)

    def hit(self, key: Key, fused: Fused[Key]) -> Hit:
        """Returns what is shown of a key."""
        file = self._file(key)
        facts = self._index.facts(file.content)
        ordinal = max(key[1], 0)
        definition = facts.definitions[ordinal]
        first, last = self._span(file, key)
        lines = self._text(file.path)
        piece = self._pieces.get((file.content, key[1]))
        near = range(piece.first, piece.last + 1) if piece else range(first, last + 1)[:LONGEST]
        line = self._best(lines, near, definition.line if ordinal else first)
        begins = max(line - _AROUND, first)
        return Hit(
            file=file,
            ordinal=ordinal,
            definition=definition,
            qualified=facts.qualified(ordinal),
            first=first,
            last=last,
            line=line,
            begins=begins,
            snippet=tuple(lines[begins - 1 : min(line + _AROUND, last)]),
            score=fused.score,
            places={way: place for way, place in fused.places.items() if way != TEXT},
        )

    def _file(self, key: Key) -> File:
        file = self._index.file(key[0])
        assert file is not None
        return file

    def _span(self, file: File, key: Key) -> tuple[int, int]:
        """Returns the lines of a hit: of its definition, or of its piece."""
        if key[1] > 0:
            definition = self._index.facts(file.content).definitions[key[1]]
            return definition.first, max(definition.end, definition.first)
        piece = self._pieces[file.content, key[1]]
        return piece.first, piece.last

    def _text(self, path: str) -> Sequence[str]:
        """Returns a file's lines; none where it has changed since it was indexed."""
        if path not in self._lines:
            try:
                text = self._index.text(path)
                self._lines[path] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            except DataError:
                self._lines[path] = ()
        return self._lines[path] or ()

    def _best(self, lines: Sequence[str], near: range, otherwise: int) -> int:
        """Returns the line with most of the query's words, rarer ones counting more."""
        wanted = set(self.query.words)
        # A stem's last letter may differ in the text: "query" is found in "queries".
        roots = {word[: max(3, len(word) - 1)] for word in wanted}
        having: dict[str, int] = {}
        inside: list[tuple[int, set[str]]] = []
        for number in near:
            line = lines[number - 1] if number <= len(lines) else ""
            small = line.lower()
            if any(root in small for root in roots):
                words = wanted.intersection(_WORDS(line.encode("utf-8", "replace")).split(" "))
                inside.append((number, words))
                for word in words:
                    having[word] = having.get(word, 0) + 1
        best = max(
            inside,
            key=lambda each: (sum(1 / having[word] for word in each[1]), -each[0]),
            default=(otherwise, set()),
        )
        return best[0] if best[1] else otherwise
