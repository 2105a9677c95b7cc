"""The tree of a Python file with a syntax error, as far as there is one.

The file is cut where a line begins at the margin, and each piece is parsed alone. Of a piece that
cannot be parsed the heads of its functions and classes remain, where each is a line of its own that
can; they end where their indentation does.
"""

from __future__ import annotations

import ast
import re
import warnings

_MARGIN = re.compile(rb"[A-Za-z_@\x80-\xff]")
_GOES_ON = re.compile(rb"(?:else|elif|except|finally)\b")
_HEAD = re.compile(rb"([ \t]*)(?:async[ \t]+def|def|class)[ \t]+[A-Za-z_\x80-\xff]")


def pieces(data: bytes) -> ast.Module:
    """Returns a module of what can be parsed, each statement at its place in the file."""
    lines = data.split(b"\n")
    cuts = [number for number, line in enumerate(lines) if _begins(lines, number, line)]
    if not cuts or cuts[0]:
        cuts.insert(0, 0)
    module = ast.Module([], [])
    for first, last in zip(cuts, [*cuts[1:], len(lines)], strict=True):
        piece = lines[first:last]
        body = _parsed(piece, first)
        if body is None:
            body = _parsed(_heads(piece), first) or []
            for node in body:
                _stretch(node, lines)
        module.body += body
    return module


def _begins(lines: list[bytes], number: int, line: bytes) -> bool:
    decorated = number and lines[number - 1].startswith(b"@")
    return bool(_MARGIN.match(line) and not _GOES_ON.match(line) and not decorated)


def _parsed(lines: list[bytes], above: int) -> list[ast.stmt] | None:
    text = b"\n".join(lines).decode("utf-8", "replace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    ast.increment_lineno(tree, above)
    return tree.body


def _heads(lines: list[bytes]) -> list[bytes]:
    """Returns the lines with only the heads left, each of them a definition that can be parsed."""
    kept = [line if _head(line) else b"" for line in lines]
    within = b""
    for number in range(len(kept) - 1, -1, -1):
        if line := kept[number]:
            indent = _indent(line)
            if len(within) <= len(indent) or not within.startswith(indent):
                kept[number] += b" pass"
            within = indent
    return kept


def _head(line: bytes) -> bool:
    if not _HEAD.match(line) or not line.rstrip().endswith(b":"):
        return False
    return _parsed([line.strip() + b" pass"], 0) is not None


def _indent(line: bytes) -> bytes:
    return line[: len(line) - len(line.lstrip(b" \t"))]


def _stretch(node: ast.stmt, lines: list[bytes]) -> None:
    """Ends a definition of which only the head is left where its indentation ends."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    end = node.lineno
    for number in range(node.lineno, len(lines)):
        line = lines[number]
        if line.strip():
            if len(_indent(line)) <= node.col_offset:
                break
            end = number + 1
    node.end_lineno = end
    for inner in node.body:
        _stretch(inner, lines)
