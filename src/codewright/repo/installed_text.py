"""Heads and docstrings of definitions, read from their files."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path

from codewright.repo.facts import Definition
from codewright.repo.sources import as_utf8

CUT = 400
"""Characters at which facts cut a signature."""


def head(file: Path, definition: Definition) -> str:
    """Returns a signature; one that facts cut is read from the file, and written anew."""
    if len(definition.signature) < CUT or not definition.body:
        return definition.signature
    text = textwrap.dedent("\n".join(_lines(file)[definition.line - 1 : definition.end]))
    try:
        node = ast.parse(text).body[0]
    except (SyntaxError, ValueError, IndexError):
        return definition.signature
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return definition.signature
    node.body = [ast.Expr(ast.Constant(...))]
    node.decorator_list = []
    plain = ast.fix_missing_locations(_Plain().visit(node))
    return ast.unparse(plain).partition("\n")[0].removesuffix(":")


class _Plain(ast.NodeTransformer):
    """Takes `Annotated[T, …]` for T: what stands beside it may be pages of documentation."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        is_noted = ast.unparse(node.value).rpartition(".")[2] == "Annotated"
        if is_noted and isinstance(node.slice, ast.Tuple) and node.slice.elts:
            return node.slice.elts[0]
        return node


def _lines(file: Path) -> list[str]:
    return as_utf8(file.read_bytes())[0].decode("utf-8", "replace").splitlines()


def docstring(file: Path, definition: Definition) -> str:
    """Returns a docstring as it reads, "" without one."""
    if not definition.doc:
        return ""
    text = textwrap.dedent("\n".join(_lines(file)[definition.doc - 1 : definition.doc_end]))
    try:
        statement = ast.parse(text).body[0]
    except (SyntaxError, ValueError, IndexError):
        return ""
    value = statement.value if isinstance(statement, ast.Expr) else None
    said = value.value if isinstance(value, ast.Constant) else None
    return inspect.cleandoc(said) if isinstance(said, str) else ""
