"""`scripted/FILE`: texts by what was asked, in turn, the same every time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codewright.errors import DataError
from codewright.generate.script_file import ScriptFile
from codewright.types.generation import Message, Request


def script(folder: Path, told: object) -> ScriptFile:
    path = folder / "s.json"
    path.write_text(json.dumps(told))
    return ScriptFile(path)


def said(model: ScriptFile, asked: str, n: int = 1, seed: int | None = None) -> list[str]:
    (answer,) = model.generate([Request(prompt=asked, n=n, seed=seed)])
    return [each.text for each in answer]


def test_the_longest_words_that_were_asked_decide(tmp_path: Path):
    model = script(tmp_path, {"sum": ["a"], "sum of squares": ["b"], "*": ["c"]})
    assert model.name == "scripted/s.json"
    assert said(model, "the sum of it") == ["a"]
    assert said(model, "the sum of squares") == ["b"]
    assert said(model, "the product") == ["c"]
    turns = (Message(role="user", content="sum"), Message(role="user", content="else"))
    assert model.generate([Request(messages=turns)])[0][0].text == "c"


def test_the_seed_says_where_to_begin(tmp_path: Path):
    model = script(tmp_path, {"*": ["a", "b", "c"]})
    assert said(model, "x", 4) == ["a", "b", "c", "a"]
    assert said(model, "x", 2, seed=2) == ["c", "a"]
    assert said(model, "x", 2) + said(model, "x", 2, seed=2) == said(model, "x", 4)


def test_what_is_not_in_the_script_is_not_invented(tmp_path: Path):
    with pytest.raises(DataError, match="has nothing to say to 'product'"):
        said(script(tmp_path, {"sum": ["a"]}), "product")


@pytest.mark.parametrize(
    "told", [{}, [], {"a": []}, {"a": "b"}, {"a": [1]}, {"a": ["x"], "b": None}, "a", 1]
)
def test_another_shape_is_no_script(tmp_path: Path, told: object):
    with pytest.raises(DataError, match="is no script"):
        script(tmp_path, told)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="does not exist"):
        ScriptFile(tmp_path / "none.json")
    (tmp_path / "s.json").write_bytes(b"\xff")
    with pytest.raises(DataError, match="is not JSON"):
        ScriptFile(tmp_path / "s.json")
