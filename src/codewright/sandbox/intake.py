"""From files to a job: what `codewright judge` is given, read and checked."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from codewright.errors import DataError, UnknownName, UserError
from codewright.sandbox.languages import LANGUAGES
from codewright.types.judging import (
    AssertTests,
    CallPair,
    CallTests,
    Job,
    Level,
    Limits,
    StdioPair,
    StdioTests,
    SuiteTests,
    Tests,
)

_SUFFIXES = {
    ".py": "python", ".c": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".js": "javascript",
    ".mjs": "javascript", ".go": "go", ".rs": "rust", ".java": "java",
}  # fmt: skip


def read_job(
    program: Path, tests: Path, *, entry_point: str, level: Level, language: str, limits: Limits
) -> Job:
    """Makes a job of two files.

    Args:
        program: the program's text.
        tests: asserting Python code, a unittest suite (level `shared`), or JSON pairs: a list of
            `{"stdin": …, "stdout": …}` or of `{"args": […], "expected": …}`.
        entry_point: the function that pairs call; for a file that only defines `check`, the name
            that it is called with.
        language: empty to go by the program's suffix.

    Raises:
        DataError: a file is missing or broken.
        UserError: the tests do not fit the level, the language or the entry point.
    """
    if not language:
        language = _SUFFIXES.get(program.suffix, "python")
    if language != "python" and language not in LANGUAGES:
        known = ", ".join(["python", *LANGUAGES])
        raise UnknownName(f"no language is called {language!r}", hint=f"known: {known}")
    text, source = _read(program), _read(tests)
    found = _pairs(tests, source) if tests.suffix == ".json" else _code(source, entry_point, level)
    if isinstance(found, CallTests) and not entry_point:
        raise UserError(
            "pairs of arguments and results need to know what to call",
            hint="--entry-point NAME",
        )
    if language != "python" and not isinstance(found, StdioTests):
        raise UserError(
            f"programs in {language} are judged by what they read and print",
            hint='give the tests as JSON: [{"stdin": "…", "stdout": "…"}]',
        )
    return Job(program=text, tests=found, entry_point=entry_point, language=language, limits=limits)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", hint="check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}", hint="it has to be UTF-8 text") from None


def _code(source: str, entry_point: str, level: Level) -> Tests:
    if level == "shared":
        return SuiteTests(code=source)
    if entry_point and not _calls(source, "check") and "def check(" in source:
        source += f"\n\ncheck({entry_point})\n"
    return AssertTests(code=source)


def _calls(source: str, name: str) -> bool:
    """Whether code calls a function by name; code that does not parse is left to the judge."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return True
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        for node in ast.walk(tree)
    )


def _pairs(path: Path, source: str) -> StdioTests | CallTests:
    try:
        rows = json.loads(source)
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}", hint="tests in JSON are a list") from None
    if not isinstance(rows, list) or not rows:
        raise DataError(f"{path} holds no list of pairs", hint='[{"stdin": "…", "stdout": "…"}]')
    stdio = [row for row in rows if _has(row, "stdin", "stdout")]
    if len(stdio) == len(rows):
        pairs = [StdioPair(stdin=str(row["stdin"]), stdout=str(row["stdout"])) for row in rows]
        return StdioTests(pairs=tuple(pairs))
    calls = []
    for number, row in enumerate(rows):
        if not _has(row, "args", "expected") or not isinstance(row["args"], list):
            raise DataError(
                f"{path}: pair {number} is neither stdin and stdout nor args and expected",
                hint='[{"args": [1, 2], "expected": 3}]',
            )
        calls.append(
            CallPair(
                args=tuple(row["args"]), kwargs=row.get("kwargs", {}), expected=row["expected"]
            )
        )
    return CallTests(pairs=tuple(calls))


def _has(row: Any, *keys: str) -> bool:
    return isinstance(row, dict) and all(key in row for key in keys)
