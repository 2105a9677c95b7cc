"""Files of examples and of few-shot pairs: every shape, and no line lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from codewright.errors import DataError
from codewright.types.judging import CallPair
from codewright.write.given import Shot, read_examples, read_shots

PAIRS = (
    CallPair(args=(1, [2]), expected=3),
    CallPair(args=(), kwargs={"x": "a"}, expected={"k": None}),
)


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "e.jsonl",
            '{"args": [1, [2]], "expected": 3}\n\n'
            '{"kwargs": {"x": "a"}, "expected": {"k": null}}\n',
        ),
        (
            "e.json",
            '[{"args": [1, [2]], "expected": 3},\n'
            ' {"args": [], "kwargs": {"x": "a"}, "expected": {"k": null}}]',
        ),
        (
            "e.txt",
            '{"args": [1, [2]], "expected": 3}\n{"kwargs": {"x": "a"}, "expected": {"k":null}}',
        ),
        ("e.py", "# two of them\nf(1, [2]) == 3\nassert f(x='a') == {'k': None}\n"),
        ("e.txt", "3 == f(1, [2])\nassert f(x='a') == {\n    'k': None,\n}, 'a message'\n"),
        ("e.txt", ">>> f(1, [2])\n3\n>>> f(\n...     x='a')\n{'k':\n None}\n"),
    ],
)  # fmt: skip
def test_examples_are_read_from_every_shape(tmp_path: Path, name: str, text: str):
    found = read_examples(file(tmp_path, name, text))
    assert found.pairs == PAIRS
    assert found.name in ("", "f")


def test_python_says_more_than_json(tmp_path: Path):
    text = "f((1,), {2}) == (3, b'x')\nassert not f(-1)\nassert f(0)\nf(5) is None\n"
    found = read_examples(file(tmp_path, "e.py", text), "f")
    assert [pair.expected for pair in found.pairs] == [(3, b"x"), False, True, None]
    assert found.pairs[0].args == ((1,), {2})
    assert found.name == "f"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("e.jsonl", "{", "line 1: not JSON"),
        ("e.jsonl", '{"args": [1]}', "line 1: no example"),
        ("e.jsonl", '{"args": 1, "expected": 2}', "line 1: no example"),
        ("e.jsonl", '{"args": [1], "expected": 2, "expect": 3}', "what is 'expect'"),
        ("e.json", "[1]", "entry 1: not an object"),
        ("e.json", "[", "is not JSON"),
        ("e.txt", "", "holds no examples"),
        ("e.py", "f(1) == 2\ng(1) == 2\n", "line 2: an example of g, not of f"),
        ("e.py", "f(1) == 2\nf(1) < 3\n", "line 2: no example in 'f"),
        ("e.py", "f(open('x')) == 2\n", "line 1: no example"),
        ("e.py", "words\n", "line 1: no example in 'words'"),
        ("e.py", "f(1) == 2; f(2) == 3\n", "line 1: no example"),
        ("e.py", "a.f(1) == 2\n", "line 1: no example"),
        ("e.py", "import os\n", "line 1: no example"),
        ("e.py", "f(1) ==\n", "line 1: no example"),
    ],
)
def test_a_line_that_is_no_example_is_named(tmp_path: Path, name: str, text: str, said: str):
    with pytest.raises(DataError, match=said) as caught:
        read_examples(file(tmp_path, name, text))
    assert caught.value.hint


def test_examples_are_of_the_function_that_is_wanted(tmp_path: Path):
    path = file(tmp_path, "e.py", "f(1) == 2\n")
    with pytest.raises(DataError, match="an example of f, not of g"):
        read_examples(path, "g")
    with pytest.raises(DataError, match="does not exist"):
        read_examples(tmp_path / "none.json")


def test_shots_are_pairs_or_one_text(tmp_path: Path):
    rows = '{"prompt": "p", "completion": "c"}\n{"program": "q", "spec": "s"}\n'
    assert read_shots(file(tmp_path, "s.jsonl", rows)) == (
        Shot(specification="p", program="c"),
        Shot(specification="s", program="q"),
    )
    assert read_shots(file(tmp_path, "s.py", "\ndef f():\n    return 1\n\n")) == (
        Shot(specification="", program="def f():\n    return 1\n"),
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.jsonl", '{"prompt": "p"}', "line 1: no pair"),
        ("s.jsonl", '{"prompt": "p", "completion": 1}', "line 1: no pair"),
        ("s.jsonl", "", "holds nothing to show"),
        ("s.md", " \n", "holds nothing to show"),
    ],
)
def test_shots_that_are_none_are_named(tmp_path: Path, name: str, text: str, said: str):
    with pytest.raises(DataError, match=said):
        read_shots(file(tmp_path, name, text))
