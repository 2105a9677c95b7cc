"""What a person adds to a specification in files: examples, and pairs of few-shot prompting.

Examples are rows of JSON, or lines of Python that say what a call returns. A line that is not
understood is an error: an example that is dropped in silence would be believed to have been kept.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codewright.errors import DataError
from codewright.files import parse_row
from codewright.types.judging import CallPair
from codewright.verify.asserts import arguments
from codewright.verify.literals import literal, syntax
from codewright.verify.operations import Refused
from codewright.write.specification import read_text

LONGEST = 10_000_000
"""Bytes of a file of examples."""

SHAPES = (
    'rows like {"args": [1, 2], "expected": 3}, lines like f(1, 2) == 3, or sessions with >>> f(1)'
)
_KEYS = frozenset({"args", "kwargs", "expected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenExamples:
    """Examples of one function, and its name where the file says it."""

    pairs: tuple[CallPair, ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A specification and the program that answers it; `specification` may be empty."""

    specification: str
    program: str


def read_examples(path: Path, entry_point: str = "") -> GivenExamples:
    """Returns the examples in a file.

    Args:
        path: JSON, JSON lines, or Python text.
        entry_point: the function that they have to be of; empty where any will do.

    Raises:
        DataError: the file cannot be read, has no examples, or has a line that is none.
    """
    text = read_text(path, most=LONGEST)
    rows = path.suffix in (".json", ".jsonl")
    return examples_in(text, str(path), entry_point, rows=rows)


def examples_in(
    text: str, place: str, entry_point: str = "", *, rows: bool = False
) -> GivenExamples:
    """Returns the examples in a text; raises as `read_examples`.

    Args:
        text: JSON, JSON lines, or Python text.
        place: what it is called in messages.
        entry_point: as `read_examples`.
        rows: it is JSON, whatever it begins with.
    """
    if rows or text.lstrip()[:1] in ("{", "["):
        found = GivenExamples(pairs=tuple(_pair(row, where) for where, row in _rows(text, place)))
    else:
        found = _python(text, place, entry_point)
    if not found.pairs:
        raise DataError(f"{place} holds no examples", hint=SHAPES)
    return found


def _rows(text: str, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSON array, or of lines, each with the words that name its place."""
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{place} is not JSON: {error}", hint=SHAPES) from None
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, dict):
                raise DataError(f"{place}, entry {number}: not an object", hint=SHAPES)
            yield f"{place}, entry {number}", row
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{place}, line {number}"
            yield where, parse_row(line.encode(), where)


def _pair(row: Mapping[str, Any], where: str) -> CallPair:
    args, kwargs = row.get("args", []), row.get("kwargs", {})
    if "expected" not in row or not isinstance(args, list) or not isinstance(kwargs, dict):
        raise DataError(f"{where}: no example", hint=SHAPES)
    if strange := set(row) - _KEYS:
        raise DataError(f"{where}: what is {min(strange)!r}?", hint=SHAPES)
    return CallPair(args=tuple(args), kwargs=kwargs, expected=row["expected"])


def _python(text: str, place: str, entry_point: str) -> GivenExamples:
    """Lines like `f(1) == 2`, with or without `assert`, and sessions."""
    pairs, names = [], dict.fromkeys([entry_point] if entry_point else [])
    for number, source in _statements(text):
        where = f"{place}, line {number}"
        name, pair = _said(source, where)
        names[name] = None
        if len(names) > 1:
            raise DataError(
                f"{where}: an example of {name}, not of {next(iter(names))}",
                hint="all examples of a file are of the one function that is wanted",
            )
        pairs.append(pair)
    return GivenExamples(pairs=tuple(pairs), name=next(iter(names), ""))


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yields (line, text of the form `call == value`); what a session shows becomes the value."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        start, line = at, lines[at].strip()
        at += 1
        if line.startswith(">>>"):
            call = line[3:].strip()
            while at < len(lines) and lines[at].strip().startswith("..."):
                call += "\n" + lines[at].strip()[3:]
                at += 1
            shown = []
            while (
                at < len(lines) and lines[at].strip() and not lines[at].lstrip().startswith(">>>")
            ):
                shown.append(lines[at])
                at += 1
            yield start + 1, f"({call}) == ({' '.join(shown)})" if shown else call
            continue
        if not line or line.startswith("#"):
            continue
        # A literal may go on over several lines.
        while syntax(line) is None and at < len(lines) and lines[at].strip():
            line += "\n" + lines[at]
            at += 1
        yield start + 1, line


def _said(source: str, where: str) -> tuple[str, CallPair]:
    """The function's name and the example that a statement is."""
    tree = syntax(source)
    node: ast.AST | None = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    if isinstance(node, ast.Assert):
        node = node.test
    elif isinstance(node, ast.Expr):
        node = node.value
    try:
        match node:
            case ast.Compare(
                left=ast.Call() as call, ops=[ast.Eq() | ast.Is()], comparators=[said]
            ):
                return _called(call, literal(said))
            case ast.Compare(
                left=said, ops=[ast.Eq() | ast.Is()], comparators=[ast.Call() as call]
            ):
                return _called(call, literal(said))
            case ast.UnaryOp(op=ast.Not(), operand=ast.Call() as call):
                return _called(call, False)
            case ast.Call() as call:
                return _called(call, True)
            case _:
                raise Refused("it is no comparison of a call with a value")
    except Refused as error:
        few = " ".join(source.split())[:60]
        raise DataError(f"{where}: no example in {few!r} ({error})", hint=SHAPES) from None


def _called(call: ast.Call, expected: Any) -> tuple[str, CallPair]:
    if not isinstance(call.func, ast.Name):
        raise Refused("the call is not that of a function by its name")
    args, kwargs = arguments(call)
    return call.func.id, CallPair(args=args, kwargs=kwargs, expected=expected)


def read_shots(path: Path) -> tuple[Shot, ...]:
    """Returns the pairs of a few-shot file: rows of JSON, or one text that is shown as it is.

    Raises:
        DataError: the file cannot be read, or a row has neither prompt and completion nor
            specification and program.
    """
    text = read_text(path, most=LONGEST)
    if path.suffix not in (".json", ".jsonl"):
        if not text.strip():
            raise DataError(f"{path} holds nothing to show")
        return (Shot(specification="", program=text.strip("\n") + "\n"),)
    shots = []
    for where, row in _rows(text, str(path)):
        for keys in (("prompt", "completion"), ("spec", "program")):
            said = [row.get(key) for key in keys]
            if isinstance(said[0], str) and isinstance(said[1], str) and len(row) == 2:
                shots.append(Shot(specification=said[0], program=said[1]))
                break
        else:
            raise DataError(
                f"{where}: no pair",
                hint='rows have "prompt" and "completion", or "spec" and "program"',
            )
    if not shots:
        raise DataError(f"{path} holds nothing to show")
    return tuple(shots)
