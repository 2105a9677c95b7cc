"""The step against plain autograd, and what the loop does around it."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from codewright.errors import UserError
from codewright.model.transformer import Decoder
from codewright.train.distributed import World
from codewright.train.loop import (
    ComputeConfig,
    Hooks,
    Learner,
    Piece,
    WatchConfig,
    due,
    repeatable,
    train,
)
from codewright.train.optim import OptimizerConfig
from codewright.train.pretrain import LossConfig, pretraining_loss
from codewright.train.schedule import ScheduleConfig
from tests.train import made


def rows(count=6, seed=0):
    noise = np.random.default_rng(seed)
    table = noise.integers(32, made.VOCABULARY, (count, made.CONTEXT + 1))
    for row in range(count):
        table[row, made.CONTEXT + 1 - int(noise.integers(0, 20)) :] = made.PAD
    return torch.from_numpy(table)


def pieces(table, size):
    parts = table.split(size)
    return [Piece((p,), float((p[:, 1:] != made.PAD).sum()), p[:, 1:].numel()) for p in parts]


def learner(
    *, layers=2, precision="float32", compiled=False, clip=0.0, name="sgd", rate=1.0, z=0.0
):
    model = Decoder(made.config(layers=layers), generator=torch.Generator().manual_seed(1))
    return Learner(
        model,
        pretraining_loss(LossConfig(z=z, chunk=50), made.PAD),
        World(),
        compute=ComputeConfig(precision=precision, compile=compiled),
        optimizer=OptimizerConfig(name=name, rate=rate, decay=0.0, beta1=0.0),
        schedule=ScheduleConfig(name="constant"),
        clip=clip,
    )


def plain_gradients(table, z=0.0):
    """One backward pass over everything, in float32, with all logits at once."""
    model = Decoder(made.config(), generator=torch.Generator().manual_seed(1))
    logits = model.logits(model(table[:, :-1]).hidden_BTD).flatten(0, 1)
    targets = table[:, 1:].flatten()
    loss = F.cross_entropy(logits, targets, ignore_index=made.PAD)
    penalty = logits.logsumexp(1).square()[targets != made.PAD].mean()
    (loss + z * penalty).backward()
    return loss.item(), {name: p.grad for name, p in model.named_parameters()}


def moved(one, layers=2):
    """What a step of SGD at rate 1 took away is the gradient."""
    before = Decoder(made.config(layers=layers), generator=torch.Generator().manual_seed(1))
    after = dict(one.model.named_parameters())
    return {name: (p - after[name]).detach() for name, p in before.named_parameters()}


@pytest.mark.parametrize("size", [6, 4, 1])
@pytest.mark.parametrize("z", [0.0, 0.01])
def test_the_gradient_of_a_step_is_that_of_plain_autograd_however_it_is_cut(size, z):
    table = rows()
    loss, wanted = plain_gradients(table, z)
    one = learner(z=z)
    told = one.update(pieces(table, size), 0, 10)
    assert float(told["nll"]) == pytest.approx(loss, rel=1e-5)
    norm = math.sqrt(sum(float(g.square().sum()) for g in wanted.values()))
    assert float(told["norm"]) == pytest.approx(norm, rel=1e-4)
    for name, gradient in moved(one).items():
        torch.testing.assert_close(gradient, wanted[name], rtol=1e-3, atol=2e-6)


def test_in_bfloat16_the_gradient_is_near():
    table = rows()
    _, wanted = plain_gradients(table)
    one = learner(precision="bf16")
    one.update(pieces(table, 3), 0, 10)
    for name, gradient in moved(one).items():
        # 8 bits of mantissa through two layers; what sums many rounded terms is nearer than 3 %.
        assert (gradient - wanted[name]).norm() < 0.03 * wanted[name].norm(), name


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler warns of itself
def test_compiled_is_eager_but_for_rounding():
    table = rows(2)
    eager, compiled = learner(layers=1), learner(layers=1, compiled=True)
    for one in (eager, compiled):
        one.update(pieces(table, 2), 0, 10)
    assert compiled.compiled == "compiled"
    for name, gradient in moved(compiled, 1).items():
        torch.testing.assert_close(gradient, moved(eager, 1)[name], rtol=1e-3, atol=1e-6)


def test_a_long_gradient_is_cut_to_length():
    table = rows()
    free, cut = learner(), learner(clip=0.1)
    norm = float(free.update(pieces(table, 6), 0, 10)["norm"])
    assert float(cut.update(pieces(table, 6), 0, 10)["norm"]) == pytest.approx(norm)
    for name, gradient in moved(cut).items():
        torch.testing.assert_close(gradient, moved(free)[name] * 0.1 / norm, rtol=1e-3, atol=1e-6)


def test_a_piece_of_padding_alone_changes_nothing():
    table = rows()
    blank = torch.full((2, made.CONTEXT + 1), made.PAD)
    one, other = learner(), learner()
    one.update(pieces(table, 6), 0, 10)
    other.update([*pieces(table, 6), *pieces(blank, 2)], 0, 10)
    for name, gradient in moved(other).items():
        torch.testing.assert_close(gradient, moved(one)[name])


def run(one, table, watch, *, done=0, steps=7, stop_after=None):
    told = {"rows": [], "evaluated": [], "saved": []}
    hooks = Hooks(
        record=lambda kind, step, values: told["rows"].append((kind, step, values)),
        evaluate=told["evaluated"].append,
        save=told["saved"].append,
    )
    end = train(
        one,
        lambda step: pieces(table, 3),
        hooks,
        watch,
        done=done,
        steps=steps,
        stop_after=stop_after,
    )
    return end, told


def test_every_step_is_told_once_and_in_time():
    watch = WatchConfig(evaluate_every=3, save_every=2)
    end, told = run(learner(rate=0.01), rows(), watch)
    assert end == 7
    assert [(kind, step) for kind, step, _ in told["rows"]] == [("step", n) for n in range(1, 8)]
    assert told["evaluated"] == [3, 6, 7]
    assert told["saved"] == [2, 4, 6, 7]
    losses = [values["loss"] for _, _, values in told["rows"]]
    assert losses == sorted(losses, reverse=True)
    assert all(values["tokens"] == 6 * made.CONTEXT for _, _, values in told["rows"])


def test_a_resumed_loop_tells_the_rest():
    _, told = run(learner(), rows(), WatchConfig(evaluate_every=0, save_every=0), done=4)
    assert [step for _, step, _ in told["rows"]] == [5, 6, 7]
    assert told["evaluated"] == told["saved"] == [7]


def test_out_of_time_it_saves_and_stops():
    end, told = run(learner(), rows(), WatchConfig(save_every=0), stop_after=0.0)
    assert end == 1
    assert told["saved"] == [1]
    assert [step for _, step, _ in told["rows"]] == [1]


def test_a_loss_that_is_no_number_stops_the_run_before_it_is_saved():
    one = learner(rate=1e6)
    with pytest.raises(UserError, match="training broke down at step") as caught:
        run(one, rows(), WatchConfig(save_every=0), steps=40)
    assert "rate" in caught.value.hint


def test_when_things_are_due():
    assert [step for step in range(1, 11) if due(step, 4, 10)] == [4, 8, 10]
    assert [step for step in range(1, 11) if due(step, 0, 10)] == [10]


def test_repeatable_leaves_torch_as_it_was():
    with repeatable(World()):
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


def test_without_a_compiler_it_says_so_and_runs(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    one = learner(compiled=True)
    assert one.compiled == "eager: no C++ compiler"
    assert "no C++ compiler was found" in capsys.readouterr().err
    one.update(pieces(rows(), 6), 0, 10)
