"""Editors that a test types in, and what they show: Neovim by its own server, without a screen."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHOWN = (
    "json_encode({'mode': mode(), 'line': getline('.'), 'words': "
    "pumvisible() ? map(complete_info(['items']).items, 'v:val.word') : []})"
)
PATIENCE = 60.0
AGAIN = 3.0


class Neovim:
    """A Neovim with a file open; leave it by `close`."""

    def __init__(self, setup: Path, path: Path, folder: Path) -> None:
        homes = {f"XDG_{name}_HOME": str(folder) for name in ("CONFIG", "STATE", "DATA", "CACHE")}
        self._environment = {**os.environ, **homes, "LC_ALL": "C.UTF-8"}
        self._socket = folder / "neovim"
        self._process = subprocess.Popen(
            ["nvim", "--headless", "-n", "--clean", "-u", setup, "--listen", self._socket, path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
        )

    def keys(self, text: str) -> None:
        """Types; `<Esc>` and its like are keys."""
        self._tell("--remote-send", text)

    def until(self, holds: Callable[[dict[str, Any]], bool], *, again: str = "") -> dict[str, Any]:
        """Waits until what the editor shows is as wanted; types `again` every few seconds."""
        begun = time.monotonic()
        pressed = 0
        shown: dict[str, Any] = {}
        while (passed := time.monotonic() - begun) < PATIENCE:
            if again and passed >= pressed * AGAIN:
                pressed += 1
                self.keys(again)
            said = self._tell("--remote-expr", SHOWN)
            if said.startswith("{"):  # it does not listen yet
                shown = json.loads(said)
                if holds(shown):
                    return shown
            time.sleep(0.1)
        raise AssertionError(f"the editor shows {shown}")

    def close(self) -> None:
        """Ends the editor, and with it the server."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def _tell(self, how: str, what: str) -> str:
        done = subprocess.run(
            ["nvim", "--server", self._socket, how, what],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self._environment,
        )
        return (done.stdout + done.stderr).strip()
