"""Signatures for what was only described."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.types.judging import Candidate
from codewright.verify.signature import signature
from codewright.write.announce import announced, types_in
from codewright.write.specification import specification

WORDS = specification('Says "no" to a list of integers and a word')


def made(*programs: str, name: str = "f", spec=WORDS) -> str:
    return announced(spec, [Candidate(text=p, program=p) for p in programs], name)


@pytest.mark.parametrize(
    ("words", "types"),
    [
        ("takes a list of integers and returns True if three of the strings", ["list[int]"]),
        ("Given two strings and a positive integer, count", ["str", "int"]),
        (
            "Given a set of words and an array of arrays of floats",
            ["set[str]", "list[list[float]]"],
        ),
        ("Return the sum of a list of numbers", ["list[int | float]"]),
        ("a dictionary, then tuples of booleans", ["dict", "tuple[bool, ...]"]),
        ("Sort the list", ["list[int]"]),
        ("the integer that returns", ["int"]),
        ("Do something good", []),
        ("", []),
    ],
)
def test_words_name_types(words: str, types: list[str]):
    assert types_in(words) == types


def test_a_signature_takes_types_from_candidates_before_words():
    told = made(
        "def f(numbers, word):\n    return 1\n",
        "def f(numbers, word: bytes):\n    return 1\n",
        "def f(xs, word):\n    return 1\n",
        "def f(one):\n    return 1\n",
        "no program",
    )
    assert told.startswith("def f(numbers: list[int], word: bytes):\n")
    assert signature(told, "f") is not None
    (function,) = ast.parse(told).body
    assert ast.get_docstring(function) == WORDS.prompt


def test_what_has_a_signature_keeps_it():
    stub = specification("def f(x):\n    'Doubles.'\n")
    assert made("def f(y: str):\n    return 1\n", spec=stub) == stub.prompt
    assert made("no program") == WORDS.prompt
    assert made("def f(x):\n    return 1\n", name="") == WORDS.prompt


def test_defaults_and_odd_parameters_need_no_argument():
    told = made("def f(a, /, b, c=1, *rest, key, **more):\n    return 1\n")
    assert told.startswith("def f(a: list[int], b: str):")
    # Most call the first one b, and most the second one b.
    told = made("def f(a, b): pass\n", "def f(b, c): pass\n", "def f(b, b2): pass\n",
                "def f(c, b): pass\n")  # fmt: skip
    assert told.startswith("def f(a0: list[int], a1: str):")


@given(st.text(max_size=60), st.lists(st.text(max_size=40), max_size=3))
def test_law_any_words_and_programs_make_a_prompt(words: str, programs: list[str]):
    if words.strip():
        told = made(*programs, "def f(x):\n    return x\n", spec=specification(words + " .", "f"))
        assert signature(told, "f") is not None
