"""Which comments stand right above which lines.

A comment counts that stands alone on its lines; several that follow each other are one. Only
lines are known here, no text: what a comment says is read where it is shown.
"""

from __future__ import annotations

from tree_sitter import Node

from codewright.repo.languages.nodes import last_line

ALONE = 200
"""A comment further right than this many bytes is taken not to stand alone on its line."""


class Comments:
    """The comments of one content, in the order of the text.

    Args:
        data: the content.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._first: dict[int, int] = {}
        self._taken: set[tuple[int, int]] = set()
        self._header: tuple[int, int] | None = None

    def add(self, node: Node) -> None:
        """Notes a comment."""
        row, column = node.start_point
        start = node.start_byte
        if column > ALONE or self._data[start - column : start].strip():
            return
        first, last = row + 1, last_line(node)
        self._first[last] = first
        if self._header is None:
            before = self._data[:start].strip()
            is_first = not before or (before.startswith(b"#!") and b"\n" not in before)
            self._header = (first, last) if is_first else (0, 0)
        elif self._header[1] == first - 1:
            self._header = (self._header[0], last)

    def above(self, line: int) -> tuple[int, int]:
        """Returns the first and last line of what ends right above a line, (0, 0) without."""
        start = self._first.get(line - 1)
        if start is None:
            return 0, 0
        while (more := self._first.get(start - 1)) is not None:
            start = more
        self._taken.add((start, line - 1))
        return start, line - 1

    def header(self) -> tuple[int, int]:
        """Returns the lines of the comment that begins the file and is nothing else's."""
        if self._header is None or self._header in self._taken:
            return 0, 0
        return self._header
