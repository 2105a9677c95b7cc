"""The loader: every row once an epoch, the same whatever the ranks, and damage is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codewright.corpus.loader import FORMAT, HeldOut, Loader, permutation
from codewright.errors import ConfigError, DataError

CONTEXT = 7


def packed(folder: Path, sizes: tuple[int, ...], dtype: str = "uint16") -> Path:
    """Writes rows that hold their own number, in files of the given sizes."""
    folder.mkdir(exist_ok=True)
    files, start = [], 0
    for number, size in enumerate(sizes):
        rows = np.arange(start, start + size, dtype=dtype)[:, None].repeat(CONTEXT + 1, 1)
        name = f"rows-{number:05}.npy"
        np.save(folder / name, rows)
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        files.append({"name": name, "rows": size, "sha256": digest})
        start += size
    facts = {"format": FORMAT, "context": CONTEXT, "rows": start, "tokens": 5, "files": files}
    (folder / "pack.json").write_text(json.dumps(facts))
    (folder / "held.json").write_text(
        json.dumps({"format": FORMAT, "rows": 0, "files": [], "groups": []})
    )
    return folder


def numbers(loader: Loader, step: int) -> list[int]:
    rows = loader.batch(step)
    assert (rows == rows[:, :1]).all()
    return rows[:, 0].tolist()


@given(
    rows=st.integers(1, 40),
    batch=st.integers(1, 9),
    world=st.integers(1, 4),
    seed=st.integers(0, 2**70),
    epochs=st.integers(1, 3),
)
def test_an_epoch_has_every_row_once_and_ranks_share_it(
    tmp_path_factory, rows, batch, world, seed, epochs
):
    folder = packed(tmp_path_factory.mktemp("rows"), (rows // 2, rows - rows // 2)[rows < 2 :])
    ranks = [Loader(folder, batch=batch, seed=seed, rank=r, world=world) for r in range(world)]
    alone = Loader(folder, batch=batch * world, seed=seed)
    seen: list[int] = []
    step = 0
    while len(seen) < rows * epochs:
        together = [number for rank in ranks for number in numbers(rank, step)]
        assert together == numbers(alone, step)
        seen += together
        step += 1
        if len(seen) - rows in range(batch * world):
            assert step == alone.batches_per_epoch == ranks[-1].batches_per_epoch
    for epoch in range(epochs):
        assert sorted(seen[epoch * rows : (epoch + 1) * rows]) == list(range(rows))
    # A step asked for again, out of order or by a new loader, is the same.
    again = Loader(folder, batch=batch * world, seed=seed)
    for step in (0, 3, 1):
        assert numbers(again, step) == numbers(alone, step)


def test_orders_differ_by_epoch_and_seed_and_are_those_of_ever():
    orders = {tuple(permutation(50, seed=s, epoch=e).tolist()) for s in range(5) for e in range(5)}
    assert len(orders) == 25
    # A change here would make every resumed run see other rows: it must never happen unnoticed.
    assert permutation(10, seed=1, epoch=2).tolist() == [9, 5, 4, 1, 6, 3, 2, 8, 0, 7]


def test_an_order_is_well_shuffled():
    # Over many epochs each row is at each place about equally often (chi-squared, 99 degrees).
    places = np.zeros((10, 10))
    for epoch in range(2000):
        places[np.arange(10), permutation(10, seed=3, epoch=epoch)] += 1
    assert ((places - 200) ** 2 / 200).sum() < 150


def test_rows_keep_their_type_and_are_copies(tmp_path):
    loader = Loader(packed(tmp_path, (3,), "uint32"), batch=2, seed=0)
    rows = loader.batch(0)
    assert rows.dtype == np.uint32
    assert rows.shape == (2, CONTEXT + 1)
    rows[:] = 9
    assert numbers(loader, 0) != [9, 9]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda f: (f / "pack.json").unlink(), "does not exist"),
        (lambda f: (f / "pack.json").write_text(""), "pack.json is damaged"),
        (lambda f: (f / "pack.json").write_text('{"format": 0}'), "another version"),
        (lambda f: (f / "pack.json").write_text("[]"), "another version"),
        (lambda f: (f / "rows-00001.npy").unlink(), "rows-00001.npy does not exist"),
        (lambda f: (f / "rows-00001.npy").write_bytes(b""), "rows-00001.npy is damaged"),
        (lambda f: cut(f / "rows-00001.npy", 20), "rows-00001.npy is damaged"),
        (lambda f: np.save(f / "rows-00001.npy", np.zeros((4, 9), "u2")), "not 4 rows of 8"),
        (lambda f: np.save(f / "rows-00001.npy", np.zeros((4, 8), "f4")), "float32"),
        (lambda f: np.save(f / "rows-00001.npy", np.zeros((5, 8), "u2")), "not 4 rows of 8"),
    ],
)
def test_damage_is_named(tmp_path, spoil, complaint):
    spoil(packed(tmp_path, (3, 4)))
    with pytest.raises(DataError, match=complaint) as caught:
        Loader(tmp_path, batch=2, seed=0)
    assert caught.value.hint


def cut(path: Path, count: int) -> None:
    path.write_bytes(path.read_bytes()[:-count])


def test_a_changed_byte_is_found_on_demand(tmp_path):
    loader = Loader(packed(tmp_path, (3, 4)), batch=2, seed=0)
    loader.verify()
    path = tmp_path / "rows-00001.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"rows-00001\.npy is damaged"):
        Loader(tmp_path, batch=2, seed=0).verify()


@pytest.mark.parametrize(("batch", "rank", "world"), [(0, 0, 1), (1, 1, 1), (1, -1, 1), (1, 0, 0)])
def test_senseless_settings_are_refused(tmp_path, batch, rank, world):
    with pytest.raises(ConfigError):
        Loader(packed(tmp_path, (3,)), batch=batch, seed=0, rank=rank, world=world)


def test_no_rows_to_train_on_is_an_error_and_no_held_out_rows_are_none(tmp_path):
    packed(tmp_path, ())
    with pytest.raises(DataError, match="no rows to train on"):
        Loader(tmp_path, batch=1, seed=0)
    assert HeldOut(tmp_path).rows == 0
