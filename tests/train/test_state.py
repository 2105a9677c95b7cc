"""Checkpoints: what comes back, how large files are, and which ones stay."""

import json
import random

import numpy as np
import pytest
import torch

from codewright.errors import DataError
from codewright.model import checkpoint
from codewright.model.transformer import Decoder
from codewright.train import state
from codewright.train.distributed import World
from codewright.train.optim import NAMES, OptimizerConfig, build, kinds, set_rate
from tests.train import made


def pair(name="adamw", seed=0):
    model = Decoder(made.config(), generator=torch.Generator().manual_seed(seed))
    kind = kinds(model, model.head_VD)
    config = OptimizerConfig(name=name, rate=0.01)
    return model, build(config, model.named_parameters(), kind)


def update(model, optimizers, seed):
    noise = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=noise)
    set_rate(optimizers, 0.01)
    for optimizer in optimizers:
        optimizer.step()


def same(one, other):
    for (name, p), q in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q), name


def save(folder, step, held, model=None, optimizers=()):
    training = state.Training(step=step, tokens=10 * step, held=held, seconds=1.5)
    return state.save(folder, training, model or pair()[0], optimizers, World())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file_bytes", [16_000_000, 3_000])
def test_going_on_from_a_checkpoint_is_going_on(tmp_path, name, file_bytes):
    model, optimizers = pair(name)
    for seed in range(3):
        update(model, optimizers, seed)
    training = state.Training(step=3, tokens=99, held=1.25, seconds=2.0)
    path = state.save(tmp_path, training, model, optimizers, World(), file_bytes=file_bytes)
    other, others = pair(name, seed=5)
    assert state.restore(path, other, others, World()) == training
    same(model, other)
    for seed in (7, 8):
        update(model, optimizers, seed)
        update(other, others, seed)
    same(model, other)
    largest = max(file.stat().st_size for file in path.iterdir() if file.suffix == ".safetensors")
    assert largest < file_bytes + 3000  # the header of a file is not counted


def test_random_states_come_back(tmp_path):
    path = save(tmp_path, 1, None)

    def draw():
        return torch.rand(3).tolist(), random.random(), np.random.rand()

    torch.manual_seed(4)
    random.seed(4)
    np.random.seed(4)
    torch.rand(1), np.random.randn()
    path = save(tmp_path, 2, None)
    wanted = draw()
    draw()
    model, _ = pair()
    state.restore(path, model, [], World())
    assert draw() == wanted


def test_the_model_in_a_checkpoint_loads_as_any_other(tmp_path):
    model, optimizers = pair()
    path = save(tmp_path, 1, 2.0, model, optimizers)
    loaded, _ = checkpoint.load(path)
    same(model, loaded)
    fresh, _ = pair(seed=3)
    state.restore_weights(path, fresh)
    same(model, fresh)


def test_the_last_ones_and_the_best_stay(tmp_path):
    for step, held in [(1, 3.0), (2, 1.0), (3, 2.0), (4, None), (5, 2.5), (6, 2.4)]:
        save(tmp_path, step, held)
    (tmp_path / ".step-00000007.part").mkdir()
    assert state.latest(tmp_path).name == "step-00000006"
    assert state.best(tmp_path).name == "step-00000002"
    state.prune(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-00000002",
        "step-00000005",
        "step-00000006",
    ]
    state.prune(tmp_path, 0)  # the newest one is what a run goes on from
    assert [path.name for path in state.checkpoints(tmp_path)] == ["step-00000002", "step-00000006"]


def test_where_nothing_was_measured_the_newest_is_the_best(tmp_path):
    assert state.latest(tmp_path) is None
    assert state.best(tmp_path) is None
    for step in (1, 2):
        save(tmp_path, step, None)
    assert state.best(tmp_path).name == "step-00000002"


def test_a_step_that_is_saved_again_replaces_the_old_one(tmp_path):
    save(tmp_path, 1, 3.0)
    path = save(tmp_path, 1, 2.0)
    assert json.loads((path / state.TRAINING).read_text())["held"] == 2.0
    assert [each.name for each in tmp_path.iterdir()] == ["step-00000001"]


def test_what_is_damaged_or_foreign_is_refused(tmp_path):
    model, optimizers = pair("muon")
    update(model, optimizers, 0)
    path = save(tmp_path, 1, None, model, optimizers)
    with pytest.raises(DataError, match="was trained by Muon and AdamW"):
        state.restore(path, *pair("lion"), World())
    tensors = path / "optimizer-00001.safetensors"
    whole = tensors.read_bytes()
    tensors.write_bytes(whole[:-9])
    with pytest.raises(DataError, match=r"optimizer-00001\.safetensors is damaged"):
        state.restore(path, model, optimizers, World())
    tensors.unlink()
    with pytest.raises(DataError, match="lacks a file of the optimiser"):
        state.restore(path, model, optimizers, World())
    tensors.write_bytes(whole)
    told = path / state.TRAINING
    whole = told.read_text()
    for broken in (whole[:50], "[]", whole.replace('"format": 1', '"format": 99')):
        told.write_text(broken)
        with pytest.raises(DataError, match=r"training\.json"):
            state.restore(path, model, optimizers, World())
