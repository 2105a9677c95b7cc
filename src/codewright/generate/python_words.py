"""The words of Python, as its tokenizer knows them, and what is asked of its parser.

`begins` and `parses` are the running interpreter's own answers.
"""

from __future__ import annotations

import ast
import codeop
import functools
import re
from keyword import kwlist, softkwlist

REMEMBERED = 20_000
"""Answers of the parser: tokens that are looked at in one place differ in little that matters."""
CLAUSES = re.compile(r"(elif|else|except|finally)\b")
BLANK = re.compile(r"[ \t\f]+")
WORD = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*")
"""What the tokenizer takes for a name, before it looks whether it is one."""
NUMBER = re.compile(
    r"0[xX][0-9a-fA-F_]*|0[bB][01_]*|0[oO][0-7_]*"
    r"|(?:[0-9][0-9_]*\.?|\.(?=[0-9]))[0-9_]*(?:[eE][+-]?[0-9_]*)?[jJ]?"
)
WHOLE_NUMBER = re.compile(
    r"0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|(?:0(?:_?0)*|[1-9](?:_?[0-9])*)"
    r"|(?:[0-9](?:_?[0-9])*\.(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)"
    r"(?:[eE][+-]?[0-9](?:_?[0-9])*)?[jJ]?"
    r"|[0-9](?:_?[0-9])*(?:[eE][+-]?[0-9](?:_?[0-9])*[jJ]?|[jJ])"
)
OPERATORS = (
    *("**=", "//=", ">>=", "<<=", "..."),
    *("!=", "%=", "&=", "*=", "**", "+=", "-=", "->", "/=", "//", ":=", "<=", "<<", "==", ">="),
    *(">>", "@=", "^=", "|="),
    *"%&()*+,-./:;<=>@[]^{|}~",
)
PREFIXES = frozenset({"", "r", "u", "b", "f", "br", "rb", "fr", "rf"})
PARTNER = {")": "(", "]": "[", "}": "{"}
AFTER_NUMBER = frozenset({"and", "else", "for", "if", "in", "is", "or", "not"})
KNOWN = frozenset((*kwlist, *softkwlist))
NAME = "x"
"""Any name: one begins like every beginning of a word."""

_FLAGS = ast.PyCF_ONLY_AST | codeop.PyCF_ALLOW_INCOMPLETE_INPUT  # type: ignore[attr-defined]


@functools.lru_cache(REMEMBERED)
def begins(text: str) -> bool:
    """Tells whether the parser runs out of tokens before it fails. `text` ends in a backslash."""
    try:
        compile(text, "<text>", "exec", _FLAGS)
    except SyntaxError as error:
        return error.msg == "incomplete input"
    except (ValueError, MemoryError, RecursionError, OverflowError):
        return False
    return True


def parses(text: str) -> bool:
    """Tells whether the parser takes it as it is."""
    try:
        compile(text, "<text>", "exec", ast.PyCF_ONLY_AST)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return False
    return True


def letters(start: bytes) -> list[str]:
    """Returns a letter, or what may stand inside of a name, that begins with `start`."""
    found: list[str] = []
    for code in _codes(start):
        char = chr(code)
        if ("a" + char).isidentifier() and not (found and not char.isidentifier()):
            found.append(char)
            if char.isidentifier():
                break
    return found


def _codes(start: bytes) -> range:
    """Returns the code points whose UTF-8 begins with `start`."""
    lead = start[0]
    length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    code = lead & (0x7F >> length)
    for byte in start[1:]:
        code = code << 6 | (byte & 0x3F)
    bits = 6 * (length - len(start))
    least = {2: 0x80, 3: 0x800, 4: 0x10000}[length]
    return range(max(least, code << bits), min(0x110000, (code + 1) << bits))
