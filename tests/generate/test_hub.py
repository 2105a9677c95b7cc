"""Models by their name on a hub: a small one on loopback, asked by the library itself."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "c0ffee" * 6 + "beef"


@contextmanager
def hub(models: dict[str, Path]) -> Iterator[str]:
    """Serves folders as models, in one commit each; yields its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            parts = path.strip("/").split("/")
            if parts[:2] == ["api", "models"]:
                self._api("/".join(parts[2:4]), parts[4], parts[5])
            else:
                folder = models.get("/".join(parts[:2]))
                file = folder / "/".join(parts[4:]) if folder else None
                self._send(file.read_bytes() if file and file.is_file() else None)

        def _api(self, name: str, what: str, revision: str) -> None:
            folder = models.get(name)
            if folder is None or revision not in ("main", "tried", COMMIT):
                missing = "RevisionNotFound" if folder else "RepoNotFound"
                return self._send(None, {"X-Error-Code": missing})
            files = [
                {"type": "file", "path": each.name, "size": each.stat().st_size, "oid": each.name}
                for each in sorted(folder.iterdir())
            ]
            told = files if what == "tree" else {"id": name, "sha": COMMIT, "siblings": []}
            return self._send(json.dumps(told).encode(), {"Content-Type": "application/json"})

        def _send(self, body: bytes | None, headers: dict[str, str] | None = None) -> None:
            self.send_response(404 if body is None else 200)
            etag = hashlib.sha256(body or b"").hexdigest()
            told = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, **(headers or {})}
            for name, value in {**told, "Content-Length": str(len(body or b""))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET" and body:
                self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_model_is_fetched_once_and_what_is_none_is_refused(tmp_path: Path, tiny: Path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "config.json").write_text('{"model_type": "llama"}')
    (foreign / "run.py").write_text("raise SystemExit('never fetched')")
    source = tmp_path / "f.py"
    source.write_text("def add(a, b):\n    return a\n")

    asked = ["--json", "--max-tokens", "4", "--model"]

    def complete(model: str, address: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "codewright", "complete", f"{source}:2:13", *asked, model],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home")},
        )

    with hub({"me/tiny": tiny, "me/foreign": foreign}) as address:
        first = complete("hub/me/tiny", address)
        assert first.returncode in (0, 1), first.stderr
        assert json.loads(first.stdout)["model"] == "hub/me/tiny"
        assert complete("hub/me/tiny@tried", address).returncode == first.returncode
        for model, code, said in (
            ("hub/me/none", 2, "the hub has no model 'me/none'"),
            ("hub/me/tiny@gone", 2, "the hub has no model 'me/tiny@gone'"),
            ("hub/a b/c", 2, "the hub has no model"),
            ("hub/me/foreign", 2, "is no checkpoint of Codewright"),
        ):
            refused = complete(model, address)
            assert refused.returncode == code, refused.stderr
            assert said in refused.stderr
            assert "Traceback" not in refused.stderr
        assert not list((tmp_path / "home").rglob("run.py"))
    again = complete("hub/me/tiny", address)
    assert json.loads(again.stdout) == json.loads(first.stdout), "without a network"
    never = complete("hub/me/other", address)
    assert never.returncode == 3
    assert "was not fetched before" in never.stderr
