"""The names in expressions and targets of a Python file, and what is bound to them.

Nothing is resolved here: `python_scopes.py` says what the names refer to when all are known.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from codewright.repo.facts import Import, Kind, Use
from codewright.repo.python_scopes import (
    Area,
    Chain,
    Event,
    Place,
    Scope,
    Value,
)
from codewright.repo.python_text import Text

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True, eq=False)
class Draft:
    """A definition while the file is read. ordinal: its place when all are known."""

    name: str
    kind: Kind
    parent: Draft | None
    at: Place
    first: int
    line: int
    column: int
    end: int
    body: int = 0
    doc: tuple[int, int] = (0, 0)
    signature: str = ""
    type: str = ""
    decorators: tuple[str, ...] = ()
    flags: int = 0
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Here:
    """Where an expression stands. owner: the definition it belongs to."""

    scope: Scope
    owner: Draft
    annotation: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """A statement that binds names. written: the type that it declares, "" without."""

    value: Value | None
    whole: ast.stmt | None = None
    annotated: Value | None = None
    written: str = ""


@dataclass(frozen=True, slots=True)
class Assigned:
    """A target `before.name`, which may be an attribute of the instance."""

    before: Event
    draft: Draft
    binding: Binding


class Names:
    """Gathers events, bindings and the definitions of variables."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.plain = text.data.isascii()
        self.events: list[Event] = []
        self.imports: list[tuple[Import, Draft]] = []
        self.variables: list[tuple[Scope, Draft]] = []
        self.assigned: list[Assigned] = []

    def expressions(self, nodes: Sequence[ast.AST | None], here: Here) -> None:
        """Reads several expressions."""
        for node in nodes:
            if node is not None:
                self.expression(node, here)

    def expression(self, node: ast.AST, here: Here, use: Use = Use.READ) -> None:
        """Reads an expression; `use` is what is done with the name that it is, if it is one."""
        match node:
            case ast.Name() | ast.Attribute():
                if use is Use.READ and here.annotation:
                    use = Use.ANNOTATE
                self.named(node, here, use)
            case ast.Call():
                self.expression(node.func, here, use if use is Use.DECORATE else Use.CALL)
                self.expressions([*node.args, *(word.value for word in node.keywords)], here)
            case ast.Subscript():
                self.expression(node.value, here, use if use is Use.INHERIT else Use.READ)
                self.expression(node.slice, here)
            case ast.BinOp():
                while isinstance(node, ast.BinOp):
                    self.expression(node.right, here)
                    node = node.left
                self.expression(node, here)
            case ast.NamedExpr():
                self.expression(node.value, here)
                self.target(node.target, _outside(here), Binding(self.valued(node.value, here)))
            case ast.Lambda():
                inner = Scope(Area.FUNCTION, here.scope, "", here.scope.home)
                self.parameters(node.args, inner, here)
                self.expression(node.body, replace(here, scope=inner))
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node, here)
            case _:
                self.expressions(list(ast.iter_child_nodes(node)), here)

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, here: Here
    ) -> None:
        inner = Scope(Area.FUNCTION, here.scope, "", here.scope.home, comprehension=True)
        inside = replace(here, scope=inner)
        for number, loop in enumerate(node.generators):
            self.expression(loop.iter, here if number == 0 else inside)
            self.target(loop.target, inside, Binding(Value((), inner)))
            self.expressions(loop.ifs, inside)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.expressions(parts, inside)

    def named(self, node: ast.Name | ast.Attribute, here: Here, use: Use) -> Event:
        """Reads a name or a dotted chain."""
        if isinstance(node, ast.Name):
            name = node.id if self.plain else self.text.name_after(self.text.span(node)[0])[0]
            event = Event(name, (node.lineno, node.col_offset), here.scope, here.owner, use)
            event.root = True
        else:
            before = None
            if isinstance(node.value, ast.Name | ast.Attribute):
                before = self.named(node.value, here, Use.READ)
            else:
                self.expression(node.value, here)
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            name, column = self.text.name_before(node.end_lineno, node.end_col_offset)
            event = Event(name, (node.end_lineno, column), here.scope, here.owner, use, before)
        self.events.append(event)
        return event

    def chain(self, node: ast.expr | None) -> Chain:
        """Returns a dotted name as written, () where it is none."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            names.append(self.text.name_before(node.end_lineno, node.end_col_offset)[0])
            node = node.value
        if not isinstance(node, ast.Name):
            return ()
        names.append(self.text.name_after(self.text.span(node)[0])[0])
        return tuple(reversed(names))

    def valued(self, node: ast.expr, here: Here) -> Value | None:
        """Returns what can be seen of the type of a value; None where it is None."""
        if isinstance(node, ast.Constant) and node.value is None:
            return None
        if isinstance(node, ast.Name):
            return Value(self.chain(node), here.scope, plain=True)
        if isinstance(node, ast.Call):
            return Value(self.chain(node.func), here.scope, called=True)
        return Value((), here.scope)

    def declared(self, node: ast.expr, here: Here) -> Value:
        """Returns the type that an annotation names: `A`, `a.B`, either of them or None."""
        match node:
            case ast.BinOp(op=ast.BitOr(), right=ast.Constant(value=None)):
                node = node.left
            case ast.Subscript() if self.chain(node.value)[-1:] == ("Optional",):
                node = node.slice
        return Value(self.chain(node), here.scope)

    def parameters(self, parameters: ast.arguments, inner: Scope, here: Here) -> None:
        """Binds parameters in a scope; their annotations and defaults stand outside of it."""
        several = [*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs]
        several += [each for each in (parameters.vararg, parameters.kwarg) if each]
        for each in several:
            name = (
                each.arg
                if self.plain
                else self.text.name_after(self.text.place(each.lineno, each.col_offset))[0]
            )
            symbol = inner.symbol(name)
            symbol.other = True
            value = Value((), inner)
            if each.annotation:
                self.expression(each.annotation, replace(here, annotation=True))
                if each not in (parameters.vararg, parameters.kwarg):
                    value = self.declared(each.annotation, here)
            symbol.values.append(value)
        self.expressions([*parameters.defaults, *parameters.kw_defaults], here)

    def target(self, node: ast.AST, here: Here, binding: Binding) -> None:
        """Binds what stands to the left of an assignment, or in its place elsewhere."""
        unknown = replace(binding, value=Value((), here.scope), annotated=None)
        match node:
            case ast.Name():
                event = self.named(node, here, Use.WRITE)
                self.bind(event.name, event.at, here, binding)
            case ast.Attribute():
                event = self.named(node, here, Use.WRITE)
                if isinstance(node.value, ast.Name):
                    assert event.before is not None
                    draft = self._draft(event.name, event.at, here.scope, binding)
                    self.assigned.append(Assigned(event.before, draft, binding))
            case ast.Starred():
                self.target(node.value, here, unknown)
            case ast.Tuple() | ast.List():
                for each in node.elts:
                    self.target(each, here, unknown)
            case _:
                self.expression(node, here)

    def bind(self, name: str, at: Place, here: Here, binding: Binding) -> None:
        """Binds a name in the scope that it belongs to."""
        scope = home_of(here.scope, name)
        if scope is None:
            return
        symbol = scope.symbol(name)
        symbol.variable = True
        if binding.annotated and not (symbol.annotated and symbol.annotated[0] < at):
            symbol.annotated = (at, binding.annotated)
        if binding.value:
            plain = binding.value.plain
            symbol.values.append(Value((), scope) if plain else binding.value)
        if scope.area is not Area.FUNCTION:
            self.variables.append((scope, self._draft(name, at, scope, binding)))

    def _draft(self, name: str, at: Place, scope: Scope, binding: Binding) -> Draft:
        assert isinstance(scope.home, Draft)
        draft = Draft(name, Kind.VARIABLE, scope.home, at, at[0], *at, end=at[0], signature=name)
        if binding.whole:
            assert binding.whole.end_lineno is not None
            draft.first = draft.line = binding.whole.lineno
            draft.column, draft.end = binding.whole.col_offset, binding.whole.end_lineno
            draft.signature, draft.type = self.text.flat(binding.whole), binding.written
        return draft


def home_of(scope: Scope, name: str) -> Scope | None:
    """Returns the scope in which a binding in another takes place; None where one further out."""
    known = scope.names.get(name)
    if known and known.declared == "global":
        return scope.top()
    return None if known and known.declared else scope


def _outside(here: Here) -> Here:
    scope = here.scope
    while scope.comprehension and scope.parent:
        scope = scope.parent
    return replace(here, scope=scope)
