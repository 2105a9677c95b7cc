"""Specifications from words, files and standard input, and what is wrong with some."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.errors import DataError, UserError
from codewright.types.judging import CallPair
from codewright.write.specification import (
    LONGEST,
    Specification,
    read_specification,
    specification,
)

STUB = '''\
import math


def area(radius: float) -> float:
    """The area of a circle.

    >>> area(0)
    0
    """
'''


def read(given: object, entry_point: str = "", stdin: bytes = b"") -> Specification:
    return read_specification(str(given), entry_point=entry_point, stdin=lambda most: stdin[:most])


def test_words_are_a_specification():
    spec = read("A function that doubles a number")
    assert spec == Specification(prompt="A function that doubles a number")
    assert not spec.frame.open


def test_a_python_file_is_a_signature_with_its_examples(tmp_path: Path):
    path = tmp_path / "area.py"
    path.write_text(STUB)
    spec = read(path)
    assert (spec.prompt, spec.entry_point, spec.code) == (STUB, "area", STUB)
    assert spec.examples == (CallPair(args=(0,), expected=0),)
    assert spec.frame.open
    assert spec.frame.helpers == "import math\n"


def test_python_is_known_wherever_it_comes_from(tmp_path: Path):
    path = tmp_path / "area.txt"
    path.write_bytes(b"\xef\xbb\xbf" + STUB.replace("\n", "\r\n").encode())
    for spec in (read(path), read("-", stdin=STUB.encode()), read(STUB)):
        assert (spec.entry_point, spec.code) == ("area", STUB)


def test_a_code_block_in_a_description_may_hold_the_signature():
    text = f"# Task\n\nWrite this:\n\n```python\n{STUB}```\n\nand make it exact.\n"
    spec = specification(text)
    assert (spec.prompt, spec.entry_point, spec.code) == (text, "area", STUB)
    usage = specification("Do this:\n\n```python\nprint(double(2))\n```\n")
    assert usage.code == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Write a function `add_two` that adds 2.", "add_two"),
        ("Write a function called `add`.", "add"),
        ("A function named 'add()' please", "add"),
        ("Write a function add_two which adds", "add_two"),
        ("It begins with def add(x, y): and adds.", "add"),
        ("Add two numbers, e.g. add(1, 2) == 3", "add"),
        ("A function called with two numbers", ""),
        ("The function is named after Euler", ""),
        ("Add two numbers (or three)", ""),
    ],
)
def test_the_name_is_taken_from_words_that_give_it(text: str, name: str):
    assert specification(text).entry_point == name


def test_the_name_that_a_person_says_counts():
    assert specification("Add two numbers.", "add").entry_point == "add"
    assert specification("Write `plus`. add(1, 2) == 3", "add").examples == (
        CallPair(args=(1, 2), expected=3),
    )
    with pytest.raises(UserError, match="the function that is open is area, not add"):
        specification(STUB, "add")
    with pytest.raises(UserError, match="cannot be the name"):
        read("Add", "a-b")


def test_mistakes_are_told_with_a_way_out(tmp_path: Path):
    broken, whole, binary, big = (tmp_path / n for n in ("b.py", "w.py", "x.txt", "big.md"))
    broken.write_text("def f(:\n")
    whole.write_text("def f(x):\n    return x\n")
    binary.write_bytes(b"\x89PNG\x00\xff")
    with big.open("wb") as file:
        file.truncate(50_000_000)
    for given_, said in {
        "": "is empty",
        " \n": "is empty",
        tmp_path / "missing.py": "does not exist",
        "no/such/file.md": "does not exist",
        "./here": "does not exist",
        tmp_path: "is a folder",
        broken: "is not Python of this version",
        whole: "leaves nothing to write",
        binary: "is not text",
        big: f"longer than {LONGEST:,} bytes",
    }.items():
        with pytest.raises(UserError, match=said) as caught:
            read(given_)
        assert caught.value.hint or said == "is a folder"
    with pytest.raises(UserError, match="is empty"):
        read("-")
    with pytest.raises(DataError, match="standard input is not text"):
        read("-", stdin=b"\xff\xfe")
    with pytest.raises(DataError, match="standard input is longer"):
        read("-", stdin=b"x" * (LONGEST + 1))


def test_two_open_functions_in_blocks_need_a_word():
    text = "```python\ndef f(): ...\n```\n\n```python\ndef g(): ...\n```\n"
    with pytest.raises(UserError, match="several functions are open: f, g"):
        specification(text)


def test_words_with_a_slash_or_a_dot_are_words():
    for text in ("and/or of two values", "Return x/y.", "e.g. f.py style", "a" * 10_000):
        assert read(text).prompt == text


@given(st.text(max_size=80), st.sampled_from(["", "f"]))
def test_law_any_text_is_read_or_refused_as_the_users_mistake(text: str, name: str):
    with contextlib.suppress(UserError):
        assert specification(text, name).prompt == text
