"""The functions of a Python source with their docstrings, and the source without any.

Reads the syntax tree alone; runs nothing. A function inside another belongs to it. What does not
parse has no functions: nothing here mends a source.
"""

from __future__ import annotations

import ast
import inspect
import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class Function(NamedTuple):
    """One function or method.

    name: qualified from the top of the file. line, first, end: of `def`, of the first decorator, of
    the last line; from 1. head: decorators and signature; body: the rest, without the docstring.
    doc: the docstring, cleaned; "" without.
    """

    name: str
    line: int
    first: int
    end: int
    head: str
    body: str
    doc: str


def decoded(data: bytes) -> str:
    """Returns the text of a source, by its coding line; what does not decode is replaced."""
    for line in data.split(b"\n", 2)[:2]:
        if (found := CODING.match(line)) and found[1].lower() not in (b"utf-8", b"utf8"):
            try:
                return data.decode(found[1].decode("ascii"))
            except (LookupError, UnicodeDecodeError):
                break
    return data.decode("utf-8-sig", errors="replace")


def parsed(text: str) -> ast.Module | None:
    """Returns the tree, or None for what is no Python of this version."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes of somebody else's strings
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def functions(text: str, tree: ast.Module) -> list[Function]:
    """Returns the functions in the order of their first lines."""
    lines = text.splitlines(keepends=True)
    if len(lines) < last_line(tree):  # form feeds and the like: `ast` counts another way
        return []
    return [one(node, name, lines) for node, name in walk(tree, "")]


def last_line(tree: ast.Module) -> int:
    return max((node.end_lineno or 0 for node in tree.body), default=0)


def walk(node: ast.AST, prefix: str) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Yields functions with their qualified names, also those under `if` and `try`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, DEFINITIONS):
            yield child, prefix + child.name  # type: ignore[misc]
        elif isinstance(child, ast.ClassDef):
            yield from walk(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.stmt | ast.ExceptHandler):
            yield from walk(child, prefix)


def one(node: ast.FunctionDef, name: str, lines: list[str]) -> Function:
    first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
    end = node.end_lineno or node.lineno
    doc = docstring(node)
    start = node.body[0].lineno
    head = lines[first - 1 : max(start - 1, node.lineno)]
    body = lines[max(start - 1, node.lineno) : end]
    if doc is not None:
        skipped = (doc.end_lineno or 0) - max(start - 1, node.lineno)
        body = body[max(skipped, 0) :]
    text = str(doc.value) if doc is not None else ""
    return Function(
        name, node.lineno, first, end, "".join(head), "".join(body), inspect.cleandoc(text)
    )


def docstring(node: Documented) -> ast.Constant | None:
    """Returns a definition's docstring as it stands in the tree."""
    if node.body and isinstance(node.body[0], ast.Expr):
        value = node.body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value
    return None


def undocumented(text: str, tree: ast.Module) -> str:
    """Returns the source with every docstring taken out, each line at its number.

    Where a docstring is all there is, `pass` stands for it.
    """
    lines = text.splitlines(keepends=True)
    for node in ast.walk(tree):
        if isinstance(node, Documented) and (doc := docstring(node)) is not None:
            alone = len(node.body) == 1 and not isinstance(node, ast.Module)
            blank(lines, doc, "pass" if alone else "")
    return "".join(lines)


def blank(lines: list[str], doc: ast.Constant, instead: str) -> None:
    """Takes one string literal out of the lines; columns count bytes of UTF-8."""
    start, end = doc.lineno - 1, (doc.end_lineno or doc.lineno) - 1
    before = lines[start].encode()[: doc.col_offset].decode()
    after = lines[end].encode()[doc.end_col_offset :].decode()
    if not instead and after.lstrip().startswith(";"):
        instead = "pass"
    for number in range(start, end):
        lines[number] = "\n"
    if start == end or not before.strip():
        # Kept at the end, where the rest of the line is.
        lines[end] = before + instead + after
    else:
        lines[start] = before + (instead or "pass") + "\n"
        lines[end] = after if after.strip() else "\n"
