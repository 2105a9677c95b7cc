"""Data files: the user's folder first, then the cache, then their home, whole or not at all."""

from __future__ import annotations

import gzip
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from codewright.errors import DataError
from codewright.evaluate.fetch import Home, Source, download

CONTENT = b'{"task_id": 1}\n' * 1000


class Server(http.server.BaseHTTPRequestHandler):
    """Serves a file plain, packed, broken off, or not at all."""

    def do_GET(self) -> None:
        body = gzip.compress(CONTENT) if self.path == "/packed" else CONTENT
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/plain")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100] if self.path == "/broken" else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("path", ["/plain", "/packed", "/moved"])
def test_a_file_is_fetched_once_and_kept_packed(tmp_path: Path, address: str, path: str):
    said: list[str] = []
    source = Source(path="set/rows.jsonl.gz", url=address + path)
    found = Home(folder=None, cache=tmp_path, say=said.append).find(source)
    assert gzip.decompress(found.read_bytes()) == CONTENT
    assert said == [f"fetching {address}{path}"]
    assert Home(folder=None, cache=tmp_path, offline=True).find(source) == found


@pytest.mark.parametrize(
    ("path", "complaint"),
    [("/missing", "answered 404"), ("/broken", "could not be fetched")],
)
def test_a_file_that_does_not_come_whole_leaves_nothing(
    tmp_path: Path, address: str, path: str, complaint: str
):
    home = Home(folder=None, cache=tmp_path)
    with pytest.raises(DataError, match=complaint) as caught:
        home.find(Source(path="rows.jsonl.gz", url=address + path))
    assert "CODEWRIGHT_DATA" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/rows", "http://no-such-host.invalid/rows", "nonsense", "ftp://x/y"]
)
def test_no_network_is_told(url: str):
    with pytest.raises(DataError, match="could not be fetched"):
        download(url)


def test_the_users_folder_is_meant(tmp_path: Path):
    source = Source(path="set/rows.jsonl.gz", url="http://127.0.0.1:1/")
    home = Home(folder=tmp_path, cache=tmp_path / "cache")
    with pytest.raises(DataError, match="does not exist") as caught:
        home.find(source)
    assert "CODEWRIGHT_DATA" in caught.value.hint
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "rows.jsonl.gz").write_bytes(b"")
    assert home.find(source) == tmp_path / "set" / "rows.jsonl.gz"
    with pytest.raises(DataError, match="not on this machine"):
        Home(folder=None, cache=tmp_path / "cache", offline=True).find(source)
