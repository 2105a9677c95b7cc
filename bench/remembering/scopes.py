"""Scopes of a Python file: its simple statements, what binds a name, the calls of a statement.

Only what the truth about calls needs (`sites.py`), and cautious: a name that a scope binds in any
other way than by an import is no import. Nothing here imports or runs what it reads.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from bench.remembering.masks import binds, blocks

Function = ast.FunctionDef | ast.AsyncFunctionDef
Simple = ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Raise


def defined(body: list[ast.stmt], before: str = "") -> Iterator[tuple[str, ast.stmt]]:
    """Yields classes and functions with their qualified names; none inside functions."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef):
            yield before + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from defined(node.body, f"{before}{node.name}.")
        else:
            for block in blocks(node):
                yield from defined(block, before)


@dataclass(slots=True)
class Scope:
    """Where a statement stands: the function round it, with what that binds, and its class."""

    function: Function | None
    bound: dict[str, list[ast.AST]]
    owner: ast.ClassDef | None
    outer: list[dict[str, list[ast.AST]]]


def bound(node: Function | ast.Module) -> dict[str, list[ast.AST]]:
    """Returns what a scope binds, by name: the imports, and whatever else."""
    found: dict[str, list[ast.AST]] = {}

    def visit(each: ast.AST) -> None:
        match each:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.setdefault(each.name, []).append(each)
                return  # what is inside is another scope's
            case ast.Lambda():
                return
            case ast.Import() | ast.ImportFrom():
                for alias in each.names:
                    found.setdefault(binds(alias, each), []).append(each)
            case ast.Name(ctx=ast.Store() | ast.Del()):
                found.setdefault(each.id, []).append(each)
            case ast.arg():
                found.setdefault(each.arg, []).append(each)
            case ast.ExceptHandler() if each.name:
                found.setdefault(each.name, []).append(each)
            case ast.Global() | ast.Nonlocal():
                for name in each.names:
                    found.setdefault(name, []).append(each)
            case ast.MatchAs() | ast.MatchStar() if each.name:
                found.setdefault(each.name, []).append(each)
        for child in ast.iter_child_nodes(each):
            visit(child)

    for child in ast.iter_child_nodes(node):
        visit(child)
    return found


def statements(tree: ast.Module) -> Iterator[tuple[ast.stmt, Scope]]:
    """Yields the simple statements of the file and of its functions, with their scopes."""

    def walk(body: list[ast.stmt], scope: Scope) -> Iterator[tuple[ast.stmt, Scope]]:
        for node in body:
            if isinstance(node, Function):
                outer = [*scope.outer, scope.bound] if scope.function else []
                inner = Scope(node, bound(node), scope.owner, outer)
                yield from walk(node.body, inner)
            elif isinstance(node, ast.ClassDef):
                if scope.function is None and scope.owner is None:
                    for each in node.body:
                        if isinstance(each, Function):
                            yield from walk([each], Scope(None, {}, node, []))
            elif isinstance(node, Simple):
                yield node, scope
            else:
                for block in blocks(node):
                    yield from walk(block, scope)

    yield from walk(tree.body, Scope(None, {}, None, []))


def calls(statement: ast.stmt) -> Iterator[ast.Call]:
    """Yields the calls of a statement that are written as one; not those in f-strings."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.JoinedStr | ast.Lambda | ast.comprehension):
            continue
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue  # names of their own
        if isinstance(node, ast.Call):
            yield node
        todo += ast.iter_child_nodes(node)


def dotted(node: ast.expr) -> list[str]:
    """Returns the names of `a.b.c`, or of `super().c`; nothing for anything else."""
    match node:
        case ast.Name():
            return [node.id]
        case ast.Attribute():
            before = dotted(node.value)
            return [*before, node.attr] if before else []
        case ast.Call(func=ast.Name(id="super"), args=[], keywords=[]):
            return ["super()"]
    return []
