"""What can be seen of a program without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """A program as text.

    parses: whether it is Python. defines: whether it defines the entry point at its top level.
    nodes: the size of the entry point's body, in nodes of its syntax tree, docstring left out.
    unused: parameters that the body never names.
    """

    parses: bool
    defines: bool = False
    nodes: int = 0
    unused: tuple[str, ...] = ()


def static(program: str, entry_point: str) -> Static:
    """Reads a program; nothing is run."""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Static(parses=False)
    found = None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == entry_point:
            found = node
    if found is None:
        bound = any(
            isinstance(node, ast.Name)
            and node.id == entry_point
            and isinstance(node.ctx, ast.Store)
            for statement in tree.body
            for node in ast.walk(statement)
        )
        return Static(parses=True, defines=bound)
    body = [statement for statement in found.body if not _is_text(statement)]
    inside = [node for statement in body for node in ast.walk(statement)]
    named = {node.id for node in inside if isinstance(node, ast.Name)}
    given = [*found.args.posonlyargs, *found.args.args, *found.args.kwonlyargs]
    unused = tuple(each.arg for each in given if each.arg not in named)
    return Static(parses=True, defines=True, nodes=len(inside), unused=unused)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
