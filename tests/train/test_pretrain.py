"""A run that is stopped, killed or continued otherwise, and what it leaves behind."""

import json
import multiprocessing
import random
import time
from dataclasses import replace

import pytest
import torch

from codewright.errors import DataError
from codewright.model.config import ExpertsConfig, FeedForwardConfig
from codewright.model.transformer import Decoder
from codewright.train import state
from codewright.train.loop import WatchConfig
from codewright.train.metrics import METRICS
from codewright.train.optim import OptimizerConfig
from codewright.train.pretrain import BudgetConfig, LossConfig, pretrain, pretraining_loss
from codewright.train.run import RUN
from codewright.train.schedule import ScheduleConfig
from tests.train import made, runs


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return made.packed(tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="module")
def whole(packed, tmp_path_factory):
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    return out, runs.run(packed, out)


def metrics(out, kind):
    rows = [json.loads(line) for line in (out / METRICS).read_text().splitlines()]
    return [row for row in rows if row["kind"] == kind]


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_a_run_learns_and_says_so(whole):
    out, trained = whole
    assert trained.finished
    steps, held = metrics(out, "step"), metrics(out, "held")
    assert [row["step"] for row in steps] == list(range(1, runs.STEPS + 1))
    assert [row["step"] for row in held] == [7, 14, 21, 28, 35, 40]
    assert steps[0]["nll"] == pytest.approx(4.56, abs=0.1)  # ln 96: it begins by knowing nothing
    assert held[-1]["loss"] < held[0]["loss"] < 4.56
    assert trained.held == held[-1]["loss"]
    (end,) = metrics(out, "end")
    assert end["finished"]
    assert end["tokens"] == runs.STEPS * 6 * made.CONTEXT
    told = json.loads((out / RUN).read_text())["decided"]
    assert told["flops_per_token"] == made.config().flops_per_token(made.CONTEXT)
    assert told["peak"] > 1e8
    kept = [path.name for path in state.checkpoints(out / "checkpoints")]
    assert kept[-2:] == ["step-00000036", "step-00000040"]


def test_killed_at_random_moments_it_ends_with_the_same_weights_bit_for_bit(
    packed, whole, tmp_path
):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.train.runs"])
    chance, killed = random.Random(), 0
    for _ in range(25):
        process = context.Process(target=runs.run, args=(packed, tmp_path))
        process.start()
        # The first kills come early, later ones at any moment of what is left.
        process.join(timeout=chance.uniform(0.05, 0.4 + 0.1 * killed))
        if process.exitcode is None:
            process.kill()
            killed += 1
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == -9
    else:
        runs.run(packed, tmp_path)
    assert killed, "the run was over before it could be killed"
    newest = state.latest(tmp_path / "checkpoints")
    same(runs.weights(newest), runs.weights(whole[1]))
    assert not list((tmp_path / "checkpoints").glob(".*"))
    steps = metrics(tmp_path, "step")
    assert [row["step"] for row in steps] == list(range(1, runs.STEPS + 1))
    wanted = metrics(whole[0], "step")
    assert [row["loss"] for row in steps] == [row["loss"] for row in wanted]
    assert [row["loss"] for row in metrics(tmp_path, "held")] == [
        row["loss"] for row in metrics(whole[0], "held")
    ]
    assert len(metrics(tmp_path, "end")) == 1


def test_stopped_again_and_again_it_ends_the_same(packed, whole, tmp_path):
    for count in range(1, 6):
        trained = pretrain(runs.settings(), made.config(), packed, tmp_path, stop_after=0.0)
        assert (trained.step, trained.finished) == (count, False)
    trained = runs.run(packed, tmp_path)
    assert trained.finished
    same(runs.weights(trained), runs.weights(whole[1]))


def test_a_finished_run_is_left_as_it_is(packed, whole):
    out, trained = whole
    before = metrics(out, "step")
    assert runs.run(packed, out) == trained
    assert metrics(out, "step") == before
    assert len(metrics(out, "end")) == 1


def test_what_is_only_watched_may_change_and_nothing_else(packed, tmp_path):
    runs.run(packed, tmp_path, budget=BudgetConfig(steps=2))
    watch = WatchConfig(tensorboard=False, plot=False, keep=5)
    runs.run(packed, tmp_path, budget=BudgetConfig(steps=2), watch=watch)
    with pytest.raises(DataError, match=r"train\.budget\.steps = 2, not 3"):
        runs.run(packed, tmp_path, budget=BudgetConfig(steps=3))
    with pytest.raises(DataError, match=r"train\.optimizer\.rate = 0\.01, not 0\.1"):
        runs.run(
            packed,
            tmp_path,
            budget=BudgetConfig(steps=2),
            optimizer=OptimizerConfig(name="muon", rate=0.1),
        )
    other = made.packed(tmp_path / "other", seed=1)
    with pytest.raises(DataError, match=r"data\.files"):
        runs.run(other, tmp_path, budget=BudgetConfig(steps=2))


def test_at_a_constant_rate_a_run_can_be_made_longer(packed, tmp_path):
    """What comes of it is what a run that was planned so long gives, bit for bit."""
    constant = ScheduleConfig(name="constant", warmup=2)
    runs.run(packed, tmp_path / "a", schedule=constant, budget=BudgetConfig(steps=5))
    with pytest.raises(DataError, match=r"a run of 5 steps, not 4"):
        runs.run(packed, tmp_path / "a", schedule=constant, budget=BudgetConfig(steps=4))
    grown = runs.run(packed, tmp_path / "a", schedule=constant, budget=BudgetConfig(steps=9))
    whole = runs.run(packed, tmp_path / "b", schedule=constant, budget=BudgetConfig(steps=9))
    assert (grown.step, grown.steps) == (9, 9)
    same(runs.weights(grown), runs.weights(whole))
    assert [row["step"] for row in metrics(tmp_path / "a", "step")] == list(range(1, 10))
    assert len(metrics(tmp_path / "a", "end")) == 1
    assert (
        runs.run(packed, tmp_path / "a", schedule=constant, budget=BudgetConfig(steps=9)) == grown
    )
    with pytest.raises(DataError, match=r"optimizer\.rate"):
        runs.run(
            packed,
            tmp_path / "a",
            schedule=constant,
            budget=BudgetConfig(steps=12),
            optimizer=OptimizerConfig(name="muon", rate=0.1),
        )


def test_a_run_may_begin_with_the_weights_of_another(packed, whole, tmp_path):
    start = whole[1].checkpoint
    trained = runs.run(
        packed,
        tmp_path,
        start=start,
        budget=BudgetConfig(steps=1),
        optimizer=OptimizerConfig(name="sgd", rate=1e-12, decay=0.0),
    )
    for name, weight in runs.weights(trained).items():
        torch.testing.assert_close(weight, runs.weights(whole[1])[name])


def test_budgets_become_steps_once(packed, tmp_path):
    rows, per_step = 40, 6 * made.CONTEXT
    flops = made.config().flops_per_token(made.CONTEXT)
    for name, budget, steps in [
        ("tokens", BudgetConfig(tokens=3 * per_step), 3),
        ("epochs", BudgetConfig(epochs=0.5), round(rows / 2 / 6)),
        ("flops", BudgetConfig(flops=2.2 * per_step * flops), 2),
    ]:
        assert runs.run(packed, tmp_path / name, budget=budget).steps == steps
    began = time.monotonic()
    trained = runs.run(packed, tmp_path / "minutes", budget=BudgetConfig(minutes=0.02))
    took = time.monotonic() - began
    assert 1 <= trained.steps < 20_000
    assert took < 60
    again = runs.run(packed, tmp_path / "minutes", budget=BudgetConfig(minutes=0.02))
    assert again.steps == trained.steps
    # To measure the speed changed nothing: as many steps by number give the same weights.
    counted = runs.run(packed, tmp_path / "counted", budget=BudgetConfig(steps=trained.steps))
    same(runs.weights(trained), runs.weights(counted))
    with pytest.raises(ValueError, match="set one of"):
        BudgetConfig(steps=1, tokens=1)
    with pytest.raises(ValueError, match="above 0"):
        BudgetConfig(steps=0)


def test_without_held_out_rows_nothing_is_measured(tmp_path):
    packed = made.packed(tmp_path / "packed", held=0)
    trained = runs.run(packed, tmp_path / "run", budget=BudgetConfig(steps=2))
    assert trained.held is None
    assert not metrics(tmp_path / "run", "held")


def test_experts_are_balanced_by_the_loss():
    config = replace(
        made.config(),
        feed_forward=FeedForwardConfig(width=32),
        experts=ExpertsConfig(count=4, active=2, balance=0.5),
    )
    model = Decoder(config, generator=torch.Generator().manual_seed(0))
    ids = torch.randint(32, made.VOCABULARY, (2, made.CONTEXT + 1))
    told = pretraining_loss(LossConfig(z=0.0), made.PAD)(model, ids)
    targets = 2 * made.CONTEXT
    wanted = told["nll"] + 0.5 * model(ids[:, :-1]).balance * targets
    torch.testing.assert_close(told["loss"], wanted)
    told["loss"].backward()
    assert all(layer.feed_forward.gate.weight.grad.any() for layer in model.layers)
