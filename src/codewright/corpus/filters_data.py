"""The step that drops data in the dress of a program: tables, encoded files, walls of numbers.

Three signs, cheap ones first: the share of digits and separators among what is written, long runs
of letters that only an encoding makes, and the share of lines that literal tables take up at the
top level or in a class. A table counts where most of what it holds are constants.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from codewright.corpus.recipe import FilterConfig
from codewright.corpus.steps import Check
from codewright.corpus.syntax import Trees
from codewright.types.document import Document

NUMERIC = 0.5
"""Share of digits and their separators above which a file is numbers; ordinary code has 0.15."""

ENCODED = 0.25
"""Share of a file in runs of base64, hexadecimal or escapes that nobody types."""

_RUN = re.compile(r"[A-Za-z0-9+/]{60,}|(?:\\x[0-9a-fA-F]{2}){20,}|(?:\\[0-7]{3}){20,}")
_LONG = b"a" * 60
_LETTERS = bytes(
    97 if chr(i).isascii() and (chr(i).isalnum() or chr(i) in "+/") else 32 for i in range(256)
)
_DIGIT = re.compile(r"\d.*\d.*\d")  # or it is only a very long name
_NUMBERS = b"0123456789.,"
_DISPLAYS = (ast.List, ast.Tuple, ast.Dict, ast.Set)
_LEAST = 60
"""Lines of tables below which a file is only short."""

_LOOK_AT = 400
"""Nodes of a table that are looked at: enough to tell what it holds."""


def data_like(config: FilterConfig, trees: Trees) -> Check:
    """Returns the step."""

    def why(document: Document) -> tuple[str, str] | None:
        text = document.text
        raw = text.encode("utf-8")
        written = raw.translate(None, b" \n")
        numbers = len(written) - len(written.translate(None, _NUMBERS))
        if numbers > NUMERIC * len(written):
            return "numbers", f"{numbers / len(written):.0%} of what is written"
        runs = _encoded(text, raw)
        if runs > ENCODED * len(text):
            return "encoded", f"{runs / len(text):.0%} of the file"
        tree = trees.tree(document) if document.language == "python" else None
        if tree is not None:
            lines = text.count("\n") + 1
            tables = sum(_height(node) for node in _tables(tree.body))
            share = tables / lines
            if tables >= _LEAST and share > config.literals:
                return "tables", f"{share:.0%} of the lines"
        return None

    return Check("data", why)


def _encoded(text: str, raw: bytes) -> int:
    """Returns how many characters are in runs that only an encoding makes."""
    if _LONG not in raw.translate(_LETTERS) and text.count("\\") < 20:
        return 0  # the look at every file is cheap, the search is not
    return sum(len(match[0]) for match in _RUN.finditer(text) if _DIGIT.search(match[0]))


def _height(node: ast.expr) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _tables(body: list[ast.stmt]) -> Iterator[ast.expr]:
    """Yields the literal tables and long strings that are assigned at the top or in classes."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _tables(statement.body)
        elif isinstance(statement, ast.If):
            yield from _tables([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            value = statement.value
            if value is not None and _height(value) > 3 and _is_data(value):
                yield value


def _is_data(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        inner = [*value.args, *(keyword.value for keyword in value.keywords)]
        return bool(inner) and all(_is_data(each) for each in inner[:3])
    if isinstance(value, ast.Constant):
        return True
    if not isinstance(value, _DISPLAYS):
        return False
    constants = others = 0
    for node, _ in zip(ast.walk(value), range(_LOOK_AT), strict=False):
        if isinstance(node, ast.Constant):
            constants += 1
        elif not isinstance(node, (*_DISPLAYS, ast.expr_context, ast.UnaryOp, ast.unaryop)):
            others += 1
    return constants > 4 * others
