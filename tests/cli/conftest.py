"""What tests of the server for agents share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def own_scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Temporary folders of its own: another test of calls may run at the same time."""
    with TemporaryDirectory(prefix="mcp") as scratch:
        monkeypatch.setenv("TMPDIR", scratch)
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a server is given to work in."""
    # Not before the tests have asked whether mcp is installed.
    from tests.cli.mcp_world import make_root

    return make_root(tmp_path)
