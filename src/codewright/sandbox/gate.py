"""The static gate of evaluation mode: may this program share a process with others?

Programs of one problem may run one after the other in one process, each in fresh globals and then
called with plain data, if none can influence the verdict of another. `objection` looks at the
syntax tree alone and is sound, not complete: what it objects to only gets a process of its own.

The argument. State that outlives a program's turn can be changed only through an object that
outlives it: a module, a class or function of the library, the interpreter, the harness. Then
either no such object is reachable, or no reachable operation changes it.

- **New syntax, classes, coroutines, context managers.** Node types are a list of what is allowed.
  Without classes a program has no objects with methods of its own, so no library code calls back
  into it but by the functions that it passed, with its own data or fresh data.
- **Making a class by a call.** `type` is allowed only as `type(x)` where at once compared,
  formatted or asked for its `__name__`; nothing listed hands out a metaclass.
- **Storing into a shared object.** Attributes are never assigned or deleted. Items are, but
  nothing mutable that outlives the program can be reached, and nothing listed sets attributes.
- **Reaching frames, globals, classes, modules by attributes.** An attribute has to be in
  `ATTRIBUTES`, whatever it is asked of: none with an underscore (but `__name__`, a text), none of
  frames, code or tracebacks. Patterns of `match` that name attributes are not allowed. `str.format`
  reads attributes by text, so it is allowed only on a literal without such fields. A module is used
  only as `module.member` with a listed member; the few that are inert may be passed about, because
  `ATTRIBUTES` has no name of what they keep back.
- **Builtins that run text, reach into objects, or open things** are not named, bound by the program
  or not. Names with two underscores are not used, `__builtins__` among them. A name that exists
  nowhere is allowed: its NameError is the program's own.
- **Imports** are of listed modules and members: loaded before, or such as load whole or not at all.
- **Code that runs later**, in another program's turn. There is no `__del__`, thread, signal or exit
  handler. A suspended generator runs its `finally` or `except` when it is collected, so `yield`
  and `try` do not go together.
- **Caches of pure functions** outlive a turn (regular expressions, typing, codecs), and a key that
  is equal but different would show. So flags of `re` are written as integers, and what comes from
  typing stands only in annotations, whose values cannot be read. None of them can be left half
  built by a RecursionError at the wrong moment; base85, whose tables can, is not listed.
- **Interpreter settings** (recursion limit, decimal context, random state): nothing listed sets
  one. Arithmetic on Decimal raises flags that nothing listed reads.
- **Ending the harness** by SystemExit and its like: they are not listed.

The tests walk all that the tables of `purity.py` reach, and run what the gate lets through between
snapshots of the interpreter.

What is not proved. Addresses differ with what ran before: `is` between equal numbers or strings,
the default repr and hash are as undefined alone as in company. An error message of typing may spell
a union in the order in which another program wrote it. Time, memory and output are for the limits:
what dies in company, or runs out of memory there, is judged again alone. The harness gives each
program a new namespace with nothing in it but names of two underscores, and arguments that no other
saw; calls it outside any `except` block (a bare `raise` would raise what is being handled); catches
everything; clears what was printed; and has loaded every module of `purity.MEMBERS` not in
`purity.LATE`. The gate runs in an interpreter like the program's own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from codewright.sandbox.naming import Names, on_value

# {0.x}, {x[0]} and, nested in a format specification, {:{0.x}}.
_READING_FIELD: Final = re.compile(r"\{[^{}:!]*[.\[]")

# Fields that hold text or operators, not nodes with more below them. All others are walked, so a
# field that a later Python adds is seen.
_LEAVES: Final = frozenset({"ctx", "op", "ops", "name", "rest", "type_comment", "simple"})


def _fields(kind: type[ast.AST], *but: str) -> tuple[str, ...]:
    return tuple(f for f in kind._fields if f not in _LEAVES and f not in but)


# What needs no look of its own, and the fields to go on with.
_PLAIN: Final[Mapping[type, tuple[str, ...]]] = MappingProxyType(
    {
        kind: _fields(kind)
        for kind in (
            *(ast.Assert, ast.Assign, ast.AugAssign, ast.BinOp, ast.BoolOp, ast.Break),
            *(ast.Continue, ast.Delete, ast.Dict, ast.DictComp, ast.Expr, ast.For),
            *(ast.GeneratorExp, ast.If, ast.IfExp, ast.JoinedStr, ast.Lambda, ast.List),
            *(ast.ListComp, ast.Match, ast.MatchOr, ast.MatchSequence, ast.MatchValue),
            *(ast.NamedExpr, ast.Pass, ast.Raise, ast.Return, ast.Set, ast.SetComp, ast.Slice),
            *(ast.Starred, ast.Subscript, ast.Tuple, ast.UnaryOp, ast.While, ast.arguments),
            ast.match_case,
        )
    }
    | {ast.Constant: (), ast.MatchSingleton: (), type(None): ()}
)
_NAMED: Final[Mapping[type, tuple[str, ...]]] = MappingProxyType(
    {k: _fields(k) for k in (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)}
)
_FUNCTION: Final = _fields(ast.FunctionDef, "returns")
_TRY: Final = _fields(ast.Try)
_COMPREHENSION: Final = _fields(ast.comprehension, "is_async")


def _push(node: Any, fields: tuple[str, ...], stack: list[Any]) -> None:
    for field in fields:
        child = getattr(node, field)
        if type(child) is list:
            stack += child
        else:
            stack.append(child)


def _past_type(node: Any) -> Any:
    """The x of a plain `type(x)`, for places where the type itself goes nowhere; else the node."""
    if (
        type(node) is ast.Call
        and type(node.func) is ast.Name
        and node.func.id == "type"
        and len(node.args) == 1
        and not node.keywords
        and type(node.args[0]) is not ast.Starred
    ):
        return node.args[0]
    return node


def _attribute(node: ast.Attribute, names: Names, stack: list[Any]) -> str:
    if type(node.ctx) is not ast.Load:
        return "attribute assignment" if type(node.ctx) is ast.Store else "attribute deletion"
    base = node.value
    if type(base) is ast.Name:
        names.dotted.append((base.id, node))
        return ""
    attr = node.attr
    if attr == "format" and type(base) is ast.Constant and type(base.value) is str:
        return "format string that reads" if _READING_FIELD.search(base.value) else ""
    stack.append(_past_type(base) if attr == "__name__" else base)
    return on_value(attr)


def _call(node: ast.Call, names: Names, stack: list[Any]) -> str:
    func = node.func
    if type(func) is ast.Attribute:
        names.called[func] = node
    stack.append(func)
    stack += node.args
    for keyword in node.keywords:
        arg = keyword.arg
        if arg is not None and (arg == "file" or arg[0] == "_"):
            return f"argument {arg}"
        stack.append(keyword.value)
    return ""


def _compare(node: ast.Compare, names: Names, stack: list[Any]) -> str:
    stack.append(_past_type(node.left))
    stack += map(_past_type, node.comparators)
    return ""


def _comprehension(node: ast.comprehension, names: Names, stack: list[Any]) -> str:
    _push(node, _COMPREHENSION, stack)
    # A generator expression may be asynchronous outside coroutines too.
    return "async" if node.is_async else ""


def _formatted(node: ast.FormattedValue, names: Names, stack: list[Any]) -> str:
    stack.append(_past_type(node.value))
    stack.append(node.format_spec)
    return ""


def _function(node: ast.FunctionDef, names: Names, stack: list[Any]) -> str:
    names.bound[node.name] = node.lineno
    _push(node, _FUNCTION, stack)
    return _annotation(node.returns, names, stack)


def _arg(node: ast.arg, names: Names, stack: list[Any]) -> str:
    names.bound[node.arg] = node.lineno
    return _annotation(node.annotation, names, stack)


def _annotated(node: ast.AnnAssign, names: Names, stack: list[Any]) -> str:
    stack.append(node.target)
    stack.append(node.value)
    return _annotation(node.annotation, names, stack)


def _annotation(node: ast.expr | None, names: Names, stack: list[Any]) -> str:
    """Notes the names of an annotation that is nothing but names, subscripts and constants.

    Its value ends where no listed name can read it. Any other annotation is an expression like
    all others.
    """
    if node is None:
        return ""
    pending: list[Any] = [node]
    while pending:
        part = pending.pop()
        kind = type(part)
        if kind is ast.Name:
            if part.id.startswith("__"):
                return f"name {part.id}"
        elif kind is ast.Attribute and type(part.value) is ast.Name:
            names.annotated.append((part.value.id, part))
        elif kind is ast.Subscript and type(part.value) in (ast.Name, ast.Attribute):
            if type(part.value) is ast.Name:
                names.bases[part.value.id] = part.lineno
            pending += (part.value, part.slice)
        elif kind is ast.Tuple or kind is ast.List:
            pending += part.elts
        elif kind is ast.BinOp and type(part.op) is ast.BitOr:
            pending += (part.left, part.right)
        elif kind is not ast.Constant:
            stack.append(node)
            return ""
    return ""


def _import(node: ast.Import, names: Names, stack: list[Any]) -> str:
    return names.note_import(node)


def _import_from(node: ast.ImportFrom, names: Names, stack: list[Any]) -> str:
    return names.note_import_from(node)


def _outer(node: ast.Global | ast.Nonlocal, names: Names, stack: list[Any]) -> str:
    names.bound.update(dict.fromkeys(node.names, node.lineno))
    return ""


def _try(node: ast.Try, names: Names, stack: list[Any]) -> str:
    names.tries = True
    _push(node, _TRY, stack)
    return ""


def _named(node: Any, names: Names, stack: list[Any]) -> str:
    if node.name is not None:
        names.bound[node.name] = node.lineno
    _push(node, _NAMED[type(node)], stack)
    return ""


def _yield(node: ast.Yield | ast.YieldFrom, names: Names, stack: list[Any]) -> str:
    names.yields = node.lineno
    stack.append(node.value)
    return ""


_SPECIAL: Final[Mapping[type, Callable[[Any, Names, list[Any]], str]]] = MappingProxyType(
    {
        ast.AnnAssign: _annotated,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.Compare: _compare,
        ast.ExceptHandler: _named,
        ast.FormattedValue: _formatted,
        ast.FunctionDef: _function,
        ast.Global: _outer,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.MatchAs: _named,
        ast.MatchStar: _named,
        ast.Nonlocal: _outer,
        ast.Try: _try,
        ast.Yield: _yield,
        ast.YieldFrom: _yield,
        ast.arg: _arg,
        ast.comprehension: _comprehension,
    }
)


def objection(tree: ast.Module) -> str:
    """Why the program must have a process of its own, as "line 3: reason"; "" where it need not.

    Args:
        tree: the whole program as `ast.parse` gave it.
    """
    names = Names()
    bare, bound = names.bare, names.bound
    plain, special = _PLAIN.get, _SPECIAL.get
    stack: list[Any] = list(tree.body)
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is ast.Name:
            (bare if type(node.ctx) is ast.Load else bound)[node.id] = node.lineno
            continue
        fields = plain(kind)
        if fields is None:
            look = special(kind)
            reason = kind.__name__ if look is None else look(node, names, stack)
            if reason:
                line = node.target.lineno if kind is ast.comprehension else node.lineno
                return f"line {line}: {reason}"
            continue
        for field in fields:
            child = getattr(node, field)
            if type(child) is list:
                stack += child
            else:
                stack.append(child)
    return names.objection()
