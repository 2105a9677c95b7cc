"""Tests that a model wrote: cut out of its text, read, and decided over observed outcomes.

A written test is never run and never believed. Its calls of the entry point are read as plain data
(`calls`), somebody else observes what a program does on them, and `holds` decides the assertion
over what was observed. What cannot be read that way is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from codewright.types.behaviour import Call, Outcome
from codewright.types.judging import CallPair
from codewright.verify.evaluator import FAILURES, evaluate, understood
from codewright.verify.literals import expression, literal, syntax
from codewright.verify.operations import Refused, equal

STOPS: Final = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
MAX_CALLS: Final = 50
MAX_NODES: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenTest:
    """One test that a model wrote.

    source: its text. calls: the calls of the entry point that it makes, in the order in which they
    are written. expected: the call and its value where the test is no more than f(…) == value.
    """

    source: str
    calls: tuple[Call, ...]
    expected: CallPair | None
    _body: tuple[ast.stmt, ...] = field(repr=False, compare=False)

    def holds(self, outcomes: Sequence[Outcome], tolerance: float = 0.0) -> bool:
        """Whether the test holds for a program that did this on `calls`; never raises for values.

        A call that did not return a value fails the test, as it would if the test were run.

        Args:
            outcomes: one per call, in their order; their values are not changed.
            tolerance: absolute or relative, for floats compared by ==. CodeT has none.
        """
        assert len(outcomes) == len(self.calls)
        if any(outcome.kind != "value" for outcome in outcomes):
            return False
        if self.expected is not None:
            return equal(outcomes[0].value, self.expected.expected, tolerance)
        names = {_slot(number): outcome.value for number, outcome in enumerate(outcomes)}
        try:
            return _decide(self._body, names, tolerance)
        except FAILURES:
            return False


def split_assertions(text: str, entry_point: str) -> list[str]:
    """Returns the single assertions of a completion whose prompt ended in "assert ".

    As Chen et al. 2022 (CodeT, arXiv 2207.10397) do it: parts between one "assert " and the next
    that name the entry point, each cut where other code begins, if what is left parses.
    """
    found = []
    for part in text.split("assert "):
        if entry_point not in part:
            continue
        assertion = f"assert {part}"
        for stop in STOPS:
            assertion = assertion.partition(stop)[0]
        assertion = assertion.strip()
        inside = assertion.replace("\n", "\n    ")
        if assertion.startswith("assert") and syntax(f"try:\n    {inside}\nfinally:\n    pass\n"):
            found.append(assertion)
    return found


def parse_test(source: str, entry_point: str) -> WrittenTest | None:
    """Returns a test of `entry_point` that can be decided over outcomes.

    It may be one or more assertions, with simple assignments between them, in the body of a
    function or not; where other statements begin, it ends. None where something in it is not
    understood, or it calls nothing.
    """
    tree = syntax(source)
    if tree is None or any(True for _ in islice(ast.walk(tree), MAX_NODES, None)):
        return None
    statements = tree.body
    if len(statements) == 1 and isinstance(statements[0], ast.FunctionDef):
        statements = statements[0].body
    reader = _Reader(entry_point)
    body: list[ast.stmt] = []
    for statement in statements:
        try:
            body += reader.read(statement)
        except (Refused, RecursionError):
            # A completion that was cut at the next "assert " may run on into other code.
            if isinstance(statement, ast.Assert) or not any(map(_is_assert, body)):
                return None
            break
    if not reader.calls or not any(map(_is_assert, body)):
        return None
    calls = tuple(reader.calls)
    return WrittenTest(
        source=source.strip(), calls=calls, expected=_expected(calls, body), _body=tuple(body)
    )


def _slot(number: int) -> str:
    """The name that stands for a call's value; no name in Python looks so."""
    return f"<{number}>"


class _Reader(ast.NodeTransformer):
    """Puts a slot in the place of each call of the entry point."""

    def __init__(self, entry_point: str) -> None:
        self._entry_point = entry_point
        self._known: dict[str, Any] = {}
        self._names = frozenset[str]()
        self.calls: list[Call] = []

    def read(self, statement: ast.stmt) -> list[ast.stmt]:
        """Returns the statement as it is to be decided; nothing where it decides nothing.

        Raises:
            Refused: it is not understood.
        """
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.Pass():
                return []
            case ast.Expr(value=ast.Constant()):
                return []
            case ast.Expr():
                statement.value = self._read(statement.value)
            case ast.Assert():
                statement.test = self._read(statement.test)
                statement.msg = None
            case ast.Assign(targets=[ast.Name(id=name)]) if name != self._entry_point:
                statement.value = self._read(statement.value)
                if not any(map(self._is_open, ast.walk(statement.value))):
                    self._known[name] = literal(statement.value, self._known)
                else:
                    self._known.pop(name, None)
                self._names |= {name}
            case _:
                raise Refused("no such statement")
        return [statement]

    def _read(self, node: ast.expr) -> ast.expr:
        read = self.visit(node)
        slots = frozenset(_slot(number) for number in range(len(self.calls)))
        if not understood(read, self._names | slots):
            raise Refused("no such expression")
        assert isinstance(read, ast.expr)
        return read

    def _is_open(self, node: ast.AST) -> bool:
        """Whether it is a name whose value comes of a call."""
        if not isinstance(node, ast.Name):
            return False
        return _is_slot(node) or (node.id in self._names and node.id not in self._known)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if not (isinstance(node.func, ast.Name) and node.func.id == self._entry_point):
            return self.generic_visit(node)
        if len(self.calls) == MAX_CALLS:
            raise Refused("too many calls")
        args, kwargs = arguments(node, self._known)
        self.calls.append(Call(args=args, kwargs=kwargs, source="test"))
        return ast.copy_location(ast.Name(id=_slot(len(self.calls) - 1), ctx=ast.Load()), node)


def arguments(
    node: ast.Call, names: dict[str, Any] | None = None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Returns the arguments of a call, by position and by keyword.

    Args:
        names: values that names stand for.

    Raises:
        Refused: one of them is no literal.
    """
    args = literal(ast.Tuple(elts=node.args, ctx=ast.Load()), names)
    keys = [key.arg and ast.Constant(value=key.arg) for key in node.keywords]
    kwargs = literal(
        ast.Dict(keys=[key or None for key in keys], values=[key.value for key in node.keywords]),
        names,
    )
    if not all(type(key) is str for key in kwargs):
        raise Refused("a keyword that is no word")
    return args, kwargs


def call_of(text: str, entry_point: str) -> Call | None:
    """Returns the call that `text` is, with literal arguments; None where it is none."""
    node = expression(text)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return None
    if node.func.id != entry_point:
        return None
    try:
        args, kwargs = arguments(node)
    except Refused:
        return None
    return Call(args=args, kwargs=kwargs)


def _is_assert(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assert)


def _is_slot(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id.startswith("<")


def _decide(body: Sequence[ast.stmt], names: dict[str, Any], tolerance: float) -> bool:
    for statement in body:
        if isinstance(statement, ast.Assert):
            if not evaluate(statement.test, names, tolerance):
                return False
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            names[statement.targets[0].id] = evaluate(statement.value, names, tolerance)
        elif isinstance(statement, ast.Expr):
            evaluate(statement.value, names, tolerance)
    return True


def _expected(calls: tuple[Call, ...], body: Sequence[ast.stmt]) -> CallPair | None:
    """The pair behind a test that is f(…) == value, either way round."""
    match body:
        case [ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]))]:
            if len(calls) != 1:
                return None
        case _:
            return None
    if _is_slot(right):
        left, right = right, left
    try:
        value = literal(right)
    except Refused:
        return None
    if not _is_slot(left):
        return None
    return CallPair(args=calls[0].args, kwargs=calls[0].kwargs, expected=value)
