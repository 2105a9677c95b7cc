"""Programs as HTML: coloured by the kind of token, and compared line by line with another.

The programs are hostile text. They are read by Python's tokeniser and never run; every character
goes through `page.words`, and what is too long or too odd to be read stays plain.
"""

from __future__ import annotations

import difflib
import io
import keyword
import tokenize
import warnings
from collections.abc import Iterator

from codewright.page import words

LINES = 300
"""Lines of a program that are shown."""
COLUMNS = 400
"""Characters of a line that are shown."""

STYLE = """
.code{overflow-x:auto;margin:0;padding:12px 0;border-radius:8px;background:var(--paper);
border:1px solid var(--line);font:13px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
tab-size:4}
.code span.l{display:block;padding:0 16px;white-space:pre;min-width:max-content}
.code span.l::before{content:attr(data-m);display:inline-block;width:1.6em;color:var(--soft);
user-select:none}
.code .add{background:var(--add)}.code .del{background:var(--del)}
.code .skip{color:var(--soft)}
.k{color:var(--keyword)}.s{color:var(--string)}.c{color:var(--soft);font-style:italic}
.m{color:var(--number)}.d{font-weight:650}
:root{--add:#1d9a6c22;--del:#d14a3a1f;--keyword:#8a3ea8;--string:#25713b;--number:#a5530b}
@media(prefers-color-scheme:dark){:root{--add:#2fbf8630;--del:#e0604f2e;--keyword:#c792ea;
--string:#9ccc8b;--number:#f0a868}}
"""

_KINDS = {tokenize.COMMENT: "c", tokenize.STRING: "s", tokenize.NUMBER: "m"}


def code(program: str) -> str:
    """Returns a program as a block of code."""
    shown = highlighted(program)
    return _block([_line("", "", line) for line in shown])


def difference(program: str, other: str) -> str:
    """Returns `program` with marks where it differs from `other`: + its own, - the other's.

    Long stretches that both have in common are left out.
    """
    ours, theirs = _lines(program), _lines(other)
    our_html, their_html = highlighted(program), highlighted(other)
    told = []
    # Without the junk heuristic, which hides common lines of long programs.
    matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
    for number, (kind, a, b, c, d) in enumerate(matcher.get_opcodes()):
        if kind != "equal":
            told += [_line("-", "del", line) for line in their_html[a:b]]
            told += [_line("+", "add", line) for line in our_html[c:d]]
            continue
        same = [_line(" ", "", line) for line in our_html[c:d]]
        before = 3 if number else 0
        after = 3 if b < len(theirs) or d < len(ours) else 0
        if len(same) > before + after + 2:
            skipped = _line("", "skip", f"⋯ {len(same) - before - after} lines in common")
            same = [*same[:before], skipped, *same[len(same) - after :]]
        told += same
    return _block(told)


def _block(lines: list[str]) -> str:
    return f'<div class="code" tabindex="0">{"".join(lines)}</div>'


def _line(mark: str, kind: str, line: str) -> str:
    return f'<span class="l {kind}" data-m="{mark}">{line or " "}</span>'


def _lines(program: str) -> list[str]:
    """The lines that are shown, cut to size."""
    lines = program.strip("\n").split("\n")
    shown = [line.rstrip("\r")[:COLUMNS] for line in lines[:LINES]]
    if len(lines) > LINES:
        shown.append(f"# … {len(lines) - LINES:,} more lines")
    return shown


def highlighted(program: str) -> list[str]:
    """Returns the lines of a program as HTML, each token in a span of its kind."""
    lines = _lines(program)
    spans: list[list[tuple[int, int, str]]] = [[] for _ in lines]
    for kind, (first, start), (last, end) in _tokens("\n".join(lines) + "\n"):
        for number in range(first, min(last, len(lines)) + 1):
            left = start if number == first else 0
            right = end if number == last else len(lines[number - 1])
            spans[number - 1].append((left, right, kind))
    return [_spanned(line, found) for line, found in zip(lines, spans, strict=True)]


def _spanned(line: str, spans: list[tuple[int, int, str]]) -> str:
    told, at = "", 0
    for left, right, kind in spans:
        told += words(line[at:left]) + f'<span class="{kind}">{words(line[left:right])}</span>'
        at = right
    return told + words(line[at:])


Place = tuple[int, int]


def _tokens(text: str) -> Iterator[tuple[str, Place, Place]]:
    """Yields (kind, start, end) of the tokens that have a colour, as far as the text is Python."""
    after = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                kind = _KINDS.get(token.type, "")
                if token.type == tokenize.NAME:
                    kind = "k" if keyword.iskeyword(token.string) else ""
                    if after in ("def", "class"):
                        kind = "d"
                if kind:
                    yield kind, token.start, token.end
                after = token.string
        except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
            return
