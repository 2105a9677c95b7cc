"""Shards: what is written is read back, the bytes depend on the documents alone, damage is seen."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.corpus import shards
from codewright.errors import DataError
from codewright.types.document import Document

words = st.text(st.characters(codec="utf-8"), max_size=40)
documents = st.lists(
    st.builds(Document, text=words, path=words, licence=words, origin=words, language=words),
    max_size=12,
)


@settings(max_examples=30)
@given(documents, st.integers(1, 400))
def test_what_is_written_is_read_back(tmp_path_factory, wanted, shard_bytes):
    folder, again = (tmp_path_factory.mktemp("shards") for _ in range(2))
    listed = shards.write(folder, iter(wanted), shard_bytes=shard_bytes)
    assert list(shards.read(folder)) == wanted
    assert sum(shard["documents"] for shard in listed) == len(wanted)
    assert sum(shard["bytes"] for shard in listed) == sum(len(d.text.encode()) for d in wanted)
    shards.write(again, wanted, shard_bytes=shard_bytes)
    assert contents(again) == contents(folder)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def some(count):
    return [
        Document(text=f"x = {n}\r\n\u2028'\x85'\n", path=f"{n}.py", licence="MIT", origin="o")
        for n in range(count)
    ]


def test_a_shorter_corpus_leaves_nothing_of_a_longer_one(tmp_path):
    shards.write(tmp_path, some(30), shard_bytes=200)
    shards.write(tmp_path, some(3), shard_bytes=200)
    assert list(shards.read(tmp_path)) == some(3)
    assert len(list(tmp_path.glob("documents-*"))) == len(shards.index(tmp_path))


def test_a_folder_without_a_list_is_unfinished(tmp_path):
    def breaks():
        yield from some(20)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        shards.write(tmp_path, breaks(), shard_bytes=100)
    assert list(tmp_path.glob("documents-*"))
    with pytest.raises(DataError, match="no finished corpus"):
        list(shards.read(tmp_path))
    with pytest.raises(DataError, match="no finished corpus"):
        list(shards.read(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "is not what was written"),
        (lambda path: path.write_bytes(b""), "is not what was written"),
        (lambda path: path.write_bytes(gzip.compress(b"{}\n")), "is not what was written"),
    ],
)
def test_damage_is_seen(tmp_path, damage, complaint):
    shards.write(tmp_path, some(5))
    damage(tmp_path / "documents-00000.jsonl.gz")
    with pytest.raises(DataError, match=complaint):
        list(shards.read(tmp_path))


def test_a_row_that_is_no_document_is_named(tmp_path):
    with pytest.raises(DataError, match="shard, line 2: no document"):
        shards.from_row({"text": "x", "path": None}, "shard, line 2")
    line = json.loads(shards.to_line(some(1)[0]))
    assert set(line) == set(shards.FIELDS)
