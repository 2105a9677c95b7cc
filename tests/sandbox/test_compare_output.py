"""Tolerant comparison of output: against a slow and obvious version, and at the edges."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.sandbox.compare import first_difference, outputs_match

TOLERANCES = st.sampled_from([0.0, 1e-9, 1e-6, 1e-3, 0.1])
WORDS = st.one_of(
    st.text(st.characters(exclude_categories=["Z", "Cc"]), min_size=1, max_size=4),
    st.integers().map(str),
    st.floats().map(str),
    st.floats(-3, 3).map("{:.4f}".format),
    st.sampled_from(["1e400", "nan", "0x10", "1_000", "-0", "+7", "007", ".5", "5.", "١٢"]),
)
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=4), max_size=4)
BLANKS = st.text(" \t\r\f\u00a0", min_size=1, max_size=3)


def _text(lines: list[list[str]]) -> str:
    return "\n".join(map(" ".join, lines))


def _slow_words_match(word: str, want: str, tolerance: float) -> bool:
    if word == want:
        return True
    if not all(set(text) <= set("0123456789+-.eE") for text in (word, want)):
        return False
    try:
        numbers = [float(word), float(want)]
    except ValueError:
        return False
    if not any(set(text) & set(".eE") for text in (word, want)):
        signs = [
            text.lstrip("+") if text.strip("-0") else text.strip("-+") for text in (word, want)
        ]
        return signs[0] == signs[1]
    if math.inf in map(abs, numbers):
        return False
    size = max(map(abs, numbers))
    return abs(numbers[0] - numbers[1]) <= max(tolerance, tolerance * size)


@settings(max_examples=300, deadline=None)
@given(LINES, LINES, TOLERANCES, st.data())
def test_output_agrees_with_the_slow_version(
    one: list[list[str]], other: list[list[str]], tolerance: float, data: st.DataObject
) -> None:
    if data.draw(st.booleans()):  # else they would hardly ever be alike
        other = [[data.draw(st.one_of(st.just(w), WORDS)) for w in line] for line in one]
    slow = len(one) == len(other) and all(
        len(a) == len(b)
        and all(_slow_words_match(x, y, tolerance) for x, y in zip(a, b, strict=True))
        for a, b in zip(one, other, strict=True)
    )
    got, expected = _text(one), _text(other)
    assert outputs_match(got, expected, tolerance) is slow
    assert outputs_match(expected, got, tolerance) is slow
    assert (first_difference(got, expected, tolerance) == "") is slow
    assert len(first_difference(got, expected, tolerance)) <= 200
    if slow:
        assert outputs_match(got, expected, tolerance * 2)


@given(LINES, st.data(), TOLERANCES)
def test_white_space_does_not_count(
    lines: list[list[str]], data: st.DataObject, tolerance: float
) -> None:
    blank = st.one_of(st.just(""), BLANKS)
    airy = ""
    for line in lines:
        airy += data.draw(blank) + "".join(word + data.draw(BLANKS) for word in line)
        airy += "\n" + data.draw(st.sampled_from(["", "\n", " \n\t\n"]))
    assert outputs_match(airy, _text(lines), tolerance)
    assert outputs_match(_text(lines), airy, tolerance)


@given(st.text(), st.text(), TOLERANCES)
def test_any_text(got: str, expected: str, tolerance: float) -> None:
    assert outputs_match(got, got, tolerance)
    same = outputs_match(got, expected, tolerance)
    assert same is outputs_match(expected, got, tolerance)
    difference = first_difference(got, expected, tolerance)
    assert (difference == "") is same
    assert len(difference) <= 200
    assert difference.isprintable()


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ("", "", True),
        ("", "\n \n", True),
        ("", "0", False),
        ("1 2\n", "1  2", True),
        ("1\n2", "1 2", False),
        ("Yes", "yes", False),
        ("12", "1 2", False),
        ("1.0", "1", True),
        ("1.0000001", "1", True),
        ("1.1", "1", False),
        ("1e3", "1000.0", True),
        ("1e3", "1000", True),
        ("1000", "1001", False),
        ("1000001", "1000000", False),
        ("-0", "0", True),
        ("-0", "-00", False),
        ("-0.0", "0", True),
        ("+5", "5", True),
        ("-5", "5", False),
        ("007", "7", False),
        ("0011", "11", False),
        (".5", "0.5", True),
        ("5.", "5", True),
        ("1e400", "1e400", True),
        ("1e400", "1e401", False),
        ("1e400", "inf", False),
        ("nan", "nan", True),
        ("nan", "NaN", False),
        ("nan", "1.0", False),
        ("0x10", "16.0", False),
        ("1_000", "1000.0", False),
        ("1,5", "1.5", False),
        ("١٢", "12.0", False),
        ("1.5e", "1.5", False),
        ("e5", "1e5", False),
        (".", "0.0", False),
        ("1" * 5000, "1" * 5000, True),
        ("1" * 5000, "1" * 4999 + "2", False),
        ("1" * 5000, "1" * 5000 + ".0", False),
        ("a\0b", "a\0b", True),
        ("a\0b", "a b", False),
        ("a\r\nb\r\n", "a\nb\n", True),
        ("naïve ✓", "naïve ✓", True),
        ("\ud800", "\ud801", False),
    ],
)
def test_outputs(got: str, expected: str, same: bool) -> None:
    assert outputs_match(got, expected, 1e-6) is same
    assert outputs_match(expected, got, 1e-6) is same


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ("1\n" * 5_000_000, "1\n"),
        ("1 " * 5_000_000, "1 1\n"),
        ("\n" * 10_000_000, "1"),
        ("1" * 10_000_000, "1.5"),
        ("1" * 5_000_000 + "x", "1.5"),
        ("a" * 10_000_000 + "b", "a" * 10_000_000 + "c"),
    ],
    ids=["lines", "words", "blank", "number", "word", "late"],
)
def test_output_cost(got: str, expected: str) -> None:
    start = time.process_time()
    assert not outputs_match(got, expected, 1e-6)
    assert first_difference(got, expected)
    assert time.process_time() - start < 1.0


def test_first_difference() -> None:
    assert first_difference("a\nb\n", "a\nb") == ""
    assert first_difference("a\n\nc", "a\n\n\nb") == "line 4: expected 'b', got 'c'"
    assert first_difference("a", "a\nb") == "line 2: expected 'b', got no more output"
    assert first_difference("a\n\nb", "a") == "line 3: expected no more output, got 'b'"
    assert first_difference("1.0", "1.1") == "line 1: expected '1.1', got '1.0'"
    assert first_difference("1.0", "1.1", 0.5) == ""
    assert first_difference("a\0", "a\x1b") == r"line 1: expected 'a\x1b', got 'a\x00'"
    long = first_difference("x" * 500 + "y" * 500, "x" * 500 + "z" * 500)
    assert long.startswith("line 1: expected …'xxxxxxxxxxxxxxxxxxxxzzz")
    assert len(long) <= 200
