"""The tiny model, made once; everything about it on one thread, which for its size is faster."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.generate.tiny import make


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make(tmp_path_factory.mktemp("tiny"))
