"""What stands in the fields of f-strings, at the places where it stands.

Before Python 3.12 the tree gives names in f-strings places that cannot be relied on; there the text
is searched for fields, and each is parsed again. From 3.12 on the tree is right.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Generator, Iterator

from codewright.repo.python_text import Text

PLACED = sys.version_info >= (3, 12)

_OPEN = re.compile(rb"([A-Za-z]*)('''|\"\"\"|'|\")")
_SKIP = re.compile(rb"(?:[ \t\f\n]|\\\n|#[^\n]*)+")


def placed(tree: ast.Module, text: Text) -> None:
    """Puts the expressions of each f-string into its `values`, alone and rightly placed."""
    if PLACED:
        return
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.JoinedStr):
            node.values = list(_fields(text, *text.span(node)))
        stack.extend(ast.iter_child_nodes(node))


def _fields(text: Text, start: int, end: int) -> Iterator[ast.expr]:
    """Yields what is in the fields of the string literals between two places."""
    data = text.data
    while start < end:
        if white := _SKIP.match(data, start, end):
            start = white.end()
        opened = _OPEN.match(data, start, end)
        if opened is None:
            return
        start = opened.end()
        if b"f" in opened[1].lower():
            raw = b"r" in opened[1].lower()
            start = yield from _literal(text, start, opened[2], raw)
        else:
            start = _plain_end(data, start, opened[2])


def _plain_end(data: bytes, start: int, quote: bytes) -> int:
    while not data.startswith(quote, start) and start < len(data):
        start += 2 if data[start : start + 1] == b"\\" else 1
    return start + len(quote)


def _literal(text: Text, start: int, quote: bytes, raw: bool) -> Generator[ast.expr, None, int]:
    """Yields the expressions of one literal, and returns where it ends."""
    data = text.data
    while start < len(data) and not data.startswith(quote, start):
        if data.startswith((b"{{", b"}}"), start):
            start += 2
        elif data.startswith(b"{", start):
            start = yield from _field(text, start + 1, quote)
        elif data.startswith(b"\\N{", start) and not raw:
            start = data.index(b"}", start) + 1
        elif data.startswith(b"\\", start) and not data.startswith(b"{", start + 1):
            start += 2
        else:
            start += 1
    return start + len(quote)


def _field(text: Text, start: int, quote: bytes) -> Generator[ast.expr, None, int]:
    """Yields the expressions of one field, and returns where it ends, after its brace."""
    data = text.data
    end = _expression_end(data, start)
    yield from _parsed(text, start, end)
    start = end
    if data.startswith(b"=", start):
        start = _after(data, start + 1)
    if data.startswith(b"!", start):
        while start < len(data) and data[start : start + 1] not in (b":", b"}"):
            start += 1
    if data.startswith(b":", start):
        start += 1
        while start < len(data) and not data.startswith((b"}", quote), start):
            if data.startswith(b"{", start):
                start = yield from _field(text, start + 1, quote)
            else:
                start += 1
    return start + 1


def _after(data: bytes, start: int) -> int:
    white = _SKIP.match(data, start)
    return white.end() if white else start


def _expression_end(data: bytes, start: int) -> int:
    """Returns where the expression of a field ends: at `!`, `:`, `=` or the brace."""
    depth = 0
    while start < len(data):
        here = data[start : start + 1]
        if here in (b"'", b'"'):
            quote = here * 3 if data.startswith(here * 3, start) else here
            start = _plain_end(data, start + len(quote), quote)
            continue
        if here in (b"(", b"[", b"{"):
            depth += 1
        elif depth and here in (b")", b"]", b"}"):
            depth -= 1
        elif not depth:
            if data.startswith((b"!=", b"==", b"<=", b">="), start):
                start += 2
                continue
            if here in (b"!", b":", b"}", b"="):
                break
        start += 1
    return start


def _parsed(text: Text, start: int, end: int) -> Iterator[ast.expr]:
    """Yields what the text between two places is as an expression."""
    line, column = text.at(start)
    try:
        found = ast.parse(b"(" + text.data[start:end] + b"\n)", mode="eval").body
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(found):
        if isinstance(node, ast.expr | ast.arg | ast.keyword):
            assert node.end_col_offset is not None
            assert node.end_lineno is not None
            node.col_offset += column - 1 if node.lineno == 1 else 0
            node.end_col_offset += column - 1 if node.end_lineno == 1 else 0
            node.lineno += line - 1
            node.end_lineno += line - 1
    yield found
