"""Packing: no byte is lost, nothing crosses a row, the same input gives the same files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import signal
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.corpus import pack as packing
from codewright.corpus.loader import HeldOut, Loader
from codewright.corpus.pack import group, is_held, pack, project
from codewright.corpus.pieces import Cutter
from codewright.corpus.rows import BestFit
from codewright.errors import ConfigError
from codewright.tokens import fim
from codewright.tokens.special import END, MIDDLE, PAD, PREFIX, SUFFIX
from codewright.types.document import Document
from tests.corpus.packing import document, documents, source, tokenizer

REPOSITORY = Path(__file__).resolve().parents[2]
TOKENIZER = tokenizer()
CONTEXT = 128


def rows_of(folder: Path, name: str = "rows") -> np.ndarray:
    return np.concatenate([np.load(path) for path in sorted(folder.glob(f"{name}-*.npy"))])


def pieces_of(row: list[int]) -> list[list[int]]:
    """Splits a row behind each END, after the one that opens it; padding is left out."""
    assert row[0] == END
    kept = [token for token in row[1:] if token != PAD]
    assert row[1 : 1 + len(kept)] == kept, "padding stands at the end alone"
    pieces: list[list[int]] = [[]]
    for token in kept:
        pieces[-1].append(token)
        if token == END:
            pieces.append([])
    return [piece for piece in pieces if piece]


def texts_of(folder: Path) -> list[bytes]:
    return [
        fim.join(TOKENIZER, piece[:-1] if piece[-1] == END else piece)
        for row in rows_of(folder).tolist()
        for piece in pieces_of(row)
    ]


@settings(max_examples=25)
@given(
    lines=st.lists(st.sampled_from([1, 2, 5, 20, 60, 200]), min_size=1, max_size=12),
    fim_rate=st.sampled_from([0.0, 0.5, 1.0]),
    spm_rate=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 5),
)
def test_all_text_arrives_and_no_more(tmp_path_factory, lines, fim_rate, spm_rate, seed):
    folder = tmp_path_factory.mktemp("packed")
    made = [document(number, lines=count) for number, count in enumerate(lines)]
    facts = pack(
        made, TOKENIZER, folder, context=CONTEXT, fim_rate=fim_rate, spm_rate=spm_rate, seed=seed
    )
    texts = texts_of(folder)
    assert sum(map(len, texts)) == facts["bytes"] == sum(len(d.text.encode()) for d in made)
    assert facts["documents"] == len(made)
    # The longest document is found part by part, each part where the last one ended.
    rest, left = max(made, key=lambda d: len(d.text)).text.encode(), list(texts)
    while rest:
        part = next(text for text in sorted(left, key=len, reverse=True) if rest.startswith(text))
        left.remove(part)
        rest = rest[len(part) :]
    rows = rows_of(folder)
    assert facts["tokens"] == int((rows != PAD).sum()) - len(rows)
    assert facts["rows"] == len(rows)
    count = Counter(rows.ravel().tolist())
    assert count[PREFIX] == count[SUFFIX] == count[MIDDLE] == facts["fim_pieces"]
    assert facts["fim_pieces"] + facts["fim_outgrown"] <= facts["pieces"]
    if fim_rate == 1.0:
        assert facts["fim_pieces"] + facts["fim_outgrown"] == facts["pieces"]
    if fim_rate == 0.0:
        assert facts["fim_pieces"] == 0


@given(text=st.text(max_size=400), room=st.integers(32, 80), rate=st.sampled_from([0.0, 1.0]))
def test_any_text_is_cut_to_fit(text, room, rate):
    whole = Document(text=text, path="p", licence="MIT", origin="o")
    cutter = Cutter(TOKENIZER, room=room, fim_rate=rate, spm_rate=0.5, seed=1)
    pieces = list(cutter.pieces([(whole, 0)]))
    assert all(0 < len(piece.ids) <= room for piece in pieces)
    data = text.encode()
    joined = [fim.join(TOKENIZER, [i for i in p.ids.tolist() if i != END]) for p in pieces]
    assert b"".join(joined) == data
    assert [piece.size for piece in pieces] == [len(part) for part in joined]
    assert all(not p.turned for p in pieces) or rate == 1.0
    # END closes the document and what was turned; nothing else has one.
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        assert (piece.ids[-1] == END) == (last or piece.turned)


def test_long_documents_are_cut_where_lines_end():
    whole = document(1, lines=400)
    pieces = list(Cutter(TOKENIZER, room=CONTEXT).pieces([(whole, 0)]))
    assert len(pieces) > 10
    ends = [TOKENIZER.decode_bytes(piece.ids.tolist()) for piece in pieces]
    for part, following in pairwise(ends):
        assert part.endswith(b"\n") or following.startswith(b"\n")
    assert np.mean([len(piece.ids) for piece in pieces[:-1]]) > 0.8 * CONTEXT


def test_rates_are_kept(tmp_path):
    made = documents(1500)
    facts = pack(made, TOKENIZER, tmp_path, context=512, fim_rate=0.5, spm_rate=0.25, seed=1)
    share = facts["fim_pieces"] / facts["pieces"]
    assert abs(share - 0.5) < 4 * (0.25 / facts["pieces"]) ** 0.5
    spm = 0
    for row in rows_of(tmp_path).tolist():
        spm += sum(pair == (PREFIX, SUFFIX) for pair in pairwise(row))
    # A few PSM pieces have an empty prefix and look like SPM; uniform cuts make them rare.
    assert abs(spm / facts["fim_pieces"] - 0.25) < 0.1
    assert facts["fim_outgrown"] < 0.01 * facts["fim_pieces"]


def test_rows_hold_little_padding(tmp_path):
    # Against next-fit, the obvious packing without a choice of row.
    made = documents(600)
    facts = pack(made, TOKENIZER, tmp_path, context=1024, fim_rate=0.0, seed=1)
    cutter = Cutter(TOKENIZER, room=1024)
    sizes = [len(piece.ids) for piece in cutter.pieces([(d, 0) for d in made])]
    rows, left = 0, 0
    for size in sizes:
        if size > left:
            rows, left = rows + 1, 1024
        left -= size
    assert facts["rows"] < rows
    assert facts["rows"] * 1024 < 1.03 * sum(sizes)


@given(
    sizes=st.lists(st.lists(st.integers(1, 20), max_size=30), max_size=4),
    limit=st.integers(0, 5),
)
def test_best_fit_places_every_piece_once_and_best(sizes, limit):
    from codewright.corpus.pieces import Piece

    fit = BestFit(20, open_rows=limit)
    closed = []
    rooms: list[int] = []  # the slow truth: room left in each open row
    for batch in sizes:
        pieces = [Piece(ids=np.zeros(size, np.uint32), size=1) for size in batch]
        for size in sorted(batch, reverse=True):
            fitting = sorted(room for room in rooms if room >= size)
            if fitting:
                rooms.remove(fitting[0])
            left = (fitting[0] if fitting else 20) - size
            rooms += [left] if left else []
        rooms = sorted(rooms)[max(len(rooms) - limit, 0) :]
        closed += list(fit.place(pieces))
        assert len(rooms) <= limit
    left_open = list(fit.finish())
    used = [sum(len(piece.ids) for piece in row) for row in closed + left_open]
    assert max(used, default=0) <= 20
    assert sum(used) == sum(map(sum, sizes))
    assert sorted(20 - sum(len(p.ids) for p in row) for row in left_open) == sorted(rooms)


def test_files_stay_below_their_limit_and_their_hashes_hold(tmp_path):
    facts = pack(
        documents(200), TOKENIZER, tmp_path, context=CONTEXT, fim_rate=0.5, seed=1,
        file_bytes=10_000, held=0.3,
    )  # fmt: skip
    assert len(facts["files"]) > 3
    for file in tmp_path.glob("*.npy"):
        assert file.stat().st_size <= 10_000
    Loader(tmp_path, batch=1, seed=0).verify()
    HeldOut(tmp_path).verify()
    for file in facts["files"]:
        content = (tmp_path / file["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    with pytest.raises(ConfigError, match="holds no row"):
        pack([], TOKENIZER, tmp_path, context=CONTEXT, fim_rate=0, seed=1, file_bytes=300)


def test_the_same_input_gives_the_same_files_and_another_seed_others(tmp_path, monkeypatch):
    def digest(name: str, seed: int) -> dict[str, str]:
        folder = tmp_path / name
        pack(documents(120), TOKENIZER, folder, context=CONTEXT, fim_rate=0.5, seed=seed, held=0.2)
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}

    first = digest("a", 1)
    # What an earlier packing left is replaced.
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "rows-00099.npy").write_bytes(b"old")
    assert digest("b", 1) == first
    assert digest("c", 2) != first
    # How many documents are tokenised at once changes the order of rows, not what is in pieces.
    texts = Counter(texts_of(tmp_path / "a"))
    monkeypatch.setattr(packing, "BATCH_BYTES", 3000)
    digest("d", 1)
    assert Counter(texts_of(tmp_path / "d")) == texts


def test_whole_distributions_are_held_out_and_counted(tmp_path):
    made = documents(200, origins=40)
    facts = pack(made, TOKENIZER, tmp_path, context=CONTEXT, fim_rate=1.0, seed=1, held=0.25)
    held = HeldOut(tmp_path)
    origins = set(facts["held"]["origins"])
    assert 0 < len(origins) < 25
    kept = [d for d in made if d.origin in origins]
    assert facts["documents"] + len(kept) == len(made)
    assert facts["held"]["bytes"] == sum(len(d.text.encode()) for d in kept)
    assert sum(g.bytes for g in held.groups) == facts["held"]["bytes"]
    assert sum(g.documents for g in held.groups) == len(kept)
    assert {g.name for g in held.groups} == {group(d) for d in kept}
    for number, each in enumerate(held.groups):
        rows = held.take(np.flatnonzero(held.group_of_row == number))
        assert len(rows)
        text = b"".join(TOKENIZER.decode_bytes(row) for row in rows.tolist())
        wanted = sorted(d.text.encode() for d in kept if group(d) == each.name)
        assert len(text) == each.bytes == sum(map(len, wanted))
        assert Counter(text) == Counter(b"".join(wanted))
        assert int((rows != PAD).sum()) - len(rows) == each.tokens
        assert not np.isin(rows, [PREFIX, SUFFIX, MIDDLE]).any()
        assert (rows[:, 0] == END).all()


@pytest.mark.parametrize(
    ("origin", "held", "expected"),
    [
        ("requests==2.1", ("requests",), True),
        ("requests==2.1", ("request",), False),
        ("requests==2.1", ("req*",), True),
        ("requests==2.1", ("requests==2.*",), True),
        ("requests==2.1", ("requests==3.*",), False),
        ("Foo_Bar==1", ("foo-bar",), True),
        ("requests==2.1", (), False),
        ("requests==2.1", 0.0, False),
        ("requests==2.1", 1.0, True),
    ],
)
def test_what_is_held(origin, held, expected):
    assert is_held(origin, held) is expected


def test_a_share_holds_about_that_share_of_names_whatever_their_version():
    names = [f"package{n}" for n in range(4000)]
    held = [is_held(f"{name}==1", 0.1) for name in names]
    assert abs(sum(held) - 400) < 80
    assert held == [is_held(f"{name}==2.5", 0.1) for name in names]
    assert all(is_held(f"{n}==1", 0.2) for n, was in zip(names, held, strict=True) if was)


def test_names_of_groups():
    def named(origin: str, path: str) -> str:
        return group(Document(text="", path=path, licence="", origin=origin))

    assert named("networkx==3", "networkx/algorithms/flow/x.py") == "networkx/algorithms"
    assert named("networkx==3", "networkx/x.py") == "networkx"
    assert named("cpython@abc", "Lib/json/x.py") == "cpython/Lib"
    assert named("a==1", "x.py") == "a"
    assert project("Foo_Bar==1.0") == "foo-bar"


def test_a_mix_repeats_and_leaves_out(tmp_path):
    made = [document(n, lines=3, origin=f"{kind}==1") for n in range(200) for kind in "abcd"]
    mix = {"a==*": 2.0, "b==*": 0.5, "c*": 0.0, "*": 1.0, "d*": 5.0}
    facts = pack(made, TOKENIZER, tmp_path, context=512, fim_rate=0.5, seed=3, mix=mix)
    # The texts of a, b, c, d are the same four by four; count how often each arrives.
    assert facts["mix"] == mix
    times = facts["documents"] - 400 - 200
    assert 70 < times < 130
    seen = Counter(texts_of(tmp_path))
    assert sum(seen.values()) == facts["documents"]
    assert set(seen.values()) == {3, 4}


def test_copies_of_a_document_are_cut_differently_and_lie_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "BATCH_BYTES", 20_000)
    made = [document(n, lines=40) for n in range(100)]
    pack(made, TOKENIZER, tmp_path, context=1024, fim_rate=1.0, seed=3, mix={"*": 3})
    together = apart = 0
    forms: dict[bytes, set[tuple[int, ...]]] = {}
    for row in rows_of(tmp_path).tolist():
        texts = [fim.join(TOKENIZER, piece[:-1]) for piece in pieces_of(row)]
        together += len(texts) - len(set(texts))
        apart += len(texts)
        for piece, text in zip(pieces_of(row), texts, strict=True):
            forms.setdefault(text, set()).add(tuple(piece))
    assert apart == 300
    assert together < 15
    assert sum(len(form) for form in forms.values()) > 295


@pytest.mark.parametrize(
    "wrong",
    [
        {"context": 8}, {"fim_rate": 1.5}, {"fim_rate": -0.1}, {"spm_rate": 2.0}, {"held": 1.01},
        {"mix": {"*": -1.0}}, {"mix": {"*": 1e6}},
    ],
)  # fmt: skip
def test_senseless_settings_are_refused(tmp_path, wrong):
    usual = {"context": CONTEXT, "fim_rate": 0.5, "seed": 1}
    with pytest.raises(ConfigError):
        pack([], TOKENIZER, tmp_path / "new", **{**usual, **wrong})
    assert not (tmp_path / "new").exists()


def test_nothing_to_pack_makes_no_rows(tmp_path):
    empty = dataclasses.replace(document(1), text="")
    facts = pack([empty], TOKENIZER, tmp_path, context=CONTEXT, fim_rate=0.5, seed=1)
    assert (facts["rows"], facts["documents"], facts["padding"]) == (0, 0, 0.0)


def test_large_vocabularies_take_four_bytes():
    from codewright.corpus.rows import RowFiles

    for vocabulary, kind in ((65_536, np.uint16), (65_537, np.uint32)):
        files = RowFiles(Path(), "r", shape=(9, vocabulary), file_bytes=1000)
        files.add([[]])
        assert files._waiting[0].dtype == kind


KILLED = """
import os, signal, sys
from pathlib import Path
from codewright.corpus import pack as packing
from tests.corpus.packing import documents, tokenizer
def slow(until):
    for number, document in enumerate(documents(120)):
        if number == until:
            os.kill(os.getpid(), signal.SIGKILL)
        yield document
packing.BATCH_BYTES = 5000
packing.pack(slow(int(sys.argv[2])), tokenizer(), Path(sys.argv[1]), context=128, fim_rate=0.5,
             seed=1, file_bytes=5000, held=0.2)
"""


def test_killed_and_started_again_gives_the_same_files(tmp_path):
    def start(name: str, until: int) -> int:
        words = [sys.executable, "-c", KILLED, str(tmp_path / name), str(until)]
        return subprocess.run(words, cwd=REPOSITORY, check=False).returncode

    def content(name: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}

    assert start("whole", -1) == 0
    for until in (70, 119):
        assert start("broken", until) == -signal.SIGKILL
        with pytest.raises(Exception, match=r"pack\.json does not exist"):
            Loader(tmp_path / "broken", batch=1, seed=0)
    assert start("broken", -1) == 0
    assert content("broken") == content("whole")
    assert json.loads((tmp_path / "whole" / "pack.json").read_text())["rows"] > 10


def test_memory_does_not_grow_with_the_corpus(tmp_path, monkeypatch):
    import tracemalloc

    monkeypatch.setattr(packing, "BATCH_BYTES", 20_000)
    monkeypatch.setattr(packing, "OPEN_ROWS", 20)

    def peak(count: int) -> int:
        stream = (document(n, lines=60) for n in range(count))
        tracemalloc.start()
        pack(stream, TOKENIZER, tmp_path, context=CONTEXT, fim_rate=0.5, seed=1, file_bytes=50_000)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(20)  # what is made once
    small = peak(60)
    assert peak(300) < 1.5 * small


def test_source_is_real_text():
    assert source(3) != source(4)
