"""Takes a call out of a file, as if it were still to be written, and the import of its name too.

What is removed is the text from the call on to the end of its statement; all else stays as it is,
byte for byte. Without its import, every statement that binds the name in the same scope loses it:
a statement that binds nothing else goes, or becomes `pass` where its block would be empty. Columns
are in bytes of UTF-8, as `ast` counts them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

Import = ast.Import | ast.ImportFrom


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A file with a gap at the end of a statement; line from 1, column in bytes."""

    data: bytes
    line: int
    column: int


def masked(data: bytes, start: tuple[int, int], end: tuple[int, int]) -> Masked:
    """Returns the file without what stands between two places, each a line and a column."""
    first, last = place(data, *start), place(data, *end)
    return _at(data[:first] + data[last:], first)


def without_import(
    data: bytes, start: tuple[int, int], end: tuple[int, int], name: str, within: int
) -> Masked:
    """Returns the same without the imports that bind `name` as well.

    within: the line of the function whose own import it is; 0 where it is the file's.
    """
    edits = [(place(data, *start), place(data, *end), b"")]
    edits += list(_removals(data, name, within))
    cursor = edits[0][0]
    for first, last, text in sorted(edits, reverse=True):
        data = data[:first] + text + data[last:]
        if last <= cursor and (first, last) != edits[0][:2]:
            cursor += len(text) - (last - first)
    return _at(data, cursor)


def place(data: bytes, line: int, column: int) -> int:
    """Returns the offset of a place."""
    start = 0
    for _ in range(line - 1):
        start = data.index(b"\n", start) + 1
    return start + column


def binds(alias: ast.alias, statement: Import) -> str:
    """Returns the name that one part of an import binds."""
    if alias.asname:
        return alias.asname
    return alias.name.partition(".")[0] if isinstance(statement, ast.Import) else alias.name


def imports(body: list[ast.stmt]) -> Iterator[tuple[Import, list[ast.stmt]]]:
    """Yields the imports of a scope, each with the block that it stands in."""
    for statement in body:
        if isinstance(statement, Import):
            yield statement, body
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for block in blocks(statement):
                yield from imports(block)


def blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yields the blocks of a compound statement."""
    for _, value in ast.iter_fields(statement):
        if isinstance(value, list) and value:
            if isinstance(value[0], ast.stmt):
                yield value
            elif isinstance(value[0], ast.ExceptHandler | ast.match_case):
                for part in value:
                    yield part.body


def _removals(data: bytes, name: str, within: int) -> Iterator[tuple[int, int, bytes]]:
    tree = ast.parse(data)
    body = tree.body
    if within:
        (body,) = (
            node.body
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno == within
        )
    for statement, block in imports(body):
        kept = [alias for alias in statement.names if binds(alias, statement) != name]
        if len(kept) == len(statement.names):
            continue
        assert statement.end_lineno is not None
        assert statement.end_col_offset is not None
        first = place(data, statement.lineno, statement.col_offset)
        last = place(data, statement.end_lineno, statement.end_col_offset)
        if kept:
            statement.names = kept
            yield first, last, ast.unparse(statement).encode()
        elif len(block) > 1 and (whole := _lines(data, first, last)):
            yield *whole, b""
        else:
            yield first, last, b"pass"


def _lines(data: bytes, first: int, last: int) -> tuple[int, int] | None:
    """Returns the lines that a statement has to itself, None where it shares one."""
    start = data.rfind(b"\n", 0, first) + 1
    end = data.find(b"\n", last)
    end = len(data) if end < 0 else end + 1
    alone = not data[start:first].strip() and not data[last:end].split(b"#")[0].strip()
    return (start, end) if alone else None


def _at(data: bytes, offset: int) -> Masked:
    line = data.count(b"\n", 0, offset) + 1
    return Masked(data=data, line=line, column=offset - (data.rfind(b"\n", 0, offset) + 1))
