"""What may be shown of a repository: items, each of them at several levels of detail.

An item is a definition, or a piece of text. A definition is shown by its head, with the first
line of its documentation, or as it stands in its file; heads come out of the facts, so that a file
is read only where more of it is shown. Nothing here decides what is worth showing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codewright.errors import DataError
from codewright.repo.facts import Facts, Kind
from codewright.repo.index import Index
from codewright.types.context import Detail

INDENT = "    "
LONGEST = 240
"""Characters of a line that are shown; what is longer is seldom written by a person."""
MOST_LINES = 120
"""Lines of a definition that are shown whole."""
CALLED = frozenset((Kind.FUNCTION, Kind.METHOD))
CLASSES = frozenset((Kind.CLASS, Kind.INTERFACE, Kind.STRUCT, Kind.ENUM, Kind.TRAIT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that may be shown.

    path: under which it is shown. ordinal: the definition that it is; -1 where it is text. first,
    last: its lines, 0 where it has none. confidence: the chance that it is needed. worth: of its
    levels, the lowest first, what each is worth if it is needed, 1 for a signature.
    """

    path: str
    ordinal: int = -1
    first: int = 0
    last: int = 0
    kind: str
    why: str
    confidence: float
    worth: tuple[tuple[Detail, float], ...]
    source: str = ""
    text: str = ""


class Sight:
    """Reads what an index says of definitions, as lines to be shown. Remembers files' lines."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lines: dict[str, Sequence[str] | None] = {}
        self._facts: dict[str, Facts | None] = {}
        self._seen: dict[tuple[str, int, Detail], list[str] | None] = {}
        self._within: dict[tuple[str, int], list[int]] = {}

    def facts(self, path: str) -> Facts | None:
        """Returns what is known of a file."""
        if path not in self._facts:
            file = self._index.file(path)
            self._facts[path] = None if file is None else self._index.facts(file.content)
        return self._facts[path]

    def lines(self, path: str) -> Sequence[str] | None:
        """Returns a file's lines; None where it has gone or changed since it was indexed."""
        if path not in self._lines:
            try:
                self._lines[path] = self._index.text(path).split("\n")
            except DataError:
                self._lines[path] = None
        return self._lines[path]

    def first(self, path: str, ordinal: int) -> int:
        """Returns the first line of a definition."""
        facts = self.facts(path)
        assert facts is not None
        return facts.definitions[ordinal].first

    def depth(self, path: str, ordinal: int) -> int:
        """Returns in how many others a definition stands."""
        return len(self.within(path, ordinal))

    def within(self, path: str, ordinal: int) -> Sequence[int]:
        """Returns the definitions that one stands in, the outermost first, the file not counted."""
        known = self._within.get((path, ordinal))
        if known is None:
            facts = self.facts(path)
            assert facts is not None
            known = []
            parent = facts.definitions[ordinal].parent
            while parent > 0:
                known.insert(0, parent)
                parent = facts.definitions[parent].parent
            self._within[path, ordinal] = known
        return known

    def shown(self, path: str, ordinal: int, detail: Detail) -> list[str] | None:
        """Returns the lines of a definition at a level; None where they cannot be had."""
        key = path, ordinal, detail
        if key not in self._seen:
            self._seen[key] = self._shown(path, ordinal, detail)
        return self._seen[key]

    def _shown(self, path: str, ordinal: int, detail: Detail) -> list[str] | None:
        facts = self.facts(path)
        assert facts is not None
        definition = facts.definitions[ordinal]
        indent = INDENT * self.depth(path, ordinal)
        if detail == "whole":
            lines = self.lines(path)
            last = min(definition.end, definition.first + MOST_LINES - 1)
            return (
                None
                if lines is None
                else [cut(line) for line in lines[definition.first - 1 : last]]
            )
        python = facts.language == "python"
        ending = ""
        if definition.kind in CALLED and python:
            ending = ": ..."
        elif definition.kind in CLASSES and python:
            ending = ":"
        head = cut(definition.signature or definition.name)
        if detail == "signature":
            return [f"{indent}{head}{ending}"]
        said = self._said(path, definition.doc, definition.doc_end)
        if not said:
            return None
        if not python:
            return [f"{indent}// {said}", f"{indent}{head}"]
        if not ending:
            return [f"{indent}{head}  # {said}"]
        return [f"{indent}{head}:", f'{indent}{INDENT}"""{said}"""']

    def _said(self, path: str, first: int, last: int) -> str:
        """Returns the first line of a documentation, without quotes and signs of comments."""
        lines = self.lines(path) if first else None
        if lines is None:
            return ""
        for line in lines[first - 1 : last]:
            said = line.strip().lstrip("rRbBuUfF").strip("\"'/*#! ").strip()
            if said:
                return cut(said)
        return ""


def cut(line: str) -> str:
    """Returns a line that is not too long."""
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2]} …"
