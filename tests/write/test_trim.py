"""What of a continuation belongs to the cursor. In the cases, `|` is the cursor."""

from __future__ import annotations

import ast
import textwrap as some_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.write.trim import block_end, closing, repetition, trimmed

NEXT = "\n\n\ndef other():\n    pass\n"


def cut(before: str, text: str) -> str:
    return text[: block_end(text, before, python=True)].rstrip()


@pytest.mark.parametrize(
    ("before", "kept", "rest"),
    [
        # A statement in a block: to the end of the block.
        ("def f():\n    x = ", "1\n    y = 2\n\n    return x", NEXT),
        ("def f():\n    x = ", "1", "\nprint(f())"),
        # On a line of its own.
        ("def f():\n    ", "x = 1\n    return x", NEXT),
        ("def f():\n", "    if a:\n        b()\n    return x", NEXT),
        ("def f():\n", "\n    x = 1\n    return x", NEXT),
        ("class C:\n    def f(self):\n        ", "return 1", "\n\n    def g(self):\n        pass"),
        ("    ", "for x in y:\n        a(x)\n    return z", "\nb = 1"),
        # A statement that was begun and opens a block is finished and no more.
        ("def f(x):", "\n    return x", "\n\nclass C:"),
        ("def f():\n    for x in ", "range(3):\n        a(x)\n        b(x)", "\n    return 1"),
        ("    if x", ":\n      a()\n    elif y:\n      b()\n    else:\n      c()", "\n    d()"),
        ("  try:", "\n    a()\n  except E:\n    b()\n  finally:\n    c()", "\n  d()"),
        ("def f(", "\n    a,\n    b,\n):\n    return a", "\nc = 1"),
        # Brackets and strings may stand further left.
        ("    x = ", "[\n1,\n2,\n]\n    y = 1", "\nz = 2"),
        ("    x = ", '"""\ndef not_code():\n"""\n    y = 1', "\nz = 2"),
        ("    x = f(\n", "a,\nb)\n    c()", "\nd"),
        # At the margin.
        ("", "import a\nimport b", "\n\nx = 1"),
        ("import a\n", "import b", "\ndef f():\n    pass"),
        ("", "\n\n@decorated\ndef f():\n    return 1", "\n\n\ndef g():\n    pass"),
        ("", "def f():\n    return 1", "\n\n\ndef g():\n    pass"),
        ("", "class C:\n    a = 1\n\n    b = 2", "\n\nd = 1"),
        ("if a:", "\n    b()\nelse:\n    c()", "\nd()"),
        ("x = 1 if ", "a else 2\ny = 3", "\n\nz = 4"),
        ("x = ", "1", "\nif x:\n    y()"),
    ],
)  # fmt: skip
def test_a_block_ends_where_it_should(before: str, kept: str, rest: str):
    assert cut(before, kept + rest) == kept.rstrip()
    assert cut(before, kept) == kept.rstrip()


def test_without_python_indentation_alone_counts():
    text = "f(\n1\n    )\n"
    assert text[: block_end(text, "    x = ", python=False)] == "f(\n"
    assert text[: block_end(text, "    x = ", python=True)] == text


@pytest.mark.parametrize(
    ("before", "after", "text", "kept"),
    [
        ("  a = 1\n", "  b = 2\n  c = 3\n", "  x = 0\n  b = 2\n  c = 3\n", "  x = 0\n"),
        ("    a = ", "\n    b = 2\n    c = 3\n", "1\n    b = 2\n", "1\n"),
        ("    a = ", "\n    b = 2\n    c = 3\n", "1\n    b = 2\n    c", "1\n    b = 2\n    c"),
        ("    a = ", "\n    b = 2\n    call(3)\n", "1\n\n    b = 2\n    call(", "1\n\n"),
        # A short line that returns may be meant; a long one, or several, are not.
        ("    a = ", "\n    b = 2\n", "1\n    b = 2\n    x = 1\n", "1\n    b = 2\n    x = 1\n"),
        ("a", "\n    total = compute(everything)\n", "\n    total = compute(everything)\nx", "\n"),
        # The rest of the cursor's line is no line; the whole line is one where nothing precedes it.
        ("f(", "x)\n", "x)\ny", "x)\ny"),
        ("  ", "f(x)\ng(x)\n", "f(x)\ng(x)\n", ""),
        ("a = 1", "\n", "\nb", "\nb"),
        ("a", "\nb\n", "", ""),
    ],
)  # fmt: skip
def test_what_follows_is_not_said_again(before: str, after: str, text: str, kept: str):
    assert text[: repetition(text, before, after)] == kept


CODE = st.lists(st.sampled_from(["x = f(1)", "    return x", "", "def g():", "  y", "]", "'''"]))


@given(CODE, CODE, CODE, st.booleans(), st.booleans())
def test_what_is_kept_is_the_beginning(before, text, after, line: bool, python: bool):
    first, middle, last = ("\n".join(part) for part in (before, text, after))
    kept = trimmed(middle, first, last, line=line, python=python)
    assert middle.startswith(kept)
    if line:
        assert "\n" not in kept
    again = trimmed(kept, first, last, line=line, python=python)
    assert kept.startswith(again)


def test_real_bodies_are_kept_whole_and_nothing_behind_them_is():
    source = Path(str(some_module.__file__)).read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    assert len(functions) > 10
    for node in functions:
        start = node.body[0].lineno - 1
        before = "".join(lines[:start])
        body = "".join(lines[start : node.end_lineno])
        text = "".join(lines[start:])
        kept = text[: block_end(text, before, python=True)]
        assert kept.startswith(body.rstrip("\n"))
        # Comments and blank lines that are indented as the body is may follow it.
        extra = kept[len(body) :].split("\n")
        assert all(not each.strip() or each.strip().startswith("#") for each in extra), node.name


def test_brackets_that_are_closed_behind_the_cursor_are_not_closed_twice():
    for text, rest, kept in (
        ("x)", ")", "x"),
        ("x));", "));", "x"),
        ("g(x)", ")", "g(x)"),
        ("x)", "", "x)"),
        ("x}", ");", "x}"),
        ("", ")", ""),
    ):
        assert text[: closing(text, rest)] == kept
        assert trimmed(text, "f(", rest + "\n", line=False, python=False) == kept
