"""What is made of an answer in words, and of a server's counts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.generate.gaps import FAMILIES, find, from_words, in_words

TEXT = st.text(alphabet="ab (=+)\n\t", max_size=40)


@given(TEXT, TEXT, TEXT)
def test_who_says_the_whole_file_has_said_the_middle(before: str, middle: str, after: str):
    before, after = f"def f(x):\n{before}|", f"|more{after}"
    assert from_words(f"Sure!\n```python\n{before}{middle}{after}\n```\n", before, after) == middle
    assert from_words(f"```\n{before}{middle}{after}", before, after) == middle


@pytest.mark.parametrize(
    ("said", "before", "after", "middle"),
    [
        ("x + 1", "    return ", "\n", "x + 1"),
        ("```\n    return x + 1\n```", "    return ", "\n", "x + 1"),
        ("```python\nreturn_value\n```", "    return ", "\n", "return_value"),
        ("```\nstr(a)\n```", "print(", ")\n", "str(a)"),
        ("```\nprint(str(a)\n```", "print(", ")\nmore()\n", "str(a)"),
        ("```\nvalue)\nmore()\n```", "print(", ")\nmore()\n", "value"),
        ("```\n    x = 1\n```", "def f():\n", "    return x\n", "    x = 1\n"),
        ("no fence at all\n", "a = ", "", "no fence at all\n"),
        ("<GAP>3", "a = ", "\n", "3"),
        ("", "a = ", "\n", ""),
    ],
)
def test_what_stands_around_is_no_part_of_it(said: str, before: str, after: str, middle: str):
    assert from_words(said, before, after) == middle
    assert before + "<GAP>" + after in in_words(before, after)


@pytest.mark.parametrize("strange", [{}, {"usage": None}, {"usage": {"prompt_tokens": "many"}}])
def test_counts_that_are_none_prove_nothing(strange: dict[str, Any]):
    async def attempt(path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        return strange if path == "/completions" else None

    way = asyncio.run(find(attempt, "m"))
    assert (way.kind, way.prompts, way.chats) == ("none", True, False)


def test_marks_that_are_text_to_a_server_are_not_taken_for_marks():
    """However its tokens are cut, as long as a mark is more than one of them."""
    for width in (1, 2, 3, 4):

        async def attempt(path: str, body: dict[str, Any], width=width) -> dict[str, Any] | None:
            if path != "/completions":
                return None
            return {"usage": {"prompt_tokens": -(-len(body["prompt"]) // width)}}

        assert asyncio.run(find(attempt, "m")).kind == "none", width


def test_a_layout_has_both_sides_once():
    for family in FAMILIES:
        shown = family.lay_out("BEFORE", "AFTER")
        assert (shown.count("BEFORE"), shown.count("AFTER")) == (1, 1)
        assert shown.endswith(family.middle or "BEFORE")
