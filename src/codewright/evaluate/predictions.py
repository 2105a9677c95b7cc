"""From what a model said about a call of `f` to a program that holds nothing but its prediction.

    rule        the prediction is
    marked      what stands after the last [ANSWER], up to [/ANSWER]
    first line  what the text begins with, as where a base model continues an assertion
    block       what a code block holds
    said        named in the prose: `f(2) == 4`, "the output is 4"; the last mention counts
    none        nowhere: the program raises

A predicted value becomes `def answer()` that returns it, predicted arguments one that returns
`(args, kwargs)`. The text is parsed and read as plain data (`verify/literals.py`), so what reaches
a program is a literal that was written anew, never a model's own code. A value that a bounded
expression has (`'a' * 3`, `sorted([2, 1])`) counts as that value; a call of `f` is none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from codewright.verify.literals import MAX_CHARACTERS, expression, literal, syntax
from codewright.verify.operations import Refused
from codewright.verify.show import value_text
from codewright.verify.signature import STRING, closing
from codewright.write.fences import first_fence, split_blocks

NOTHING = 'def answer():\n    raise ValueError("no literal was predicted")\n'
"""The program of a text that predicts nothing."""

_OPENED = re.compile(r"\[ANSWER\]", re.IGNORECASE)
_CLOSED = re.compile(r"\[/ANSWER\]", re.IGNORECASE)
_FENCE = "```"
_MOST_LINES = 200
"""Lines of prose that are looked through, from the end."""
_MOST_LINE = 2_000
_MOST_CALLS = 50

_CALL = re.compile(r"(?<![\w.])f\(")
_RESULTS = re.compile(
    r"\b(?:outputs?|answer|results?|values?|returns?|returned|returning|evaluates?|predict\w*)\b",
    re.IGNORECASE,
)
_INPUTS = re.compile(r"\b(?:inputs?|arguments?|args|answer|predict\w*)\b", re.IGNORECASE)
_LINK = re.compile(r"(?:\b(?:is|be|are|to|as|of|by)\b|[:=>→]|^)[\s`*]*(?=\S)")
_WORD = re.compile(r"(?:None|True|False)\b|[-+]?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?")
_MAKER = re.compile(r"(?:set|frozenset|float|range|dict|list|tuple|bytes|complex)\(")
_DRESS = " \t`*_#>"
"""What Markdown puts around a line."""

Read = Callable[[str], tuple[str, str]]
"""From a model's text to a program and the rule that made it."""

Take = Callable[[str], str | None]
"""From a snippet to the source of what the program returns; None where it predicts nothing."""


def output(text: str) -> tuple[str, str]:
    """Returns the program of a predicted value, and the rule that found it."""
    return _program(text, value_in, _first_value, _said_values)


def arguments(text: str) -> tuple[str, str]:
    """Returns the program of predicted arguments, and the rule that found them."""
    return _program(text, arguments_in, _first_arguments, _said_arguments)


def returning(source: str) -> str:
    """Returns the program of a prediction, given as source text."""
    return f"def answer():\n    return {source}\n"


def value_in(snippet: str) -> str | None:
    """Returns the source of the value in `V`, `x = V`, `f(…) == V` or `assert f(…) == V`."""
    node = _last(snippet)
    if isinstance(node, ast.Compare):
        node = _other_side(node)
    return None if node is None else _source(node)


def arguments_in(snippet: str) -> str | None:
    """Returns the source of `(args, kwargs)` of the call in a snippet.

    The call is alone or a side of a comparison. Without one, the snippet is what stands between
    its brackets.
    """
    node = _last(snippet)
    sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else [node]
    calls = [side for side in sides if _is_call(side)]
    if calls:
        return _call_source(calls[0])
    bare = expression(f"f({snippet.strip()})")
    return _call_source(bare) if _is_call(bare) else None


def _program(
    text: str,
    take: Take,
    first: Callable[[str], str | None],
    said: Callable[[str], str | None],
) -> tuple[str, str]:
    marked = _marked(text)
    if marked is not None:
        found = _within(marked, take)
        return (NOTHING, "none") if found is None else (returning(found), "marked")
    tries: tuple[tuple[str, Callable[[str], str | None]], ...] = (
        ("first line", first),
        ("said", lambda text: said(_after_fences(text))),
        ("block", lambda text: _in_blocks(text, take)),
        ("said", said),
    )
    for rule, find in tries:
        if (found := find(text)) is not None:
            return returning(found), rule
    return NOTHING, "none"


def _marked(text: str) -> str | None:
    """Returns the last marked answer; its end mark may be missing, or its beginning."""
    opened = list(_OPENED.finditer(text))
    rest = text[opened[-1].end() :] if opened else text
    closed = _CLOSED.search(rest)
    if not opened and closed is None:
        return None
    return rest[: closed.start()] if closed else rest


def _within(marked: str, take: Take) -> str | None:
    """Reads a marked answer, which may stand in a code block or between backticks."""
    snippet = marked.strip()
    if first_fence(snippet) is not None:
        return _in_blocks(snippet, take)
    snippet = snippet.strip("`").strip()
    return take(snippet) if snippet else None


def _in_blocks(text: str, take: Take) -> str | None:
    snippets = (block.code for block in reversed(split_blocks(text)))
    return next((found for code in snippets if (found := take(code)) is not None), None)


def _after_fences(text: str) -> str:
    """Returns the prose that follows the last code block."""
    head, _, tail = text.rpartition(_FENCE)
    return tail if (head.count(_FENCE) + 1) % 2 == 0 else ""


def _first_value(text: str) -> str | None:
    """The value that the text begins with, alone on its line or lines."""
    head = text.lstrip()
    end = _extent(head)
    line = head.partition("\n")[0]
    if end is not None and not head[end:].partition("\n")[0].strip(" \t.;"):
        return value_in(head[:end])
    return value_in(line.partition(" #")[0]) or value_in(line.strip())


def _first_arguments(text: str) -> str | None:
    """The rest of a call that the prompt opened, or a call."""
    head = text.lstrip()[:MAX_CHARACTERS]
    if _CALL.match(head) is None:
        head = f"f({head}"
    end = closing(head, 1)
    return None if end is None else arguments_in(head[: end + 1])


def _lines(text: str) -> Iterator[str]:
    """Yields lines from the end that are not blank, without what Markdown puts around them."""
    for line in reversed(text.splitlines()[-_MOST_LINES:]):
        if line.strip(_DRESS) and len(line) <= _MOST_LINE:
            yield line.strip(_DRESS).removeprefix("- ")


def _said_values(text: str) -> str | None:
    for number, line in enumerate(_lines(text)):
        node = _last(line)
        if number == 0 or isinstance(node, ast.Compare):
            found = value_in(line) or value_in(line.rstrip("."))
            if found is not None:
                return found
        if (found := _named(line, _RESULTS, value_in)) is not None:
            return found
    return None


def _said_arguments(text: str) -> str | None:
    for place in reversed(list(_CALL.finditer(text))[-_MOST_CALLS:]):
        end = closing(text[: place.start() + _MOST_LINE], place.end() - 1)
        if end is None:
            continue
        if (found := arguments_in(text[place.start() : end + 1])) is not None:
            return found
    named = (_named(line, _INPUTS, arguments_in) for line in _lines(text))
    return next((found for found in named if found is not None), None)


def _named(line: str, words: re.Pattern[str], take: Take) -> str | None:
    """Returns the last value that a line links to one of `words`: "the output is 4"."""
    word = words.search(line)
    if word is None:
        return None
    tail, found, place = line[word.end() :].lstrip(" `*"), None, 0
    while link := _LINK.search(tail, place):
        place = max(link.end(), place + 1)
        end = _extent(tail[link.end() :])
        if end is None:
            continue
        read = take(tail[link.end() : link.end() + end])
        if read is not None:
            # What a string says is not read again as prose.
            found, place = read, link.end() + end
    return found


def _extent(text: str) -> int | None:
    """Returns where the literal ends that `text` begins with, or None."""
    head = text[:MAX_CHARACTERS]
    if maker := _MAKER.match(head):
        end = closing(head, maker.end() - 1)
    elif head[:1] in ("[", "(", "{"):
        end = closing(head, 0)
    elif string := STRING.match(head, 1 if head[:1] in ("b", "r", "u") else 0):
        end = string.end() - 1
    elif word := _WORD.match(head):
        end = word.end() - 1
    else:
        return None
    if end is None or re.match(r"\w|\.\d", head[end + 1 :]):
        return None
    return end + 1


def _last(snippet: str) -> ast.expr | None:
    """Returns the expression of the last statement: asserted, assigned, or alone."""
    tree = syntax(snippet.strip())
    match tree.body[-1:] if tree is not None else []:
        case [ast.Assert(test=node)]:
            return node
        case [ast.Expr(value=node) | ast.Assign(value=node)]:
            return node
    return None


def _other_side(node: ast.Compare) -> ast.expr | None:
    """Returns what a call of `f` is compared with."""
    if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq | ast.Is):
        return None
    left, right = node.left, node.comparators[0]
    if _is_call(left):
        return right
    return left if _is_call(right) else None


def _is_call(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "f"


def _call_source(node: ast.expr | None) -> str | None:
    assert isinstance(node, ast.Call)
    places = ast.Tuple(elts=node.args, ctx=ast.Load())
    names = ast.Dict(
        keys=[ast.Constant(word.arg) if word.arg else None for word in node.keywords],
        values=[word.value for word in node.keywords],
    )
    return _source(ast.Tuple(elts=[places, names], ctx=ast.Load()))


def _source(node: ast.expr) -> str | None:
    """Returns the value of a literal as source text that is the same in every process."""
    try:
        text = value_text(literal(node), MAX_CHARACTERS)
    except Refused:
        return None
    # What is cut or cannot be written out is no Python any more.
    return text if expression(text) is not None else None
