"""What the quality model looks at: figures of a Python file that cost little to get.

Statistics of the text and one pass over the statements of its tree; expressions are not visited,
which would cost more than all the rest. Every figure is a share or a mean, so that none grows with
the file: a long file is not worse than the same code in two. `FEATURES` names them in the order in
which `features` gives them.
"""

from __future__ import annotations

import ast
import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

FEATURES = (
    "line_mean", "line_spread", "line_long", "blank", "comments", "commented_code",
    "repeated_lines", "packed", "tabs", "trailing_space", "digits", "quotes", "to_do", "prints",
    "module_docstring", "documented", "documented_public", "annotated", "function_length",
    "long_functions", "arguments", "nesting", "deep", "name_length", "short_names",
    "star_imports", "bare_excepts", "silent_excepts", "globals", "imports", "classes", "loose",
    "assignments", "asserts", "returns",
)  # fmt: skip

LONG_FUNCTION = 80
DEEP = 5
LONG_LINE = 100
_TO_DO = ("TODO", "FIXME", "XXX", "HACK")
_CODE_COMMENT = re.compile(
    r"^(?:[\w.\[\]]+ ?[-+*/]?= ?\S|(?:if|for|while|def|class|with|elif|return|import|from|print)\b"
    r".*(?::$|\(|import )|[\w.]+\([^)]*\)$)"
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_PACK_BYTES = 8_000
_LINES = 300
"""Of a longer file only so much is packed, and looked at for repetitions: both grow with it."""


@dataclass(slots=True)
class _Seen:
    """What the pass over the statements counts."""

    statements: int = 0
    functions: int = 0
    documented: int = 0
    public: int = 0
    public_documented: int = 0
    slots: int = 0
    annotated: int = 0
    arguments: int = 0
    depths: int = 0
    deep: int = 0
    stars: int = 0
    imports: int = 0
    bare: int = 0
    silent: int = 0
    globals: int = 0
    classes: int = 0
    loose: int = 0
    assignments: int = 0
    asserts: int = 0
    returns: int = 0
    lengths: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def features(text: str, tree: ast.Module) -> list[float]:
    """Returns the figures of a file, as `FEATURES` names them.

    Args:
        text: the file, with `\\n` line ends.
        tree: its syntax tree.
    """
    seen = _statements(tree)
    count = max(seen.statements, 1)
    functions = max(seen.functions, 1)
    names = max(len(seen.names), 1)
    return [
        *_of_text(text),
        float(ast.get_docstring(tree, clean=False) is not None),
        seen.documented / functions if seen.functions else 0.5,
        seen.public_documented / seen.public if seen.public else 0.5,
        seen.annotated / seen.slots if seen.slots else 0.5,
        math.log1p(sum(seen.lengths) / functions),
        sum(n for n in seen.lengths if n > LONG_FUNCTION) / max(sum(seen.lengths), 1),
        seen.arguments / functions,
        seen.depths / count,
        seen.deep / count,
        sum(map(len, seen.names)) / names if seen.names else 8.0,
        sum(len(name) <= 2 for name in seen.names) / names,
        seen.stars / max(seen.imports, 1),
        seen.bare / count,
        seen.silent / count,
        seen.globals / functions,
        seen.imports / count,
        seen.classes / count,
        seen.loose / count,
        seen.assignments / count,
        seen.asserts / count,
        seen.returns / count,
    ]


def _of_text(text: str) -> list[float]:
    lines = text.split("\n")
    count = len(lines)
    lengths = list(map(len, lines))
    mean = sum(lengths) / count
    spread = math.sqrt(sum(length * length for length in lengths) / count - mean * mean)
    stripped = [line.strip() for line in lines]
    told = [line for line in stripped if line]
    comments = [line[1:].strip() for line in told if line[0] == "#"]
    total = max(len(told), 1)
    sample = text[:_PACK_BYTES].encode("utf-8")
    raw = text.encode("utf-8")
    return [
        mean,
        spread,
        sum(length > LONG_LINE for length in lengths) / count,
        1 - len(told) / count,
        len(comments) / total,
        sum(1 for line in comments if _CODE_COMMENT.match(line)) / total,
        1 - len(set(told[:_LINES])) / min(total, _LINES),
        len(zlib.compress(sample, 1)) / max(len(sample), 1),
        text.count("\n\t") / count,
        (text.count(" \n") + text.count("\t\n")) / count,
        1 - len(raw.translate(None, b"0123456789")) / max(len(raw), 1),
        (text.count("'") + text.count('"')) / max(len(text), 1),
        sum(map(text.count, _TO_DO)) / total,
        (text.count(" print(") + text.count("\nprint(")) / total,
    ]


def _statements(tree: ast.Module) -> _Seen:
    seen = _Seen()
    todo: list[tuple[Sequence[ast.stmt], int]] = [(tree.body, 0)]
    while todo:
        body, depth = todo.pop()
        seen.statements += len(body)
        seen.depths += depth * len(body)
        seen.deep += len(body) if depth >= DEEP else 0
        for statement in body:
            if isinstance(statement, ast.Assign):
                seen.assignments += 1
                seen.names += [t.id for t in statement.targets if isinstance(t, ast.Name)]
            elif isinstance(statement, ast.Expr):
                if not depth and not isinstance(statement.value, ast.Constant):
                    seen.loose += 1
            elif isinstance(statement, _FUNCTIONS):
                _function(statement, seen)
                todo.append((statement.body, depth + 1))
            else:
                todo += _other(statement, depth, seen)
    return seen


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, seen: _Seen) -> None:
    first = node.body[0]
    documented = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    seen.functions += 1
    seen.documented += documented
    if not node.name.startswith("_"):
        seen.public += 1
        seen.public_documented += documented
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    own = [each for each in given if each.arg not in ("self", "cls")]
    seen.arguments += len(own)
    seen.slots += len(own) + 1
    seen.annotated += sum(each.annotation is not None for each in own)
    seen.annotated += node.returns is not None
    seen.lengths.append((node.end_lineno or node.lineno) - node.lineno + 1)
    seen.names.append(node.name)
    seen.names += [each.arg for each in own]


def _other(statement: ast.stmt, depth: int, seen: _Seen) -> list[tuple[Sequence[ast.stmt], int]]:
    """Counts a statement that is neither a function nor the simplest, and returns its bodies."""
    match statement:
        case ast.Return():
            seen.returns += 1
        case ast.Import():
            seen.imports += 1
        case ast.ImportFrom(names=names):
            seen.imports += 1
            seen.stars += names[0].name == "*"
        case ast.Assert():
            seen.asserts += 1
        case ast.AnnAssign() | ast.AugAssign():
            seen.assignments += 1
        case ast.Global():
            seen.globals += 1
        case ast.ClassDef(name=name, body=body):
            seen.classes += 1
            seen.names.append(name)
            return [(body, depth + 1)]
        case ast.If(body=body, orelse=[ast.If()] as orelse):
            return [(body, depth + 1), (orelse, depth)]  # elif is no deeper than if
        case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
            return [(statement.body, depth + 1), (statement.orelse, depth + 1)]
        case ast.With() | ast.AsyncWith():
            return [(statement.body, depth + 1)]
        case ast.Try() | ast.TryStar():
            for handler in statement.handlers:
                seen.bare += handler.type is None
                seen.silent += len(handler.body) == 1 and isinstance(handler.body[0], ast.Pass)
            bodies = [h.body for h in statement.handlers]
            bodies += [statement.body, statement.orelse, statement.finalbody]
            return [(body, depth + 1) for body in bodies]
        case ast.Match(cases=cases):
            return [(case.body, depth + 1) for case in cases]
    return []
