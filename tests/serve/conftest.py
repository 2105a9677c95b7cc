"""Servers over the tiny model, and over one that says what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codewright.engine.engine import Engine
from codewright.engine.scheduler import Limits as StepLimits
from codewright.generate.local_model import LocalModel
from codewright.generate.settings import Local
from codewright.model import checkpoint
from tests.generate.tiny import make
from tests.serve.running import Running, Telling, running

EXACT = Local(precision="float32", device="cpu", threads=1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def chatty(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, which claims to answer in conversations."""
    folder = tmp_path_factory.mktemp("chatty") / "model"
    decoder, _ = checkpoint.load(tiny)
    checkpoint.save(folder, decoder, tiny / "tokenizer.json", {"chat": True})
    return folder


@pytest.fixture(scope="module")
def server(chatty: Path) -> Iterator[Running]:
    with running(LocalModel(chatty, EXACT, name="tiny")) as made:
        yield made


@pytest.fixture
def telling(chatty: Path) -> Iterator[tuple[Running, Telling]]:
    """A server whose model says what its runner's `script` says."""
    model = LocalModel(chatty, EXACT, name="telling")
    runner = Telling(len(model.spelled), 1600)
    model.runner.close()
    model.runner = runner
    limits = StepLimits(rows=8, tokens=2048)  # a prompt is read at once, as `Telling` needs it
    model.engine = Engine(runner, model.spelled, model.ends, limits=limits)
    with running(model) as made:
        yield made, runner
