"""Remembering changes nothing but the time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codewright.repo import remembered_words
from codewright.repo.remembered_words import RememberedWords
from codewright.repo.words import words

TEXT = st.text(
    st.one_of(st.sampled_from("aB_9 .-×÷ßÜé日本\u2028\r\n\t\x00"), st.characters()), max_size=60
)
REMEMBERED = RememberedWords()


@given(st.one_of(TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary()))
def test_remembered_words_are_the_words(data):
    assert REMEMBERED(data) == words(data)
    assert REMEMBERED(data + b" " + data) == " ".join(filter(None, [words(data)] * 2))


def test_it_begins_anew_when_it_is_full(monkeypatch):
    monkeypatch.setattr(remembered_words, "MOST", 3)
    few = RememberedWords()
    text = b"one two_three fourFive six seven8"
    assert few(text) == few(text) == words(text)
