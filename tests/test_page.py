"""The parts of pages: plain text goes in, HTML in which none of it acts comes out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codewright.page import card, document, facts, header, section, words
from tests.pages import Reader, check_page

EVIL = "</p><script>alert(1)</script>&\"'\x1b]\u202e"


def test_a_document_holds_its_parts_and_its_own_style():
    text = document(
        EVIL,
        header(EVIL, EVIL, EVIL)
        + section(EVIL, f'<div class="cards">{card(EVIL, EVIL)}</div>', EVIL)
        + facts({EVIL: EVIL}),
        style=".mine{color:red}",
    )
    reader = check_page(text)
    assert "<script" not in text
    assert ".mine{color:red}</style>" in text
    assert reader.text.count("alert(1)") == 10
    assert "prefers-color-scheme:dark" in text


def test_parts_that_are_not_given_leave_no_trace():
    assert "figcaption" not in section("a", "b")
    assert "&nbsp;" in card("a", "b")


@given(st.text())
def test_law_words_are_shown_and_never_act(text: str):
    told = words(text)
    assert not set(told) & set("<>\"'\x00\x1b")
    if text.isprintable():
        assert Reader(f"<p>{told}</p>").text == text
