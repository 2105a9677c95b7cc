"""A small tokenizer, learned from this package's own source, for every test of the room."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from codewright.tokens.bpe import Tokenizer

SOURCES = sorted(Path(str(files("codewright"))).rglob("*.py"))[:80]


@pytest.fixture(scope="session")
def sources() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in SOURCES]


@pytest.fixture(scope="session")
def tokenizer(sources: list[str]) -> Tokenizer:
    return Tokenizer.train(sources, vocabulary=1500)
