"""Text to plain data: a safe reader of literals, a little wider than `ast.literal_eval`.

It also knows arithmetic on numbers, `[0] * 5`, `"a" * 10`, `set()`, `list(range(10))`,
`float("inf")` and the like, all within bounds. Nothing is ever run.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from typing import Any, Final

from codewright.verify.evaluator import FAILURES, evaluate
from codewright.verify.operations import Refused

MAX_CHARACTERS: Final = 50_000
"""Longer text is not read."""
MAX_DATA_ITEMS: Final = 10_000
"""Values inside of a literal, characters of its strings included."""

_SCALARS: Final = frozenset({type(None), bool, int, float, complex})
_COLLECTIONS: Final = frozenset({list, tuple, set, frozenset})


def syntax(text: str) -> ast.Module | None:
    """Returns the syntax tree of `text`; None where it does not parse or is too long."""
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            # Invalid escapes in somebody else's text are not worth a line on our stderr.
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def expression(text: str) -> ast.expr | None:
    """Returns the syntax tree of the one expression that `text` is, or None."""
    tree = syntax(text.strip())
    if tree is None or len(tree.body) != 1:
        return None
    (statement,) = tree.body
    return statement.value if isinstance(statement, ast.Expr) else None


def literal(node: ast.expr, names: Mapping[str, Any] | None = None) -> Any:
    """Returns the value of a literal: None, numbers, strings and collections of them.

    Args:
        names: values that names stand for.

    Raises:
        Refused: it is none, or too large.
    """
    try:
        value = evaluate(node, names or {})
        data = is_data(value)
    except FAILURES as error:
        raise Refused(str(error)) from None
    if not data:
        raise Refused("no plain data")
    return value


def is_data(value: Any) -> bool:
    """Whether a value is made of exact built-in types, finite and of moderate size."""
    left = MAX_DATA_ITEMS
    waiting = [value]
    while waiting:
        part = waiting.pop()
        kind = type(part)
        left -= 1
        if kind in (str, bytes, range):
            left -= len(part) // 8
        elif kind is dict:
            waiting += part
            waiting += part.values()
        elif kind in _COLLECTIONS:
            waiting += part
        elif kind not in _SCALARS:
            return False
        if left < len(waiting):
            return False
    return True


def source_of(node: ast.AST) -> str:
    """Returns a node as source text; empty where it is nested more deeply than that can be told.

    What a program's author nests, nobody else's limits hold for: a sum of a thousand numbers is
    nested a thousandfold.
    """
    try:
        return ast.unparse(node)
    except RecursionError:
        return ""
