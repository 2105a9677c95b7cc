"""Where text is cut: by example, and the laws that encoding by lines and by pieces rests on."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.tokens.layout import _characters
from codewright.tokens.pretokenise import ASCII, LINES, pre_tokenizer
from tests.tokens.strategies import texts

BYTE_OF = {character: byte for byte, character in enumerate(_characters())}


def pieces(text: str) -> list[str]:
    """What the library cuts `text` into."""
    cut = pre_tokenizer().pre_tokenize_str(text)
    return [bytes(BYTE_OF[each] for each in piece).decode() for piece, _ in cut]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A line break and the indentation behind it.
        ("if x:\n        y", "if| x|:|\n        |y"),
        ("a\n\n\n    b\r\n\tc", "a|\n\n\n    |b|\r\n\t|c"),
        ("a\n  \n  b", "a|\n  |\n  |b"),
        # Names in parts.
        ("getHTTPName2", "get|HTTP|Name|2"),
        ("snake_case__name", "snake|_case|__name"),
        ("MAX_VALUE IOError aB", "MAX|_VALUE| IO|Error| a|B"),
        ("self.__init__(x)", "self|.__init|__(|x|)"),
        ("_ = __", "_| =| __"),
        ("_, (_)", "_,| (_)"),
        # One space, one operator, go with the word behind them.
        ("f(x, *args)", "f|(x|,| *args|)"),
        ("((x)) == -y", "((|x|))| ==| -y"),
        ("x['key']", "x|['|key|']"),
        ("a   b", "a|  | b"),
        ("a \n", "a| |\n"),
        # Digits one by one.
        ("x_1 = -1_000.25", "x|_1| =| -1|_0|0|0|.2|5"),
        ("0xFF", "0|x|FF"),
        # Other scripts.
        ("naïve Élan 中文 e\u0301!", "naïve| Élan| 中文| e\u0301|!"),
        ("😀😀x\u2028y", "😀😀|x|\u2028|y"),
    ],
)
def test_text_is_cut_where_code_is(text, expected):
    assert pieces(text) == expected.split("|")


@given(texts)
def test_nothing_is_lost_and_line_breaks_only_begin_pieces(text):
    cut = pieces(text)
    assert "".join(cut) == text
    assert all(re.fullmatch(r"[\r\n]*[^\r\n]*", piece) for piece in cut)
    assert all(re.fullmatch(r"[\r\n]+[ \t]*|[^\r\n]+", piece) for piece in cut)


@given(texts)
def test_lines_are_cut_alone_as_in_their_text(text):
    lines = LINES.split(text)
    assert "".join(lines) == text
    assert [piece for line in lines for piece in pieces(line)] == pieces(text)


@given(texts)
def test_a_piece_by_itself_is_one_piece(text):
    for piece in pieces(text):
        assert pieces(piece) == [piece]


ASCII_PARTS = st.sampled_from(["\x1c", "\x1f", "\x0b", "\r\n", "__", "aB", "AB", "(_", " ", "9"])


@given(st.lists(st.characters(max_codepoint=127) | ASCII_PARTS).map("".join))
def test_pythons_engine_agrees_on_ascii(text):
    assert ASCII.findall(text) == pieces(text)
