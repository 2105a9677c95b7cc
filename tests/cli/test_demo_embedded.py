"""The demo's part for the embedded model: with a model, and without one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from codewright.cli import demo_embedded
from codewright.errors import DataError, MissingExtra
from codewright.generate.scripted import Scripted
from codewright.sandbox.pool import Pool
from codewright.types.generation import Request


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(workers=1) as made:
        yield made


def says(request: Request, draw) -> str:
    if request.suffix is not None:
        return draw.choice(["total += value", "total += value", "total = value"])
    return draw.choice(
        ["    return a if a > b else b\n", "    return max(a, b)\n", "    return a\n"]
    )


def test_a_model_fills_in_and_writes(pool: Pool, monkeypatch):
    monkeypatch.setattr(demo_embedded, "embedded", lambda: None)
    monkeypatch.setattr(
        demo_embedded, "open_generator", lambda *_, **__: Scripted(default=says, seed=1)
    )
    shown = demo_embedded.show(pool)
    text = "\n".join(demo_embedded.said(shown))
    assert "\n        for value in values:\n            total += value\n        return" in text
    assert "candidates agree" in text
    assert "$ codewright write larger.py --model embedded" in text
    found = demo_embedded.told(shown)
    assert found["completions"][0]["text"] == "total += value"
    names: dict = {}
    exec(found["write"]["program"], names)
    assert (names["larger"](3, 5), names["larger"](5, 3)) == (5, 5)


def test_a_model_that_says_nothing_is_no_mishap(pool: Pool, monkeypatch):
    monkeypatch.setattr(demo_embedded, "embedded", lambda: None)
    monkeypatch.setattr(
        demo_embedded, "open_generator", lambda *_, **__: Scripted(default=lambda r, d: " ")
    )
    shown = demo_embedded.show(pool)
    assert "(nothing to offer)" in "\n".join(demo_embedded.said(shown))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DataError("the model is not here"), "the model is not here"),
        (MissingExtra("torch", "local"), "torch is not installed; pip install 'codewright[local]'"),
    ],
)
def test_what_is_missing_is_said(pool: Pool, monkeypatch, error: Exception, words: str):
    def fail() -> None:
        raise error

    monkeypatch.setattr(demo_embedded, "embedded", fail)
    shown = demo_embedded.show(pool)
    (line,) = demo_embedded.said(shown)
    assert line.startswith("Not shown: ")
    assert line.endswith(words)
    assert demo_embedded.told(shown) == {"missing": words}
