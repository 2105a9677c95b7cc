"""Open brackets and strings, against the standard library's own tokenizer."""

from __future__ import annotations

import argparse
import ast
import io
import string
import sys
import textwrap
import tokenize
import typing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.write.scan import Reading, read

F_STRINGS = sys.version_info >= (3, 12)


def continued(source: str) -> set[int]:
    """The lines, from 1, that continue a bracket or a string."""
    found: set[int] = set()
    depth, opened = 0, list[int]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row = token.start[0]
        if token.type == tokenize.STRING:
            found.update(range(row + 1, token.end[0] + 1))
        elif F_STRINGS and token.type == tokenize.FSTRING_START:
            opened.append(row)
        elif F_STRINGS and token.type == tokenize.FSTRING_END:
            found.update(range(opened.pop() + 1, row + 1))
        elif token.type == tokenize.OP and not opened:
            depth += (token.string in "([{") - (token.string in ")]}")
        elif token.type == tokenize.NL and depth:
            found.add(row + 1)
    return found


@pytest.mark.parametrize("module", [argparse, ast, string, textwrap, typing])
def test_lines_that_continue_are_told(module):
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    end, lines = read(source)
    assert end == Reading()
    starts = dict(lines)
    assert len(starts) == source.count("\n")
    told = {source.count("\n", 0, start) + 1 for start, inside in starts.items() if inside}
    assert told == continued(source)


@given(st.text(alphabet="ab(){}\"'#\\\n ", max_size=40), st.integers(0, 40))
def test_any_text_is_read_and_parts_make_a_whole(text: str, cut: int):
    end, lines = read(text)
    assert [start for start, _ in lines] == sorted({start for start, _ in lines})
    assert all(text[start - 1] == "\n" for start, _ in lines)
    assert end.depth >= 0
    head, tail = text[:cut], text[cut:]
    # Where no quote or escape is cut in two, reading goes on where it stopped.
    if head[-1:] not in ("\\", "'", '"') and tail[:1] not in ("'", '"'):
        state, before = read(head)
        again, after = read(tail, state)
        assert again == end
        assert [*before, *((start + len(head), inside) for start, inside in after)] == lines


@pytest.mark.parametrize(
    ("text", "depth", "quote", "comment"),
    [
        ("f(x, [1", 2, "", False),
        ("f(x) # (", 0, "", True),
        ("'(", 0, "'", False),
        ("'(\n", 0, "", False),
        ('"""a\n(', 0, '"""', False),
        ('"""a\\"""', 0, '"""', False),
        ("'a\\'(' + (", 1, "", False),
        (")))(", 1, "", False),
        ("'''\"\"\"'''", 0, "", False),
    ],
)
def test_what_a_text_leaves_open(text: str, depth: int, quote: str, comment: bool):
    end, _ = read(text)
    assert end == Reading(depth=depth, quote=quote, comment=comment)
    assert end.open == (depth > 0 or len(quote) == 3)
