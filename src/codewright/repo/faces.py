"""What definitions look like in a few lines, and what that costs in tokens.

Both follow from a content alone, so they are worked out once for a state, whatever the cursor.
Where a file has changed since it was indexed is `passages.py`'s to say: a face is of the content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from codewright.repo.facts import Definition, Kind
from codewright.repo.lookup import Lookup
from codewright.repo.spaces import Space
from codewright.repo.texts import Texts
from codewright.types.context import Detail

MOST = 1 << 15
"""Faces that are remembered, some 30 MB, before remembering begins anew."""
INDENT = "    "
LONGEST = 240
"""Characters of a line that are shown; what is longer is seldom written by a person."""
MOST_LINES = 120
"""Lines of a definition that are shown whole."""
CALLED = frozenset((Kind.FUNCTION, Kind.METHOD))
CLASSES = frozenset((Kind.CLASS, Kind.INTERFACE, Kind.STRUCT, Kind.ENUM, Kind.TRAIT))


class Face:
    """One definition of one content.

    Attributes:
        definition: itself.
        within: what it stands in, the outermost first, the file not counted.
        said: what it says without its place: copies of it say the same.
        sizes: tokens of its lines by level, as far as they were asked for.
    """

    __slots__ = ("_ending", "_head", "_python", "definition", "said", "signature", "sizes",
                 "within")  # fmt: skip

    def __init__(self, space: Space, ordinal: int) -> None:
        definition = space.definitions[ordinal]
        within: list[int] = []
        parent = definition.parent
        while parent > 0:
            within.append(parent)
            parent = space.definitions[parent].parent
        self.within: tuple[int, ...] = tuple(reversed(within))
        long = definition.end - definition.line
        self.said = f"{space.qualified(ordinal)}: {definition.signature}, {long}"
        self.definition: Definition = definition
        self._python = space.language == "python"
        self._ending = ""
        if self._python:
            kind = definition.kind
            self._ending = ": ..." if kind in CALLED else ":" if kind in CLASSES else ""
        head = cut(definition.signature or definition.name)
        self.signature = [f"{INDENT * len(within)}{head}{self._ending}"]
        self._head: list[str] | None = None
        self.sizes: dict[Detail, int] = {}

    @property
    def documented(self) -> bool:
        """Tells whether there is a documentation, which may be empty."""
        return bool(self.definition.doc)

    def head(self, lines: Sequence[str]) -> list[str] | None:
        """Returns it with the first line of its documentation; None without one.

        Args:
            lines: those of its content.
        """
        if self._head is None:
            self._head = self._headed(lines)
        return self._head or None

    def whole(self, lines: Sequence[str]) -> list[str]:
        """Returns its lines as they are."""
        definition = self.definition
        last = min(definition.end, definition.first + MOST_LINES - 1)
        return [cut(line) for line in lines[definition.first - 1 : last]]

    def _headed(self, lines: Sequence[str]) -> list[str]:
        definition = self.definition
        said = _said(lines, definition.doc, definition.doc_end)
        if not said:
            return []
        indent = INDENT * len(self.within)
        head = cut(definition.signature or definition.name)
        if not self._python:
            return [f"{indent}// {said}", f"{indent}{head}"]
        if not self._ending:
            return [f"{indent}{head}  # {said}"]
        return [f"{indent}{head}:", f'{indent}{INDENT}"""{said}"""']


class Faces:
    """The faces of one state of a repository, with the texts that they are read from.

    Args:
        lookup: the state.
        count: tokens of a text.
    """

    def __init__(self, lookup: Lookup, count: Callable[[str], int]) -> None:
        self.lookup = lookup
        self.texts = Texts(lookup.index)
        self._count = count
        self._known: dict[tuple[int, int], Face] = {}

    def of(self, path: str, ordinal: int) -> Face:
        """Returns the face of a definition."""
        key = self.lookup.files[path].content, ordinal
        face = self._known.get(key)
        if face is None:
            if len(self._known) >= MOST:
                self._known.clear()
            face = self._known[key] = Face(self.lookup.space(path), ordinal)
        return face

    def size(self, lines: Sequence[str]) -> int:
        """Returns about how many tokens lines are, each with its line break."""
        return sum([self._count(f"\n{line}") for line in lines])


def cut(line: str) -> str:
    """Returns a line that is not too long."""
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2]} …"


def _said(lines: Sequence[str], first: int, last: int) -> str:
    """Returns the first line of a documentation, without quotes and signs of comments."""
    for line in lines[first - 1 : last] if first else ():
        said = line.strip().lstrip("rRbBuUfF").strip("\"'/*#! ").strip()
        if said:
            return cut(said)
    return ""
