"""The statements of a Python file: its functions, classes, imports, and what is bound.

Nothing is resolved here: `python_scopes.py` says what the names refer to when all are known.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from dataclasses import replace

from codewright.repo.facts import Flag, Import, Kind, Use
from codewright.repo.python_names import Binding, Draft, Here, Names, home_of
from codewright.repo.python_scopes import Area, Event, Place, Scope, Value, joined
from codewright.repo.python_text import Text

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_REST = re.compile(rb"\*\*[\s\\]*([A-Za-z0-9_\x80-\xff]+)")
_DOTTED = re.compile(r"[\w.]*")
_KEYWORD = re.compile(rb"(?:async(?:[ \t\f]|\\\n)+)?(?:def|class)(?:[ \t\f]|\\\n)+")
_BY_DECORATOR = {
    "staticmethod": Flag.STATIC,
    "classmethod": Flag.CLASS_METHOD,
    "property": Flag.PROPERTY,
    "cached_property": Flag.PROPERTY,
    "setter": Flag.PROPERTY,
    "getter": Flag.PROPERTY,
    "deleter": Flag.PROPERTY,
    "abstractmethod": Flag.ABSTRACT,
    "abstractproperty": Flag.ABSTRACT | Flag.PROPERTY,
    "overload": Flag.OVERLOAD,
}


class Statements(Names):
    """Walks statements. exported: the names in `__all__`."""

    def __init__(self, text: Text) -> None:
        super().__init__(text)
        self.drafts: list[Draft] = []
        self.exported: set[str] = set()

    def block(self, body: Sequence[ast.stmt], here: Here) -> None:
        """Walks a block."""
        for node in body:
            self.statement(node, here)

    def statement(self, node: ast.stmt, here: Here) -> None:
        """Walks a statement."""
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node, here)
            case ast.ClassDef():
                self._class(node, here)
            case ast.Assign():
                binding = Binding(self.valued(node.value, here), node)
                for target in node.targets:
                    self.target(target, here, binding)
                    self._export(target, node.value, here)
                self.expression(node.value, here)
            case ast.AugAssign():
                self.target(node.target, here, Binding(Value((), here.scope), node))
                self._export(node.target, node.value, here)
                self.expression(node.value, here)
            case ast.AnnAssign():
                self._annotated(node, here)
            case ast.For() | ast.AsyncFor():
                self.target(node.target, here, Binding(Value((), here.scope)))
                self.expression(node.iter, here)
                self.block([*node.body, *node.orelse], here)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self.expression(item.context_expr, here)
                    if item.optional_vars:
                        value = self.valued(item.context_expr, here) or Value((), here.scope)
                        self.target(item.optional_vars, here, Binding(value))
                self.block(node.body, here)
            case ast.If() | ast.While():
                rest: list[ast.stmt] = [node]
                while len(rest) == 1 and isinstance(only := rest[0], ast.If | ast.While):
                    self.expression(only.test, here)
                    self.block(only.body, here)
                    rest = only.orelse
                self.block(rest, here)
            case ast.Try() | ast.TryStar():
                self._try(node, here)
            case ast.Match():
                self.expression(node.subject, here)
                for case in node.cases:
                    self._pattern(case.pattern, here)
                    self.expressions([case.guard], here)
                    self.block(case.body, here)
            case ast.Import() | ast.ImportFrom():
                self._import(node, here)
            case ast.Delete():
                for target in node.targets:
                    self._delete(target, here)
            case ast.Global() | ast.Nonlocal():
                word = "global" if isinstance(node, ast.Global) else "nonlocal"
                if here.scope.parent:
                    for name in node.names:
                        here.scope.symbol(name).declared = word
            case _:
                if sys.version_info >= (3, 12) and isinstance(node, ast.TypeAlias):
                    self._alias(node, here)
                else:
                    self.expressions(list(ast.iter_child_nodes(node)), here)

    def _annotated(self, node: ast.AnnAssign, here: Here) -> None:
        self.expression(node.annotation, replace(here, annotation=True))
        binding = Binding(
            self.valued(node.value, here) if node.value else None,
            node,
            self.declared(node.annotation, here),
            self.text.flat(node.annotation),
        )
        self.target(node.target, here, binding)
        if node.value:
            self._export(node.target, node.value, here)
            self.expression(node.value, here)

    def _try(self, node: ast.Try | ast.TryStar, here: Here) -> None:
        self.block(node.body, here)
        for handler in node.handlers:
            self.expressions([handler.type], here)
            if handler.name and (scope := home_of(here.scope, handler.name)):
                symbol = scope.symbol(handler.name)
                symbol.other = True
                symbol.values.append(Value(self.chain(handler.type), here.scope))
            self.block(handler.body, here)
        self.block([*node.orelse, *node.finalbody], here)

    def _delete(self, node: ast.expr, here: Here) -> None:
        match node:
            case ast.Tuple() | ast.List():
                for each in node.elts:
                    self._delete(each, here)
            case ast.Name():
                event = self.named(node, here, Use.WRITE)
                if scope := home_of(here.scope, event.name):
                    scope.symbol(event.name).other = True
            case ast.Attribute():
                self.named(node, here, Use.WRITE)
            case _:
                self.expression(node, here)

    def _pattern(self, node: ast.pattern, here: Here) -> None:
        name, at = "", (0, 0)
        match node:
            case ast.MatchAs(name=str()) | ast.MatchStar(name=str()):
                name, column = self.text.name_before(node.end_lineno, node.end_col_offset)
                at = (node.end_lineno, column)
            case ast.MatchMapping(rest=str()):
                start = self.text.place(node.lineno, node.col_offset)
                end = self.text.place(node.end_lineno, node.end_col_offset)
                *_, rest = _REST.finditer(self.text.data, start, end)
                name, at = rest[1].decode(), self.text.at(rest.start(1))
        if name:
            self.events.append(Event(name, at, here.scope, here.owner, Use.WRITE, root=True))
            self.bind(name, at, here, Binding(Value((), here.scope)))
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.pattern):
                self._pattern(child, here)
            else:
                self.expression(child, here)

    def _import(self, node: ast.Import | ast.ImportFrom, here: Here) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                at = (alias.lineno, alias.col_offset)
                place, path, name = self.text.place(*at), "", ""
                for _ in alias.name.split("."):
                    name, place = self.text.name_after(place)
                    path = joined(path, name)
                    self._imported(name, self.text.at(place), path, here)
                    place += len(name.encode())
                bound = alias.asname or path.partition(".")[0]
                self._bind_import(bound, at, path if alias.asname else bound, here)
                self._note(Import(at[0], 0, path, "", bound), here)
            return
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            at = (alias.lineno, alias.col_offset)
            if alias.name == "*":
                self._note(Import(at[0], 0, module, "*", ""), here)
                continue
            path = module + ("" if module.endswith(".") else ".") + alias.name
            self._imported(alias.name, at, path, here)
            self._bind_import(alias.asname or alias.name, at, path, here)
            self._note(Import(at[0], 0, module, alias.name, alias.asname or alias.name), here)

    def _note(self, found: Import, here: Here) -> None:
        self.imports.append((found, here.owner))

    def _imported(self, name: str, at: Place, path: str, here: Here) -> None:
        self.events.append(Event(name, at, here.scope, here.owner, Use.IMPORT, path=path))

    def _bind_import(self, name: str, at: Place, path: str, here: Here) -> None:
        if scope := home_of(here.scope, name):
            symbol = scope.symbol(name)
            if symbol.first is None or at < symbol.first[0]:
                symbol.first = (at, path, "import")

    def _export(self, target: ast.expr, value: ast.expr, here: Here) -> None:
        if here.scope.parent or not (isinstance(target, ast.Name) and target.id == "__all__"):
            return
        for node in ast.walk(value):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                start, end = self.text.span(node)
                if self.text.data[start + 1 : end - 1] == node.value.encode("utf-8", "replace"):
                    self.exported.add(node.value)

    def _named(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, kind: Kind, here: Here
    ) -> Draft:
        """Binds the name of a function or class, and begins its definition."""
        word = _KEYWORD.match(self.text.data, self.text.span(node)[0])
        assert word is not None
        name, _ = self.text.name_after(word.end())
        scope = home_of(here.scope, name) or here.scope
        at = (node.lineno, node.col_offset)
        symbol = scope.symbol(name)
        if symbol.first is None or at < symbol.first[0]:
            symbol.first = (at, "", "class" if kind is Kind.CLASS else "function")
        if kind is Kind.FUNCTION and scope.area is Area.CLASS:
            kind = Kind.METHOD
        assert isinstance(scope.home, Draft)
        first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
        assert node.end_lineno is not None
        draft = Draft(name, kind, scope.home, at, first, *at, end=node.end_lineno)
        draft.decorators = tuple(self.text.flat(each) for each in node.decorator_list)
        draft.body, draft.doc = body_of(node.body)
        start = head = self.text.span(node)[0]
        if not isinstance(node, ast.ClassDef) and node.returns:
            head = self.text.span(node.returns)[1]
            draft.type = self.text.flat(node.returns)
        draft.signature = self.text.flat_between(start, self.text.colon(head))
        self.drafts.append(draft)
        for each in node.decorator_list:
            self.expression(each, replace(here, owner=draft), Use.DECORATE)
        return draft

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, here: Here) -> None:
        draft = self._named(node, Kind.FUNCTION, here)
        outer = home_of(here.scope, draft.name) or here.scope
        if isinstance(node, ast.AsyncFunctionDef):
            draft.flags |= Flag.ASYNC
        for written in draft.decorators:
            dotted = _DOTTED.match(written)
            assert dotted is not None
            draft.flags |= _BY_DECORATOR.get(dotted[0].rpartition(".")[2], 0)
        around = replace(self._type_parameters(node, here), owner=draft)
        path = joined(outer.path, draft.name)
        inner = Scope(Area.FUNCTION, around.scope, path, draft)
        self.parameters(node.args, inner, around)
        if node.returns:
            self.expression(node.returns, replace(around, annotation=True))
        if draft.kind is Kind.METHOD and not draft.flags & Flag.STATIC:
            first = [*node.args.posonlyargs, *node.args.args][:1]
            for each in first:
                place = self.text.place(each.lineno, each.col_offset)
                inner.self_name, inner.self_class = self.text.name_after(place)[0], outer
        self.block(node.body, Here(inner, draft))

    def _class(self, node: ast.ClassDef, here: Here) -> None:
        draft = self._named(node, Kind.CLASS, here)
        outer = home_of(here.scope, draft.name) or here.scope
        around = replace(self._type_parameters(node, here), owner=draft)
        for base in node.bases:
            self.expression(base, around, Use.INHERIT)
        self.expressions([word.value for word in node.keywords], around)
        inner = Scope(Area.CLASS, around.scope, joined(outer.path, draft.name), draft)
        self.block(node.body, Here(inner, draft))

    def _type_parameters(self, node: ast.stmt, here: Here) -> Here:
        """Returns where the rest of a definition with type parameters stands."""
        if sys.version_info >= (3, 12):
            assert isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.TypeAlias))
            if node.type_params:
                scope = Scope(Area.FUNCTION, here.scope, "", here.scope.home)
                here = replace(here, scope=scope)
                for each in node.type_params:
                    scope.symbol(each.name).other = True
                    self.expressions([*ast.iter_child_nodes(each)], replace(here, annotation=True))
        return here

    def _alias(self, node: ast.stmt, here: Here) -> None:
        if sys.version_info >= (3, 12):
            assert isinstance(node, ast.TypeAlias)
            self.target(node.name, here, Binding(Value((), here.scope), node, written="TypeAlias"))
            inner = self._type_parameters(node, here)
            self.expression(node.value, replace(inner, annotation=True))


def body_of(body: Sequence[ast.stmt]) -> tuple[int, tuple[int, int]]:
    """Returns the first line of a body, and the lines of the docstring that it begins with."""
    if not body:
        return 0, (0, 0)
    first = body[0]
    line = first.lineno
    if isinstance(first, (*FUNCTIONS, ast.ClassDef)) and first.decorator_list:
        line = first.decorator_list[0].lineno
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        value = first.value
        if isinstance(value.value, str):
            assert value.end_lineno is not None
            return line, (value.lineno, value.end_lineno)
    return line, (0, 0)
