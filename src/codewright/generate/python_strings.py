"""String literals of Python, character by character: where one ends, and whether it still can.

A literal may take another character as long as some end of it is a literal that Python reads:
escapes are complete or can be, bytes are ASCII, and the fields of an f-string hold what can become
an expression. Fields are those of Python 3.11 on every version: without backslashes, comments and
the quotes of the literal itself. The name in `\\N{…}` is looked at when it is complete.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

DEEPEST = 2
"""Fields in the format of a field, and no deeper."""
_DIGITS = {"x": 2, "u": 4, "U": 8}
_CODE = re.compile(r"0?$|00$|000|0010|001$")
"""How eight digits begin that name a code point."""
_HEX = frozenset("0123456789abcdefABCDEF")
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -()")

Status = Literal["open", "closed", "dead"]
Where = Literal["text", "expression", "debug", "conversion", "format"]


class Expression(Protocol):
    """What stands in a field, growing."""

    @property
    def nested(self) -> bool:
        """Whether it is inside of brackets or a string of its own."""
        ...

    @property
    def in_string(self) -> bool:
        """Whether it is inside of a string of its own."""
        ...

    def feed(self, text: str) -> Expression | None:
        """Returns it with `text` behind it; None where no expression begins so."""
        ...

    def ends(self) -> bool:
        """Returns whether it is an expression as it is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """An open literal. `quote` is one character or three; `seen` of them stand at its end.

    escape: what was begun with a backslash. where: in the text of the literal, or in which part of
    a field; fields: the formats that this stands in, the text outermost. last: a character of a
    field that means something only together with the next one.
    """

    quote: str
    raw: bool = False
    binary: bool = False
    fields: bool = False
    seen: int = 0
    escape: str = ""
    where: Where = "text"
    depth: int = 0
    last: str = ""
    expression: Expression | None = None
    begin: Callable[[], Expression] | None = None

    def take(self, char: str) -> tuple[Quoted, Status]:
        """Returns the literal with one more character."""
        seen = self.seen + 1 if char == self.quote[0] and not self.escape else 0
        if seen == len(self.quote):
            # In a field the end of the literal is the end of nothing.
            whole = not self.depth and not self.last
            return self, "closed" if whole else "dead"
        if char == "\n" and len(self.quote) == 1 and self.escape != "\\":
            return self, "dead"
        if self.binary and not char.isascii():
            return self, "dead"
        now = self if seen == self.seen else replace(self, seen=seen)
        if self.escape or (char == "\\" and self.where in ("text", "format")):
            return now._escaped(char)
        if not self.fields:
            return now, "open"
        made = now._field(char)
        return (now, "dead") if made is None else (made, "open")

    def _escaped(self, char: str) -> tuple[Quoted, Status]:
        escape = self.escape + char
        if escape == "\\" and self.last:
            return self, "dead"
        if len(escape) == 1:
            return replace(self, escape=escape), "open"
        done = replace(self, escape="")
        if self.fields and char in "{}" and len(escape) == 2:
            # A backslash hides a quote, but no bracket.
            made = done._field(char)
            return (done, "dead") if made is None else (made, "open")
        if self.raw or (self.binary and char != "x" and len(escape) == 2):
            return done, "open"
        kind, digits = escape[1], escape[2:]
        if kind in _DIGITS:
            if not _HEX.issuperset(digits) or (kind == "U" and not _CODE.match(digits)):
                return self, "dead"
            whole = len(digits) == _DIGITS[kind]
            return (done if whole else replace(self, escape=escape)), "open"
        if kind != "N":
            return done, "open"
        if len(escape) == 3:
            return replace(self, escape=escape), "open" if char == "{" else "dead"
        if len(escape) > 3 and char == "}":
            return done, "open" if _named(escape) else "dead"
        sound = len(escape) == 2 or char in _NAME
        return replace(self, escape=escape), "open" if sound else "dead"

    def _field(self, char: str) -> Quoted | None:
        """Takes a character of an f-string; None where it is none."""
        if self.where == "text":
            return self._text(char)
        if self.where == "format":
            if char == "{":
                return self._opened()
            return self._closed() if char == "}" else self
        if self.where == "debug":
            if char == " " or (char.isspace() and char != "\n"):
                return self
            return self._behind(char)
        if self.where == "conversion":
            if self.last == "!":
                return replace(self, last="") if char in "sra" else None
            return self._behind(char) if char in ":}" else None
        return self._expression(char)

    def _text(self, char: str) -> Quoted | None:
        if self.last == "}":
            return replace(self, last="") if char == "}" else None
        if self.last == "{":
            if char == "{":
                return replace(self, last="")
            opened = replace(self, last="")._opened()
            return None if opened is None else opened._field(char)
        return replace(self, last=char) if char in "{}" else self

    def _opened(self) -> Quoted | None:
        assert self.begin is not None
        if self.depth == DEEPEST:
            return None
        return replace(
            self, where="expression", depth=self.depth + 1, last="", expression=self.begin()
        )

    def _expression(self, char: str) -> Quoted | None:
        assert self.expression is not None
        if char == "\\" or (char == "#" and not self.expression.in_string):
            return None
        if not self.expression.nested:
            if self.last and char == "=":  # one of == != <= >=
                return self._fed(self.last + char)
            if self.last == "=":
                if not self.expression.ends():
                    return None
                return replace(self, last="", where="debug")._field(char)
            if self.last == "!":
                if not self.expression.ends():
                    return None
                return replace(self, where="conversion")._field(char)
            if self.last:
                made = self._fed(self.last)
                return None if made is None else made._expression(char)
            if char in "=!<>":
                return replace(self, last=char)
            if char in ":}":
                return self._behind(char) if self.expression.ends() else None
        return self._fed(char)

    def _behind(self, char: str) -> Quoted | None:
        """Takes what may follow an expression."""
        if char == "!" and self.where != "conversion":
            return replace(self, where="conversion", last="!")
        if char == ":":
            return replace(self, where="format", expression=None)
        return self._closed() if char == "}" else None

    def _closed(self) -> Quoted:
        depth = self.depth - 1
        return replace(
            self, where="format" if depth else "text", depth=depth, last="", expression=None
        )

    def _fed(self, text: str) -> Quoted | None:
        assert self.expression is not None
        made = self.expression.feed(text)
        return None if made is None else replace(self, last="", expression=made)


def _named(escape: str) -> bool:
    try:
        ast.literal_eval(f'"{escape}"')
    except (SyntaxError, ValueError):
        return False
    return True
