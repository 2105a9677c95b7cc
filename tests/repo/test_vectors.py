"""Vectors in a store: made with the pieces, found exactly, gone with their contents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import apsw
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.repo.embedding import Floats, Piece, unit
from codewright.repo.reading import BORDER
from codewright.repo.store import Store
from codewright.repo.vectors import TABLES, Vectors, first_best, rounded
from tests.repo.stores import languages


class Hashed:
    """An embedder that is exact and knows nothing: each word is a direction of its own."""

    name = "hashed"
    size = 24

    def __init__(self, digest: str = "1", *, reads_text: bool = False) -> None:
        self.digest = digest
        self.reads_text = reads_text
        self.read: list[Piece] = []

    def documents(self, pieces: Sequence[Piece]) -> Floats:
        self.read += pieces
        assert all(bool(piece.text) <= self.reads_text for piece in pieces)
        return unit(np.array([self._row(piece.words) for piece in pieces]))

    def queries(self, texts: Sequence[str]) -> Floats:
        return unit(np.array([self._row(text.encode()) for text in texts]))

    def _row(self, words: bytes) -> Floats:
        row = np.zeros(self.size, dtype=np.float32)
        for word in re.findall(rb"[a-z]+", words):
            seed = int.from_bytes(hashlib.sha256(word).digest()[:4], "big")
            row += np.random.default_rng(seed).standard_normal(self.size)
        return row


def opened(root: Path, cache: Path, embedder: Hashed | None) -> Store:
    return Store.open(root, cache, languages(), [].append, embedder)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    for name in ("socket", "invoice", "matrix"):
        (folder / f"{name}.py").write_text(f"def close_{name}(given):\n    return given.{name}\n")
    return folder


def kept(store: Store) -> set[tuple[str, str]]:
    """Returns which file's vectors there are, by the embedder's digest."""
    database = store._file.database
    return set(
        database.execute(
            "SELECT path, digest FROM vectors JOIN embedders ON embedders.id = embedder "
            "JOIN files ON files.content = vectors.content"
        )
    )


def test_vectors_come_with_pieces_and_go_with_their_content(root: Path, tmp_path: Path):
    embedder = Hashed()
    with opened(root, tmp_path, embedder) as store:
        store.update()
        assert store.nearest("close socket", 9)[0].file.path == "socket.py"
        read = len(embedder.read)
        assert read == 3
        (root / "matrix.py").unlink()
        (root / "socket.py").write_text("def flush_buffer(given):\n    return given.buffer\n")
        (root / "copy.py").write_bytes((root / "invoice.py").read_bytes())
        store.update()
        assert len(embedder.read) == read + 1, "only what changed is embedded"
        found = store.nearest("close socket", 9)
        assert sorted(each.file.path for each in found) == ["copy.py", "socket.py"]
        assert found[0].file.path == "copy.py"
        with store._file.writing():
            database = store._file.database
            database.execute("DELETE FROM contents")
            assert not database.execute("SELECT 1 FROM vectors").fetchall()


def test_the_store_equals_one_that_was_made_anew(root: Path, tmp_path: Path):
    with opened(root, tmp_path / "one", Hashed()) as grown:
        grown.update()
        (root / "a.py").write_text("def parse_header(text):\n    return text\n")
        grown.update()
        (root / "invoice.py").unlink()
        grown.update()
        with opened(root, tmp_path / "two", Hashed()) as fresh:
            fresh.update()
            for question in ("parse text", "close matrix", "nothing here", ""):
                one, two = (
                    [
                        (each.file.path, each.ordinal, each.score)
                        for each in store.nearest(question, 9)
                    ]
                    for store in (grown, fresh)
                )
                assert one == two


@pytest.mark.parametrize("reads_text", [False, True])
def test_what_is_missing_is_made_later(root: Path, tmp_path: Path, reads_text: bool):
    with opened(root, tmp_path, None) as store:
        store.update()
        assert store.nearest("close socket", 3) == ()
    with opened(root, tmp_path, Hashed("1", reads_text=reads_text)) as store:
        store.update()
        assert store.nearest("close socket", 1)[0].file.path == "socket.py"
        assert {digest for _, digest in kept(store)} == {"1"}
    other = Hashed("2", reads_text=reads_text)
    with opened(root, tmp_path, other) as store:
        store.update()
        assert len(other.read) == 3
        assert all(("def close_" in piece.text) == reads_text for piece in other.read)
        assert kept(store) == {(f"{name}.py", "2") for name in ("socket", "invoice", "matrix")}
        store.update()
        assert len(other.read) == 3


def test_an_embedder_that_fails_half_way_goes_on_where_it_was(root: Path, tmp_path: Path):
    class Failing(Hashed):
        calls = 0

        def documents(self, pieces: Sequence[Piece]) -> Floats:
            self.calls += 1
            if self.calls == 2:
                raise ConnectionError
            return super().documents(pieces)

    for number in range(100):
        (root / f"f{number}.py").write_text(f"def job_{number}():\n    return {number}\n")
    embedder = Failing(reads_text=True)
    with opened(root, tmp_path, embedder) as store:
        with pytest.raises(ConnectionError):
            store.update()
        done = len(kept(store))
        assert 0 < done < 103
        store.update()
        assert len(kept(store)) == 103
        assert len(embedder.read) == 103


vectors = st.lists(
    st.lists(
        st.floats(-1, 1, width=32).filter(lambda x: not 0 < abs(x) < 1e-3), min_size=24, max_size=24
    ),
    min_size=1,
    max_size=30,
)


@given(vectors, st.integers(1, 40))
def test_the_nearest_are_those_of_a_plain_loop(rows: list[list[float]], limit: int):
    class Given(Hashed):
        def documents(self, pieces: Sequence[Piece]) -> Floats:
            return unit(rows)

        def queries(self, texts: Sequence[str]) -> Floats:
            return unit(rows[:1])

    database = apsw.Connection(":memory:")
    database.execute("CREATE TABLE contents(id INTEGER PRIMARY KEY, first INTEGER, pieces INTEGER)")
    database.execute(TABLES)
    database.execute("INSERT INTO contents VALUES (1, 5, ?)", (len(rows),))
    kept = Vectors(Given())
    kept.keep(database, kept.made([(1, [Piece(BORDER * 2)] * len(rows))]))
    found = kept.nearest(database, "question", limit)
    query, exact = unit(rows[:1])[0], rounded(unit(rows)).astype(np.float64)
    if not query.any():
        assert not found
        return
    lengths = np.maximum(np.linalg.norm(exact, axis=1), 1)
    scores = exact @ query / lengths
    assert len(found) >= min(limit, len(rows))
    best = sorted(scores)[::-1]
    assert [each.score for each in found] == pytest.approx(best[: len(found)], abs=1e-3)
    assert all(each.score == found[limit - 1].score for each in found[limit:])
    assert all(each.score == pytest.approx(scores[each.piece - 5], abs=1e-3) for each in found)
    # Bytes turn a vector by less than a degree or so.
    assert np.abs(scores - unit(rows) @ query).max() < 0.03


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1), st.integers(1, 9))
def test_all_that_are_as_good_as_the_last_are_there(scores: list[float], limit: int):
    order = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
    least = scores[order[min(limit, len(order)) - 1]]
    expected = [at for at in order if scores[at] >= least]
    assert first_best(np.array(scores, dtype=np.float32), limit).tolist() == expected


def test_unit_vectors_stay_numbers_whatever_comes():
    hostile = [[3e38, 3e38], [np.nan, 1.0], [np.inf, 1.0], [0.0, 0.0], [1e-38, 0.0], [3.0, 4.0]]
    rows = unit(hostile)
    assert np.isfinite(rows).all()
    lengths = np.linalg.norm(rows, axis=1)
    assert lengths[[0, 1, 2, 4, 5]] == pytest.approx(1)
    assert lengths[3] == 0
    assert rows[5].tolist() == pytest.approx([0.6, 0.8])
