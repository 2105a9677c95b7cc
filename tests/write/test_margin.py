"""The part of a file that says whether a text fits at its cursor, against all of the file."""

from __future__ import annotations

import argparse
import ast
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.types.generation import Completion
from codewright.write import margin
from codewright.write.complete import Block, Cursor, nearby, rank
from codewright.write.source import parse
from codewright.write.trim import block_end, trimmed

FILES = [Path(argparse.__file__), Path(random.__file__), Path(ast.__file__)]


def fits(before: str, text: str, after: str) -> bool:
    """By the part around the cursor alone."""
    near = before[margin.start(before) :]
    return parse(near + text + after[: margin.end(near, after)]) is not None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_part_says_what_the_file_says(path: Path):
    source = path.read_text(encoding="utf-8")
    chance = random.Random(1)
    seen = set()
    for _ in range(12):
        start = chance.randrange(len(source))
        stop = min(len(source), start + chance.choice((0, 3, 20, 80)))
        before, after = source[:start], source[stop:]
        for text in (source[start:stop], "", "x", ")", "\n", "    x = 1\n", '"""'):
            whole = parse(before + text + after) is not None
            seen.add(whole)
            if whole:
                assert fits(before, text, after), (before[-80:], text, after[:80])
            elif fits(before, text, after):
                # Then it is broken elsewhere, or by what an open string makes of the rest.
                assert parse(before + after) is None or '"""' in text or "\n" in source[start:stop]
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("before", "text", "after", "wanted"),
    [
        ("x = = 1\n\ndef f():\n    return ", "1", "\n", True),  # broken before
        ("def f():\n    return ", "1", "\n\ndef g(:\n", True),  # and behind
        ("def f():\n    return ", "(1", "\n\ndef g():\n    pass\n", False),
        ("import a\n\n@a.b", "(1)", "\n@a.c\ndef f():\n    pass\n\ndef g(:\n", True),
        ("@a(\n    b", "=1", ",\n)\nclass C:\n    pass\n", True),
        ("@a\n", "def f(): pass", "\n", True),
        ("if a:\n    b()\nel", "se:\n    c()", "\n", True),
        ('"""\nif it is\n', "x", '\ndef of\n"""\nx = 1\n', True),
        ("", "x = 1", "", True),
    ],
)
def test_what_is_broken_elsewhere_does_not_count(before: str, text: str, after: str, wanted: bool):
    assert fits(before, text, after) is wanted
    place = Cursor(before=before, after=after, python=True)
    for each in (place, nearby(place)):
        (offer,) = rank(each, [Completion(text=text)], line=False)
        assert offer.parses is wanted


PIECES = st.lists(
    st.sampled_from(
        ["\n", "    ", "  ", "x", " = 1", "else", ":", "if y", "(", ")", '"""', "@a", "def f", "#"]
    ),
    max_size=12,
).map("".join)


@given(before=PIECES, text=PIECES, more=PIECES, python=st.booleans())
def test_law_what_follows_the_end_of_a_block_changes_nothing(
    before: str, text: str, more: str, python: bool
):
    place = Cursor(before=before, after="", python=python)
    if Block(place).ended(text):
        end = block_end(text, before, python=python)
        assert block_end(text + more, before, python=python) == end
        assert trimmed(text + more, before, "", line=False, python=python) == trimmed(
            text, before, "", line=False, python=python
        )
    assert Block(nearby(place)).ended(text) == Block(place).ended(text)
