"""Why a test failed, in words: the test, the call, what was expected and what came.

Everything is text, cut to a length, made only after a failure. Nothing of the program is run.
"""

from __future__ import annotations

import ast
import reprlib
from types import TracebackType
from typing import Any

TESTS_FILE = "<tests>"
_LONGEST = 2000
_MAX_STATEMENT_LINES = 12
_EXPECTED_NAMES = ("expected", "exp", "want", "desired")
_GOT_NAMES = ("got", "out", "actual", "result")

_short = reprlib.Repr()
_short.maxlist = _short.maxtuple = _short.maxset = _short.maxdict = 60
_short.maxstring = _short.maxother = 600
_short.maxlevel = 8


def shown(value: Any) -> str:
    """A value as source text, shortened in the middle where it is long."""
    try:
        return _short.repr(value)[:_LONGEST]
    except ValueError:
        # An integer of more digits than the interpreter prints.
        return f"<{type(value).__name__} too long to print>"


def shown_call(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """A call as source text."""
    parts = [shown(a) for a in args] + [f"{k}={shown(v)}" for k, v in kwargs.items()]
    return f"{name}({', '.join(parts)})"[:_LONGEST]


def program_trace(source: str, frames: list[Any], name: str, error: BaseException) -> str:
    """A traceback of the program's own frames.

    Args:
        source: the program's text.
        frames: [line, function] as its process reported them.
    """
    texts = source.split("\n")
    lines = []
    for frame in frames:
        match frame:
            case [int(number), str(function)] if 0 < number <= len(texts):
                text = texts[number - 1].strip()[:200]
                lines.append(f"  line {number}, in {function[:80]}\n    {text}")
    said = _text_of(error)
    lines.append(f"{name}: {said}" if said else name)
    return "\n".join(lines)[-2 * _LONGEST :]


def _text_of(error: BaseException) -> str:
    try:
        return ", ".join(a if isinstance(a, str) else shown(a) for a in error.args)[:_LONGEST]
    except ValueError:
        return ""


class TestSource:
    """The text of the tests, to quote from."""

    __test__ = False

    def __init__(self, code: str) -> None:
        self._lines = code.split("\n")
        # Many programs fail the same tests.
        self._known: dict[int, tuple[str, ast.stmt | None]] = {}

    def statement(self, line: int) -> tuple[str, ast.stmt | None]:
        """The statement that begins at a line (from 1), as text and, if it parses, as a tree."""
        known = self._known.get(line)
        if known is None:
            known = self._known[line] = self._statement(line)
        return known

    def _statement(self, line: int) -> tuple[str, ast.stmt | None]:
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        if len(text) > 50_000:
            return text.strip()[:_LONGEST], None
        for end in range(line, min(line + _MAX_STATEMENT_LINES, len(self._lines) + 1)):
            block = "\n".join(self._lines[line - 1 : end]).strip()
            if block.endswith(":"):
                return block, None
            try:
                return block[:_LONGEST], ast.parse(block).body[0]
            except (SyntaxError, IndexError):
                continue
        return text.strip()[:_LONGEST], None

    def failure(self, error: BaseException, value: Any) -> dict[str, str]:
        """What a failed assertion says: `test`, `expected`, `got`, `message`.

        Args:
            error: as raised, with its traceback.
            value: what the program returned last.
        """
        frame = _last_frame(error.__traceback__)
        if frame is None:
            return {"message": _text_of(error)}
        text, tree = self.statement(frame.tb_lineno)
        said = {"test": text, "message": _text_of(error), "got": shown(value)}
        names = frame.tb_frame.f_locals
        scope = (frame.tb_frame.f_globals, names)
        if isinstance(tree, ast.Assert):
            said.update(_sides(tree.test, scope, value))
        if "expected" not in said:
            for key, choices in (("expected", _EXPECTED_NAMES), ("got", _GOT_NAMES)):
                for name in choices:
                    if name in names and frame.tb_frame.f_code.co_name != "<module>":
                        said[key] = shown(names[name])
                        break
        return said


def _last_frame(trace: TracebackType | None) -> TracebackType | None:
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == TESTS_FILE:
            found = trace
        trace = trace.tb_next
    return found


def _sides(test: ast.expr, scope: tuple[dict[str, Any], Any], value: Any) -> dict[str, str]:
    """Expected and got of a comparison: the side without a call is what was expected."""
    if isinstance(test, ast.Call | ast.Name):
        return {"expected": "a true value"}
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return {"expected": "a false value"}
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return {}
    left, right = _quiet(test.left, scope), _quiet(test.comparators[0], scope)
    if right is not None:
        relation = _RELATIONS.get(type(test.ops[0]), "")
        said = {"expected": f"{relation}{right}"}
        if left is not None:
            said["got"] = left
        return said
    return {"expected": left} if left is not None else {}


_RELATIONS: dict[type[ast.cmpop], str] = {
    ast.NotEq: "not ", ast.Lt: "less than ", ast.LtE: "at most ", ast.Gt: "more than ",
    ast.GtE: "at least ", ast.In: "one of ", ast.NotIn: "none of ", ast.Is: "", ast.IsNot: "not ",
}  # fmt: skip


def _quiet(node: ast.expr, scope: tuple[dict[str, Any], Any]) -> str | None:
    """The value of an expression that calls nothing, as text; None where it would call."""
    if isinstance(node, ast.Constant):
        return shown(node.value)
    if any(isinstance(n, ast.Call | ast.Attribute | ast.Subscript) for n in ast.walk(node)):
        return None
    try:
        code = compile(ast.Expression(node), TESTS_FILE, "eval")
        return shown(eval(code, scope[0], scope[1]))
    except (NameError, TypeError, ValueError, ArithmeticError):
        return None
