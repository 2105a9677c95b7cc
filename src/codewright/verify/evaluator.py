"""Expressions over plain values, without Python's `eval`: what a test asserts, what a prompt shows.

An expression is a syntax tree; names stand for given values. Only what `operations` offers can be
called, nothing is looked up in an object, and the work is bounded, so text from anybody may be
evaluated. Given values are never changed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from codewright.verify.operations import (
    CONSTANTS,
    FUNCTIONS,
    MAX_ITEMS,
    METHOD_NAMES,
    METHODS,
    TYPES,
    Refused,
    equal,
    items,
    operate,
)

FAILURES: Final = (
    Refused, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError,
    MemoryError,
)  # fmt: skip
"""All that evaluating an expression may raise."""

MAX_STEPS: Final = 200_000
MAX_DEPTH: Final = 60

_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_NODES: Final = (
    ast.Constant, ast.Name, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Starred, ast.UnaryOp,
    ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Subscript, ast.Slice, ast.Call,
    ast.Attribute, ast.keyword, ast.comprehension, ast.expr_context, ast.operator, ast.unaryop,
    ast.boolop, ast.cmpop, *_COMPREHENSIONS,
)  # fmt: skip
_ORDER: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_UNARY: Final[Mapping[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
_SMALL_INTS: Final = range(-5, 257)
"""Of these CPython has one object each, so that `is` holds where `==` does."""


def evaluate(node: ast.expr, names: Mapping[str, Any], tolerance: float = 0.0) -> Any:
    """Returns the value of an expression.

    Args:
        names: what names stand for, besides the built-in functions and types on offer.
        tolerance: absolute or relative, for floats compared by == and != and `in`.

    Raises:
        FAILURES: it has no value, or is refused.
    """
    return _Evaluation(tolerance).value(node, names, 0)


def understood(node: ast.AST, names: frozenset[str]) -> bool:
    """Whether nothing in the expression is beyond `evaluate`, whatever the values are.

    Args:
        names: those that will stand for values.
    """
    inner = {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    called = {id(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
    modules = {
        id(part.value)
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and _dotted(part) in (*FUNCTIONS, *CONSTANTS)
    }
    for part in ast.walk(node):
        if not isinstance(part, _NODES):
            return False
        if isinstance(part, ast.Name) and id(part) not in modules:
            bound = part.id in names or part.id in inner
            if id(part) in called:
                if bound or part.id not in FUNCTIONS:
                    return False
            elif not bound and part.id not in TYPES:
                return False
        elif isinstance(part, ast.Attribute):
            known = METHOD_NAMES if id(part) in called else ()
            if id(part.value) not in modules and part.attr not in known:
                return False
        elif isinstance(part, ast.Call) and not isinstance(part.func, ast.Name | ast.Attribute):
            return False
    return True


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


class _Evaluation:
    """One evaluation: it counts its steps."""

    def __init__(self, tolerance: float) -> None:
        self._tolerance = tolerance
        self._steps = 0

    def value(self, node: ast.expr, names: Mapping[str, Any], depth: int) -> Any:
        self._step()
        if depth > MAX_DEPTH:
            raise Refused("nested too deep")
        depth += 1
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return self._name(node.id, names)
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                return self._display(node, names, depth)
            case ast.UnaryOp(op=ast.Not()):
                return not self.value(node.operand, names, depth)
            case ast.UnaryOp():
                operand = self.value(node.operand, names, depth)
                if type(operand) not in (bool, int, float, complex):
                    raise Refused("sign of no number")
                return _UNARY[type(node.op)](operand)
            case ast.BinOp():
                left = self.value(node.left, names, depth)
                return operate(type(node.op), left, self.value(node.right, names, depth))
            case ast.BoolOp():
                return self._bool(node, names, depth)
            case ast.Compare():
                return self._compare(node, names, depth)
            case ast.IfExp():
                chosen = node.body if self.value(node.test, names, depth) else node.orelse
                return self.value(chosen, names, depth)
            case ast.Subscript():
                return self._subscript(node, names, depth)
            case ast.Call():
                return self._call(node, names, depth)
            case ast.Attribute() if _dotted(node) in CONSTANTS:
                return CONSTANTS[_dotted(node)]
            case ast.DictComp():
                found = self._rounds(node.generators, names, depth)
                return {
                    self.value(node.key, inner, depth): self.value(node.value, inner, depth)
                    for inner in found
                }
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                made = [
                    self.value(node.elt, inner, depth)
                    for inner in self._rounds(node.generators, names, depth)
                ]
                if isinstance(node, ast.ListComp):
                    return made
                return set(made) if isinstance(node, ast.SetComp) else iter(made)
        raise Refused(f"no {type(node).__name__}")

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Refused("too many steps")

    def _name(self, name: str, names: Mapping[str, Any]) -> Any:
        if name in names:
            return names[name]
        if name in TYPES:
            return TYPES[name]
        raise Refused(f"the name {name} is unknown")

    def _display(
        self,
        node: ast.List | ast.Tuple | ast.Set | ast.Dict,
        names: Mapping[str, Any],
        depth: int,
    ) -> Any:
        if isinstance(node, ast.Dict):
            made: dict[Any, Any] = {}
            for key, value in zip(node.keys, node.values, strict=True):
                got = self.value(value, names, depth)
                if key is None:
                    made |= self._mapping(got)
                else:
                    made[self.value(key, names, depth)] = got
            return made
        values = self._spread(node.elts, names, depth)
        if isinstance(node, ast.List):
            return values
        return tuple(values) if isinstance(node, ast.Tuple) else set(values)

    def _mapping(self, value: Any) -> dict[Any, Any]:
        if type(value) is not dict:
            raise Refused("** of no dict")
        return value

    def _spread(self, nodes: list[ast.expr], names: Mapping[str, Any], depth: int) -> list[Any]:
        values = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                values += items(self.value(node.value, names, depth))
            else:
                values.append(self.value(node, names, depth))
            if len(values) > MAX_ITEMS:
                raise Refused("too many items")
        return values

    def _bool(self, node: ast.BoolOp, names: Mapping[str, Any], depth: int) -> Any:
        value: Any = None
        for part in node.values:
            value = self.value(part, names, depth)
            if bool(value) is isinstance(node.op, ast.Or):
                break
        return value

    def _compare(self, node: ast.Compare, names: Mapping[str, Any], depth: int) -> bool:
        left = self.value(node.left, names, depth)
        for op, other in zip(node.ops, node.comparators, strict=True):
            right = self.value(other, names, depth)
            if not self._holds(op, left, right):
                return False
            left = right
        return True

    def _holds(self, op: ast.cmpop, left: Any, right: Any) -> bool:
        match op:
            case ast.Eq():
                return equal(left, right, self._tolerance)
            case ast.NotEq():
                return not equal(left, right, self._tolerance)
            case ast.Is():
                return _same(left, right)
            case ast.IsNot():
                return not _same(left, right)
            case ast.In():
                return self._within(left, right)
            case ast.NotIn():
                return not self._within(left, right)
        return bool(_ORDER[type(op)](left, right))

    def _within(self, value: Any, place: Any) -> bool:
        if type(place) in (list, tuple):
            return any(equal(value, item, self._tolerance) for item in items(place))
        if type(place) is range and type(value) not in (bool, int):
            place = items(place)  # which a range would go through to its end, however far
        if type(place) in (str, bytes, dict, set, frozenset, range):
            return value in place
        return value in items(place)

    def _subscript(self, node: ast.Subscript, names: Mapping[str, Any], depth: int) -> Any:
        value = self.value(node.value, names, depth)
        if type(value) not in (str, bytes, list, tuple, dict, range):
            raise Refused(f"no item of {type(value).__name__}")
        if not isinstance(node.slice, ast.Slice):
            return value[self.value(node.slice, names, depth)]
        ends = (node.slice.lower, node.slice.upper, node.slice.step)
        return value[slice(*(end and self.value(end, names, depth) for end in ends))]

    def _call(self, node: ast.Call, names: Mapping[str, Any], depth: int) -> Any:
        name = _dotted(node.func)
        if name in FUNCTIONS and name not in names:
            function, given = FUNCTIONS[name], []
        elif isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value, names, depth)
            known = METHODS.get((type(owner), node.func.attr))
            if known is None:
                raise Refused(f"no method {node.func.attr}")
            function, given = known, [owner]
        else:
            raise Refused("an unknown function")
        given += self._spread(node.args, names, depth)
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value, names, depth)
            named |= self._mapping(value) if keyword.arg is None else {keyword.arg: value}
        return function(*given, **named)

    def _rounds(
        self, loops: list[ast.comprehension], names: Mapping[str, Any], depth: int
    ) -> Iterator[Mapping[str, Any]]:
        """Yields the names as they are in each round of the loops of a comprehension."""
        if not loops:
            yield names
            return
        loop, *others = loops
        if loop.is_async:
            raise Refused("async")
        for item in items(self.value(loop.iter, names, depth)):
            self._step()
            inner = {**names, **_unpacked(loop.target, item)}
            if all(self.value(test, inner, depth) for test in loop.ifs):
                yield from self._rounds(others, inner, depth)


def _unpacked(target: ast.expr, value: Any) -> dict[str, Any]:
    if isinstance(target, ast.Name):
        return {target.id: value}
    if not isinstance(target, ast.Tuple | ast.List):
        raise Refused("no such target")
    values = items(value)
    if len(values) != len(target.elts):
        raise ValueError("not as many values as names")
    found: dict[str, Any] = {}
    for part, item in zip(target.elts, values, strict=True):
        found |= _unpacked(part, item)
    return found


def _same(left: Any, right: Any) -> bool:
    if type(left) is type(right) is int:
        return left == right and left in _SMALL_INTS
    return left is right
