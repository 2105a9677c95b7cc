"""Facts of one content by a tree-sitter grammar and a table of what its nodes mean.

Any bytes give facts: a piece that is no code of the language is said in `error`, with its line, and
what stands around it is read. A content over `LARGEST` bytes, or that takes longer than `SECONDS`
to parse, has no facts but that. Nothing here runs or resolves what it reads.
"""

from __future__ import annotations

import time

from tree_sitter import Language, Node, Parser, Point, Tree

from codewright.repo.facts import Definition, Facts, Kind
from codewright.repo.languages.table import Table
from codewright.repo.languages.walk import Walk
from codewright.repo.sources import as_utf8, count_lines

LARGEST = 16_000_000
"""Bytes. The tree of a content takes some forty times its size in memory."""
SECONDS = 20.0
PIECE = 1 << 16
"""Bytes that the parser is given at a time; it looks at the clock in between."""


class SyntaxExtractor:
    """Reads the files of one language; an `Extractor`. Not for two threads at once.

    Args:
        language: its name, as facts have it.
        grammar: how it is parsed.
        table: what its nodes mean.
        seconds: the longest that one content may take to parse.
    """

    def __init__(
        self, language: str, grammar: Language, table: Table, *, seconds: float = SECONDS
    ) -> None:
        self._language = language
        self._parser = Parser(grammar)
        self._table = table
        self._seconds = seconds

    def facts(self, data: bytes) -> Facts:
        """Returns the facts; what cannot be read is said in their `error`."""
        data, wrong = as_utf8(data)
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = count_lines(data)
        if len(data) > LARGEST:
            return self._nothing(lines, f"over {LARGEST:,} bytes")
        tree = self._parse(data)
        if tree is None:
            return self._nothing(lines, f"took over {self._seconds:g} s to parse")
        root = tree.root_node
        walk = Walk(self._table, data, lines)
        walk.run(root)
        definitions, references, imports = walk.finish()
        return Facts(
            language=self._language,
            lines=lines,
            definitions=definitions,
            references=references,
            imports=imports,
            error=wrong or (first_error(root, data) if root.has_error else ""),
        )

    def _parse(self, data: bytes) -> Tree | None:
        deadline = time.monotonic() + self._seconds
        view = memoryview(data)

        def piece(offset: int, _: Point) -> memoryview:
            return view[offset : offset + PIECE]

        def in_time(_: int, __: bool) -> bool:
            return time.monotonic() > deadline

        try:
            return self._parser.parse(piece, progress_callback=in_time)
        except ValueError:  # how the binding says that a parse was stopped
            self._parser.reset()
            return None

    def _nothing(self, lines: int, error: str) -> Facts:
        module = Definition("", Kind.MODULE, 0, 1, 0, 1, max(lines, 1), 1)
        return Facts(
            language=self._language,
            lines=lines,
            definitions=[module],
            references=[],
            imports=[],
            error=error,
        )


def first_error(root: Node, data: bytes) -> str:
    """Says where a tree has its first piece that is no code of the language."""
    node, found = root, None
    while found is None:
        broken = [child for child in node.children if child.has_error or child.is_missing]
        if node.is_error or node.is_missing or not broken:
            found = node
        else:
            node = broken[0]
    line = found.start_point.row + 1
    if found.is_missing:
        return f"line {line}: {found.type} is missing"
    piece = data[found.start_byte : min(found.end_byte, found.start_byte + 40)]
    text = " ".join(piece.decode("utf-8", "replace").split())
    return f"line {line}: not understood: {text}"
