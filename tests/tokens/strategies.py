"""Documents that look for trouble: code, broken UTF-8, odd white space, spelled special tokens."""

from __future__ import annotations

from hypothesis import strategies as st

from codewright.tokens.special import SPECIAL

PARTS = (
    *("\n", "\r\n", "\r", "\n\n", "\n    ", "\n\t\t", "  ", " ", "\t", "\x0b", "\x0c", "\x1c"),
    *("def ", "return", "getHTTPName", "snake_case", "__init__", "_", "__", "x_1", "1000", "1_0"),
    *("(", "((", "])", "):", "==", "->", '"""', "'", ".", "#", "(_", "._x", "@A"),
    *("é", "É", "ǅ", "e\u0301", "\u0301", "中文", "٣", "😀", "\u2028", "\x85", "\xa0", "\ufdd0"),
    *SPECIAL[:14],
)

texts = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=25).map("".join)
surrogates = st.lists(st.sampled_from(PARTS) | st.sampled_from(["\ud800", "\udc80"])).map("".join)
broken = st.lists(
    texts.map(str.encode) | st.binary(max_size=5) | st.sampled_from([b"\xe2\x82", b"\xed\xa0\x80"]),
    max_size=8,
).map(b"".join)
documents = texts.map(str.encode) | broken | st.binary(max_size=60)
