"""Questions about source text that is never run: does it parse, what does it bind and use."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterable


def parse(code: str) -> ast.Module | None:
    """Returns the syntax tree of `code`, or None where it is not Python of this version."""
    try:
        with warnings.catch_warnings():
            # Invalid escapes in other people's programs are not worth a line on our stderr.
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def bound(statements: Iterable[ast.stmt]) -> set[str]:
    """Returns the names that `statements` bind at module level (loops and branches included)."""
    names: set[str] = set()
    waiting: list[ast.AST] = list(statements)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)  # what it binds inside is its own
            continue
        if isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        waiting += ast.iter_child_nodes(node)
    return names


def used(tree: ast.AST) -> set[str]:
    """Returns the names that `tree` reads and that are not built in, wherever they are bound."""
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node.id not in vars(builtins)
    }


def helpers(prompt: str, entry_point: str) -> str:
    """Returns what `prompt` defines or imports besides `entry_point`, as source text.

    Empty where the prompt holds nothing else, or does not parse.
    """
    tree = parse(prompt)
    if tree is None:
        return ""
    kept = [
        ast.get_source_segment(prompt, node) or ""
        for node in tree.body
        if not isinstance(node, ast.Expr)
        and not (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == entry_point
        )
    ]
    return "\n\n".join(kept) + "\n" if kept else ""
