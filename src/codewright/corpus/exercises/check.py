"""Runs exercises: the text that is given away was executed, within a number of lines.

The code is our own, written from the catalogue, so it runs in this process; the guard is there for
a mistake in the catalogue, not for an attack. The limit counts lines, not time, so that the same
seed gives the same documents on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

FILE = "<exercise>"
LINES = 20_000


class TooManyLines(AssertionError):
    """An exercise that does not end, or not soon enough."""


@contextmanager
def guarded(limit: int = LINES) -> Iterator[None]:
    """Stops code compiled by `run` after `limit` lines, by raising TooManyLines."""
    left = limit

    def local(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left < 0:
                raise TooManyLines(f"more than {limit} lines")
        return local

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        return local if frame.f_code.co_filename == FILE else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)


def _swallow(*_values: Any) -> None:
    """Stands for print while exercises run: what they say is for their readers."""


def run(text: str) -> dict[str, Any]:
    """Executes the text as a module that is not the main one, and returns its names.

    Raises:
        SyntaxError: it does not compile.
        AssertionError: one of its assertions fails, or it runs too long.
    """
    namespace: dict[str, Any] = {"__name__": "exercise", "print": _swallow}
    code = compile(text, FILE, "exec", dont_inherit=True)
    with guarded():
        exec(code, namespace)
    return namespace


def call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Returns what the function returns, within the limit."""
    with guarded():
        return function(*arguments)


def literal(value: Any) -> str:
    """Returns the value as source text, the same in every process: sets are sorted."""
    if isinstance(value, set | frozenset):
        if not value:
            return "set()"
        return "{" + ", ".join(sorted(map(literal, value))) + "}" if _mixed(value) else _set(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    return repr(value)


def _mixed(value: set[Any] | frozenset[Any]) -> bool:
    return len({type(item) for item in value}) > 1


def _set(value: set[Any] | frozenset[Any]) -> str:
    return "{" + ", ".join(map(literal, sorted(value))) + "}"


def has_set(value: Any) -> bool:
    """True where the value's own repr depends on the process."""
    if isinstance(value, set | frozenset):
        return True
    if isinstance(value, list | tuple):
        return any(map(has_set, value))
    return isinstance(value, dict) and any(map(has_set, value.values()))
