"""What may be shown of a repository: items, each of them at several levels of detail.

An item is a definition, or a piece of text. A definition is shown by its head, with the first
line of its documentation, or as it stands in its file; heads come out of the facts, so that a file
is read only where more of it is shown. Nothing here decides what is worth showing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from codewright.repo.faces import Face, Faces
from codewright.repo.facts import Facts
from codewright.types.context import Detail


class Item(NamedTuple):
    """Something that may be shown.

    path: under which it is shown. ordinal: the definition that it is; -1 where it is text. first,
    last: its lines, 0 where it has none. confidence: the chance that it is needed. worth: of its
    levels, the lowest first, what each is worth if it is needed, 1 for a signature.
    """

    path: str
    kind: str
    why: str
    confidence: float
    worth: tuple[tuple[Detail, float], ...]
    ordinal: int = -1
    first: int = 0
    last: int = 0
    source: str = ""
    text: str = ""


class Sight:
    """Reads what is known of definitions, as lines to be shown, for one request.

    A file's lines are looked at once, so that all of a request sees the same.

    Args:
        faces: of the state that is asked.
    """

    def __init__(self, faces: Faces) -> None:
        self._faces, self._lookup = faces, faces.lookup
        self._lines: dict[str, Sequence[str] | None] = {}
        self._known: dict[tuple[str, int], Face] = {}
        self._whole: dict[tuple[str, int], list[str]] = {}

    def facts(self, path: str) -> Facts | None:
        """Returns what is known of a file."""
        file = self._lookup.files.get(path)
        return None if file is None else self._lookup.index.facts(file.content)

    def lines(self, path: str) -> Sequence[str] | None:
        """Returns a file's lines; None where it has gone or changed since it was indexed."""
        if path not in self._lines:
            self._lines[path] = self._faces.texts.lines(path)
        return self._lines[path]

    def face(self, path: str, ordinal: int) -> Face:
        """Returns what a definition looks like."""
        key = path, ordinal
        face = self._known.get(key)
        if face is None:
            face = self._known[key] = self._faces.of(path, ordinal)
        return face

    def first(self, path: str, ordinal: int) -> int:
        """Returns the first line of a definition."""
        return self.face(path, ordinal).definition.first

    def within(self, path: str, ordinal: int) -> Sequence[int]:
        """Returns the definitions that one stands in, the outermost first, the file not counted."""
        return self.face(path, ordinal).within

    def shown(self, path: str, ordinal: int, detail: Detail) -> list[str] | None:
        """Returns the lines of a definition at a level; None where they cannot be had."""
        face = self.face(path, ordinal)
        if detail == "signature":
            return face.signature
        if detail == "head":
            if not face.documented:
                return None
            lines = self.lines(path)
            return None if lines is None else face.head(lines)
        whole = self._whole.get((path, ordinal))
        if whole is None:
            lines = self.lines(path)
            if lines is None:
                return None
            whole = self._whole[path, ordinal] = face.whole(lines)
        return whole

    def can_be_had(self, path: str, ordinal: int, detail: Detail) -> bool:
        """Tells whether a definition can be shown at a level."""
        if detail == "whole":
            return self.lines(path) is not None
        return detail == "signature" or self.shown(path, ordinal, detail) is not None

    def size(self, path: str, ordinal: int, detail: Detail) -> int:
        """Returns about how many tokens a definition is at a level; 0 where it cannot be had."""
        face = self.face(path, ordinal)
        size = face.sizes.get(detail)
        if size is None:
            lines = self.shown(path, ordinal, detail)
            if lines is None:
                return 0
            size = face.sizes[detail] = self._faces.size(lines)
        return size
