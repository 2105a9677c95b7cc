"""A text counted line by line is as many tokens as its encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.generate.registry import embedded
from codewright.repo.counting import Own
from codewright.tokens.bpe import Tokenizer

TOKENIZER = Tokenizer.load(embedded() / "tokenizer.json")
PIECES = st.sampled_from(
    ["\n", "\n\n", "\r", "\r\n", " ", "    ", "\t", "def f", "(x)", "  # é", "\ud800", "日本", "_"]
)


@pytest.mark.parametrize("text", ["", "\n", "\n\n\n", "a", "a\n", "\na\n\n  b\n\n", "a\n \n\tb"])
def test_texts_that_end_oddly(text: str) -> None:
    assert Own(TOKENIZER).count(text) == len(TOKENIZER.encode(text))


@given(st.lists(PIECES | st.text(max_size=6), max_size=30).map("".join))
def test_any_text(text: str) -> None:
    assert Own(TOKENIZER).count(text) == len(TOKENIZER.encode(text))
