"""What source text binds and uses, told without running it."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.write.source import bound, helpers, parse, used


@given(st.text(max_size=60))
def test_parse_answers_or_declines_but_never_raises(text: str):
    parse(text)


@pytest.mark.parametrize(
    "text", ["def f(:", "x = '\x00'", "(" * 5000, "a" + ".b" * 100_000, "\ud800", "  x"]
)
def test_hopeless_text_is_declined_in_silence(text: str, recwarn: pytest.WarningsRecorder):
    assert parse(text) is None or "b" in text
    assert not recwarn.list


def test_bound_finds_every_way_of_binding():
    tree = ast.parse(
        "import a.b, c as d\nfrom e import f as g, h\ni = j, k = 1, 2\n"
        "for l in []:\n    m = 1\nif n:\n    def o(): inner = 1\nclass P: q = 1\n"
        "async def r(): pass\nwith s as t: pass\n(u := 1)\n"
    )
    assert bound(tree.body) == set("adghijklmoPrtu")


def test_used_leaves_out_builtins_and_what_is_only_written():
    assert used(ast.parse("x = len(y) + z.w\ndel v\n")) == {"y", "z"}


def test_helpers_are_all_but_the_entry_point():
    prompt = (
        '"""Words."""\nimport math\nLIMIT = 3\n\ndef poly(x):\n    return x\n\n\n'
        'def find(x):\n    """Doc."""\n'
    )
    assert helpers(prompt, "find") == ("import math\n\nLIMIT = 3\n\ndef poly(x):\n    return x\n")
    assert helpers('"""Only words."""\n', "find") == ""
    assert helpers("def find(x:\n", "find") == ""
