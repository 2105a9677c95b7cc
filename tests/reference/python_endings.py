"""Whether some text makes a beginning a program: a search that only believes `ast.parse`.

It tries what ends a token or a string, what closes each bracket, and what ends a statement, in all
combinations. `feed` only spares it endings that lead nowhere; no ending found proves nothing, one
found proves all.
"""

from __future__ import annotations

import ast
from itertools import product

from codewright.generate.python_program import Program

_QUOTES = ("'", '"', "'''", '"""')
_INSIDE = (
    *("", "}", "x}", "r}", "0}", "0", "00", "0000", "x]}", "x)}", "0)}", "\n", "'}", '"}', 'x"}'),
    *("x'}", " 0}", ": 0}", "x:x)}", "{", "{x}", "}}", "e}", "0.", " x}", " for x in x)}", ")}"),
)
_TOKENS = ["", "''", "''.x", "x", "0", ".", "0.", "lse", "f x else x", "n x", "\n", "\n "]
_TOKENS += [inside + quote for quote in _QUOTES for inside in _INSIDE]
_FILLERS = (
    *("", ",", "x", "x,", "0", ":x", "x:x", " in x", "x in x", " else x", " for x in x"),
    *("x for x in x", " x for x in x", "=x", "x=x", ": x", "*x", "if x else x", " x else x"),
    *("lse x", "x if x else x", "f x", "(x)", "n x", "()", "x()", " x", " x in x", "()in x"),
    *(":x for x in x", "r x in x", "or x in x", "''.x", "''.x in x", "x]", "0.x"),
)
_HEADS = (
    *("", "x", " x", ".x", " in x", "x in x", " else x", " x else x", "()", "(x)", "x()"),
    *(" import x", "x import x", "import x", " as x", " x as x", "=x", "==x", " f()", "x f"),
    *("f f()", "def f()", " def f()", "class x", "lse x", "n x", "s x", "r", "m x import x", "f x"),
    *("x if x", "lse", "for x in x", " for x in x", "with x", "x.x", "[x]", " if x else x"),
    *("x if x else x", " x in x", ": x", "x: x", "x:x", "or x in x", "''.x", "''.x in x", "in x"),
)
_MIDDLES = (
    *("", ": pass", ":\n case _: pass", " = x", ": x", "=x", "():pass", "(): pass"),
    *(" in x: pass", ": x\n", "x=x", " x", " else x", " else x: pass", ": x: pass"),
)
_LAST = (
    *("", "\nexcept: pass", "\n except: pass", "\n    except: pass", "\n\texcept: pass"),
    *("\ndef f(): pass", "\n def f(): pass", "\n    def f(): pass", "\n\tdef f(): pass"),
    *("\n pass", "\n  pass", "\n     pass", "\n\tpass", "\n pass\nexcept: pass", "\n case _: pass"),
    *("\n  pass\n except: pass", "\n      pass", "\n\t pass", "\n\t\tpass", " pass", "pass"),
    *("     pass", " pass\nexcept: pass"),
)
_PARTNER = {"(": ")", "[": "]", "{": "}"}


def parses(text: str) -> bool:
    """Tells whether a text is a program."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def ending(text: str) -> str | None:
    """Returns what makes a program of a beginning; None where nothing was found."""
    begun = Program().feed(text)
    assert begun is not None
    closed: list[tuple[str, Program]] = []
    for more in _TOKENS:
        program = begun.feed(more)
        if program is not None and not program.in_string:
            _close(more, program, closed)
    for more, program in closed:
        for head in _HEADS:
            first = program.feed(head)
            if first is None:
                continue
            for middle, last in product(_MIDDLES, _LAST):
                if parses(text + more + head + middle + last):
                    return more + head + middle + last
    return None


def _close(more: str, program: Program, closed: list[tuple[str, Program]]) -> None:
    brackets = program.brackets
    if not brackets:
        closed.append((more, program))
        return
    found = 0
    for filler in _FILLERS:
        if len(closed) > 60 or found == 3:
            return
        made = program.feed(filler + _PARTNER[brackets[-1]])
        if made is not None and len(made.brackets) < len(brackets):
            found += 1
            _close(more + filler + _PARTNER[brackets[-1]], made, closed)
