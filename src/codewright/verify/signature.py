"""What a prompt says of its function: parameters, annotations, and the text that describes it.

The prompt may end inside the function, hold other functions, or be prose without any. It is read as
text and syntax, never run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from codewright.verify.literals import syntax

_QUOTES: Final = re.compile(r'(?:(?<!\w)[rRuUbBfF]{1,2})?("""|\'\'\')')
STRING: Final = re.compile(
    r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
)
_MARK: Final = re.compile(r"^([ ]*)#+ ?", re.MULTILINE)
_RETURNS: Final = re.compile(
    r"\s*->\s*(([\"']?)[\w.]+(?:\[[\w.,\[\] |\"']*\])?(?: *\| *[\w.]+(?:\[[\w.,\[\] |]*\])?)*\2)"
)
_RESULT: Final = re.compile(r"\s*(?:=|→|➞|⇒|returns?\b|should\b)")
_MOST_MENTIONS: Final = 100
_OPEN: Final = "([{"
_CLOSE: Final = ")]}"
_STRAIGHT: Final = str.maketrans("“”„‘’−\u00a0\t", '"""\'\'-  ')
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The parameters of a function, without the self of a method.

    names: those that take positions, in order. required: how many of them have no default.
    keywords: further names that are given by keyword only; `needed` those of them without a
    default. annotations: by name; `returns` that of the result.
    """

    names: tuple[str, ...] = ()
    required: int = 0
    variadic: bool = False
    keywords: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()
    any_keyword: bool = False
    annotations: Mapping[str, ast.expr | None]
    returns: ast.expr | None = None

    def accepts(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Whether a call with these arguments binds."""
        if len(args) > len(self.names) and not self.variadic:
            return False
        placed = set(self.names[: len(args)])
        if placed & set(kwargs):
            return False
        unknown = set(kwargs) - set(self.names) - self.keywords
        missing = set(self.names[: self.required]) - placed - set(kwargs)
        return not missing and not (self.needed - set(kwargs)) and (self.any_keyword or not unknown)


def signature(prompt: str, entry_point: str) -> Signature | None:
    """Returns the signature of `entry_point`; None where the prompt does not show it.

    Where no function is defined, a mention in prose counts, such as "write total(xs, start=0)".
    """
    for found in _definitions(prompt, entry_point):
        end = closing(prompt, found.end() - 1)
        if end is None:
            continue
        returns = _RETURNS.match(prompt, end + 1)
        known = _parsed(prompt[found.end() - 1 : end + 1], returns[1] if returns else "")
        if known is not None:
            return known
    mentions = re.finditer(rf"(?<![\w.]){re.escape(entry_point)}\(", prompt)
    for found in islice(mentions, _MOST_MENTIONS):
        end = closing(prompt, found.end() - 1)
        if end is None or _RESULT.match(prompt, end + 1):
            continue
        returns = _RETURNS.match(prompt, end + 1)
        known = _parsed(prompt[found.end() - 1 : end + 1], returns[1] if returns else "")
        if known is not None and known.names:
            return known
    return None


def _parsed(parameters: str, returns: str) -> Signature | None:
    for annotation in (f" -> {returns}", ""):
        tree = syntax(f"def f{parameters}{annotation}: pass\n")
        if tree is not None and isinstance(tree.body[0], ast.FunctionDef):
            return _signature(tree.body[0])
    return None


def _definitions(prompt: str, entry_point: str) -> list[re.Match[str]]:
    pattern = rf"^[ \t]*(?:async[ \t]+)?def[ \t]+{re.escape(entry_point)}[ \t]*\("
    # A prompt that shows the function more than once ends with the one that is wanted.
    return list(re.finditer(pattern, prompt, re.MULTILINE))[::-1]


def _signature(node: ast.FunctionDef) -> Signature:
    places = [*node.args.posonlyargs, *node.args.args]
    required = len(places) - len(node.args.defaults)
    if places and places[0].arg in ("self", "cls"):
        places, required = places[1:], max(0, required - 1)
    only = node.args.kwonlyargs
    needed = [
        a.arg for a, default in zip(only, node.args.kw_defaults, strict=True) if default is None
    ]
    return Signature(
        names=tuple(a.arg for a in places),
        required=required,
        variadic=node.args.vararg is not None,
        keywords=frozenset(a.arg for a in only),
        needed=frozenset(needed),
        any_keyword=node.args.kwarg is not None,
        annotations={a.arg: a.annotation for a in (*places, *only)},
        returns=node.returns,
    )


def description(prompt: str, entry_point: str) -> str:
    """Returns the text in which examples of `entry_point` may stand.

    Other functions and classes of the prompt are left out, as are the header of the function, the
    quotes of its docstring and the marks of comments and code in prose; typographic quotes are
    straight. Lines stay lines.
    """
    lines = prompt.expandtabs(4).splitlines()
    tree = syntax(prompt.expandtabs(4))
    for node in tree.body if tree else ():
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and node.end_lineno is not None:
            inside = {part.name for part in ast.walk(node) if isinstance(part, _FUNCTIONS)}
            if entry_point not in inside:
                lines[node.lineno - 1 : node.end_lineno] = [""] * (
                    node.end_lineno - node.lineno + 1
                )
    text = "\n".join(lines)
    for found in _definitions(text, entry_point):
        end = closing(text, found.end() - 1)
        stop = len(text) if end is None else end + 1
        header = re.match(r"[^\n]*?:(?=\s)", text[stop:])
        text = text[: found.start()] + "\n" + text[stop + (header.end() if header else 0) :]
    raw = re.search(r'\b[rR]("""|\'\'\')', text) is not None
    text = _QUOTES.sub("\n", text).replace("`", " ").translate(_STRAIGHT)
    text = _MARK.sub(r"\1", text)
    return text if raw else text.replace("\\\\", "\\")


def closing(text: str, start: int) -> int | None:
    """Returns where the bracket that opens at `start` closes, strings skipped; None if nowhere."""
    opened = []
    place = start
    while place < len(text):
        character = text[place]
        if character in "\"'":
            string = STRING.match(text, place)
            if string is None:
                return None
            place = string.end()
            continue
        if character == "#" and place and text[place - 1] in " \t":
            newline = text.find("\n", place)
            place = len(text) if newline < 0 else newline
            continue
        if character in _OPEN:
            opened.append(_CLOSE[_OPEN.index(character)])
        elif character in _CLOSE:
            if not opened or opened.pop() != character:
                return None
            if not opened:
                return place
        place += 1
    return None
