"""Examples from interactive sessions: `>>> f(x)` and what follows.

Sessions are read, not run. Names that a session gives to literals, or to the result of a call, are
followed; a line that asks for anything else than the value of a call shows no example.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from codewright.types.behaviour import Call
from codewright.types.judging import CallPair
from codewright.verify.asserts import arguments
from codewright.verify.literals import literal, syntax
from codewright.verify.operations import Refused
from codewright.verify.results import Wanted, result, value

_ASKED: Final = re.compile(r"^ *>>> ?(.*)$")
_MORE: Final = re.compile(r"^ *\.\.\.(?: |$)(.*)$")


@dataclass(frozen=True, slots=True)
class Found:
    """An example, and the line (from 0) that it begins in."""

    line: int
    pair: CallPair


@dataclass(slots=True)
class _Session:
    """What the names of a session stand for: plain data, or the call that made it."""

    entry_point: str
    wanted: Wanted
    values: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)

    def call(self, node: ast.expr) -> Call | None:
        """The call of the entry point that an expression is, or stands for."""
        if isinstance(node, ast.Name):
            return self.calls.get(node.id)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            return None
        if node.func.id != self.entry_point:
            return None
        args, kwargs = arguments(node, self.values)
        return Call(args=args, kwargs=kwargs)

    def read(self, statement: ast.stmt, shown: Sequence[str]) -> CallPair | None:
        """The example that a statement and what it shows make.

        Raises:
            Refused: it cannot be told.
        """
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]):
                self.values.pop(name, None)
                call = self.call(statement.value)
                if call is not None:
                    self.calls[name] = call
                else:
                    self.calls.pop(name, None)
                    self.values[name] = literal(statement.value, self.values)
            case ast.Expr(value=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right])):
                call = self.call(left)
                if call is not None and (not shown or shown[0].strip().lower() == "true"):
                    return _pair(call, literal(right, self.values))
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[printed], keywords=[])):
                call = self.call(printed)
                if call is not None and len(shown) == 1:
                    return _pair(call, self._printed(shown[0].strip()))
            case ast.Expr(value=ast.Subscript(value=node, slice=ast.Tuple(elts=items))) if (
                not shown
            ):
                # Without a sign between them, a list after a call reads as an index of it.
                call = self.call(node)
                if call is not None:
                    return _pair(call, literal(ast.List(elts=items, ctx=ast.Load()), self.values))
            case ast.Expr(value=node):
                call = self.call(node)
                if call is not None and shown:
                    return _pair(call, self._shown(shown))
                if call is not None and self.wanted.optional and not isinstance(node, ast.Name):
                    return _pair(call, None)
        return None

    def _printed(self, line: str) -> Any:
        if self.wanted.hint == "str":
            return line
        return result(line, 0, self.wanted, strict=True)[0]

    def _shown(self, shown: Sequence[str]) -> Any:
        """The value of the fewest lines that are one; prose may follow it."""
        for count in range(1, len(shown) + 1):
            text = "\n".join(line.strip() for line in shown[:count])
            try:
                if count > 1:
                    return value(text)
                return result(text, 0, self.wanted, strict=True)[0]
            except Refused:
                continue
        raise Refused("no value is shown")


def sessions(text: str, entry_point: str, wanted: Wanted) -> tuple[list[Found], str]:
    """Returns the examples of a text's sessions, and the text with what was understood blanked.

    What was not understood stays, without its prompt, for it may say something in another way.
    """
    lines = text.split("\n")
    session = _Session(entry_point, wanted)
    found = []
    place = 0
    while place < len(lines):
        asked = _ASKED.match(lines[place])
        if asked is None:
            place += 1
            continue
        start = place
        source = [asked[1]]
        place += 1
        while place < len(lines) and (more := _MORE.match(lines[place])):
            source.append(more[1])
            place += 1
        shown = place
        while place < len(lines) and lines[place].strip() and not _ASKED.match(lines[place]):
            place += 1
        code = "\n".join(source)
        pair = _one(session, code, lines[shown:place])
        if pair is not None:
            found.append(Found(start, pair))
            lines[start:place] = [" " * len(line) for line in lines[start:place]]
        elif _is_other_code(code, entry_point):
            lines[start:shown] = [" " * len(line) for line in lines[start:shown]]
        else:
            lines[start] = lines[start].replace(">>>", "   ", 1)
            for number in range(start + 1, shown):
                lines[number] = lines[number].replace("...", "   ", 1)
    return found, "\n".join(lines)


def _is_other_code(source: str, entry_point: str) -> bool:
    """Whether it is Python, and not just a call that a comment may say something of."""
    tree = syntax(source)
    if tree is None:
        return False
    match tree.body:
        case [ast.Expr(value=ast.Call(func=ast.Name(id=name)))]:
            return name not in (entry_point, "print")
    return True


def _one(session: _Session, source: str, shown: Sequence[str]) -> CallPair | None:
    tree = syntax(source)
    if tree is None:
        return _juxtaposed(session, source)
    try:
        pairs = [
            session.read(statement, shown if statement is tree.body[-1] else ())
            for statement in tree.body
        ]
    except Refused:
        return None
    return pairs[-1] if pairs else None


def _juxtaposed(session: _Session, source: str) -> CallPair | None:
    """An example whose author forgot the sign between call and value."""
    for space in re.finditer(r"\) +", source):
        tree = syntax(source[: space.start() + 1])
        if tree is None or not isinstance(tree.body[0], ast.Expr):
            continue
        try:
            call = session.call(tree.body[0].value)
            if call is not None:
                return _pair(call, value(source[space.end() :]))
        except Refused:
            continue
    return None


def _pair(call: Call, expected: Any) -> CallPair:
    return CallPair(args=call.args, kwargs=call.kwargs, expected=expected)
