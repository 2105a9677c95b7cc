"""Python functions as shapes: two functions have the same one where only names and dress differ.

The shape of a function is its syntax tree with names replaced by their order of appearance, and
without docstrings, annotations and layout. Builtin names, attributes, keyword arguments and
constants stay what they are: `sorted(x)` and `len(x)` are different, `sorted(x)` and `sorted(y)`
are not. A function below a certain size has no shape worth comparing.

Making a shape is slow. `outline` is a cheap key that functions of equal shape share; who compares
looks at it first.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from hashlib import blake2b

Function = ast.FunctionDef | ast.AsyncFunctionDef
Outline = tuple[int, tuple[str, ...]]

_BUILTIN = frozenset(dir(builtins))
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_UNSEEN = frozenset({"annotation", "returns", "type_comment", "ctx", "kind", "type_params"})


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yields `tree` and every statement in it; what is inside expressions is passed by."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for name in node._fields:
            if name in _BLOCKS:
                value = node.__dict__.get(name)
                if isinstance(value, list):  # the body of a lambda is an expression
                    waiting.extend(value)


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yields every function in `tree`, those inside others too."""
    for node in statements(tree):
        if isinstance(node, Function):
            yield node


def outline(function: Function) -> Outline:
    """Returns the number of its arguments and the kinds of its statements."""
    arguments = function.args
    count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    return count, tuple(_kind(statement) for statement in _body(function))


def shape(function: Function) -> tuple[int, int]:
    """Returns the hash of the shape of `function`, and how many nodes it has."""
    writer = _Writer()
    writer.block(function)
    text = "\0".join(writer.words).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest()), writer.nodes


class _Writer:
    """Spells a tree as words."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.nodes = 0
        self._names: dict[str, str] = {}

    def block(self, function: Function) -> None:
        """Spells the arguments and the body; the name and the decorators do not count."""
        self._names.setdefault(function.name, "itself")
        self.visit(function.args)
        for statement in _body(function):
            self.visit(statement)

    def visit(self, node: ast.AST) -> None:
        """Spells one node and what is in it."""
        self.nodes += 1
        self.words.append(_kind(node))
        if isinstance(node, Function):
            self.block(node)
        elif isinstance(node, ast.Constant):
            self.words.append(repr(node.value))
        elif isinstance(node, ast.Name):
            bound = isinstance(node.ctx, ast.Store)
            self.words.append(self._bind(node.id) if bound else self._name(node.id))
        else:
            self._fields(node)

    def _fields(self, node: ast.AST) -> None:
        plain = isinstance(node, ast.arg | ast.ExceptHandler | ast.Global | ast.Nonlocal)
        for field, value in ast.iter_fields(node):
            if field in _UNSEEN or (isinstance(node, ast.AnnAssign) and field == "simple"):
                continue
            for part in value if isinstance(value, list) else (value,):
                if isinstance(part, ast.AST):
                    self.visit(part)
                elif isinstance(part, str) and plain:
                    self.words.append(self._bind(part))
                else:
                    self.words.append(str(part))

    def _name(self, name: str) -> str:
        if name in _BUILTIN and name not in self._names:
            return name
        return self._bind(name)

    def _bind(self, name: str) -> str:
        """A name that is bound here is the author's, even where it hides a builtin one."""
        return self._names.setdefault(name, f"n{len(self._names)}")


def _kind(node: ast.AST) -> str:
    return "Assign" if isinstance(node, ast.AnnAssign) else type(node).__name__


def _body(function: Function) -> list[ast.stmt]:
    """Returns the statements without the docstring."""
    first = function.body[0]
    documented = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return function.body[1:] if documented else function.body
