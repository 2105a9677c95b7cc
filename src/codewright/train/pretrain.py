"""Pre-training: a decoder learns to predict the rows of a packed folder.

    OUT/run.json         the settings, and what was fixed at the start: steps, batch, peak speed
    OUT/metrics.jsonl    every step and every evaluation; OUT/tensorboard, OUT/loss.png
    OUT/checkpoints/     see state.py

Started again in the same folder, a run goes on where its newest checkpoint was written, and ends
with the same weights as one that was never stopped: bit for bit on one CPU with the same threads
and the same version of torch.

It needs torch, numpy and safetensors and nothing else; TensorBoard and the plot are left out by
`train.watch.tensorboard=false train.watch.plot=false`. Where there is no `codewright` command:

    python -m codewright.train RECIPE --packed FOLDER --out FOLDER [a.b=c …]

Legend: B batch, T time, D width, V vocabulary.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from codewright.corpus.loader import HeldOut, Loader
from codewright.model.config import ModelConfig
from codewright.model.transformer import Decoder
from codewright.train import compress, memory, plot, state
from codewright.train.compress import CompressConfig
from codewright.train.distributed import World, join
from codewright.train.loop import (
    ComputeConfig,
    Hooks,
    Learner,
    Piece,
    WatchConfig,
    repeatable,
    train,
)
from codewright.train.losses import cross_entropy
from codewright.train.metrics import Recorder
from codewright.train.optim import OptimizerConfig
from codewright.train.peak import peak
from codewright.train.run import Run, claim
from codewright.train.schedule import ScheduleConfig
from codewright.train.score import row_losses
from codewright.train.talk import Talk

CHECKPOINTS, PLOT = "checkpoints", "loss.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetConfig:
    """How long a run is: one of these, the others None.

    flops: floating-point operations. minutes: the steps are derived once, at the start, from the
    speed that is measured then, and kept in run.json: a clock that decided during the run could
    not be resumed.
    """

    steps: int | None = None
    tokens: int | None = None
    epochs: float | None = None
    minutes: float | None = None
    flops: float | None = None

    def __post_init__(self) -> None:
        every = (self.steps, self.tokens, self.epochs, self.minutes, self.flops)
        given = [value for value in every if value is not None]
        if len(given) != 1:
            raise ValueError("set one of steps, tokens, epochs, minutes and flops")
        if given[0] <= 0:
            raise ValueError("a budget is above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """z: the weight of the z-loss. chunk: tokens whose logits exist at a time, 0: derived."""

    z: float = 1e-4
    chunk: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """The `[train]` table.

    batch: rows of a step over all processes; 0, as a rate of 0, is derived by plan.py. piece: rows
    that go through the model at once, 0 for all of a process's; the rest is accumulated.
    clip: the longest gradient norm, 0 for no limit. start: a checkpoint whose weights this run
    begins with. compress: weights in few bits or with zeros while it trains; None for plain ones.
    """

    batch: int = 0
    piece: int = 0
    seed: int = 0
    clip: float = 1.0
    start: Path | None = None
    budget: BudgetConfig = field(default_factory=lambda: BudgetConfig(epochs=1.0))
    loss: LossConfig = field(default_factory=LossConfig)
    compute: ComputeConfig = field(default_factory=ComputeConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    watch: WatchConfig = field(default_factory=WatchConfig)
    compress: CompressConfig | None = None

    def __post_init__(self) -> None:
        if self.batch < 0 or self.piece < 0:
            raise ValueError("batch and piece are not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """How a run stands. held: the last held-out loss in nats a token."""

    step: int
    steps: int
    checkpoint: Path
    held: float | None

    @property
    def finished(self) -> bool:
        """True where nothing is left to do."""
        return self.step == self.steps


def pretrain(
    config: TrainConfig,
    model_config: ModelConfig,
    packed: Path,
    out: Path,
    *,
    tokenizer: Path | None = None,
    stop_after: float | None = None,
) -> Trained:
    """Trains, or goes on training, the run in `out`.

    Under torchrun all processes call it with the same arguments.

    Args:
        packed: rows as corpus/pack.py writes them.
        tokenizer: tokenizer.json, to be copied into each checkpoint.
        stop_after: seconds after which it saves and returns unfinished.

    Raises:
        DataError: the rows are damaged, or `out` belongs to a run with other settings.
        ConfigError: the model cannot be trained with such weights.
        UserError: the loss is no longer a finite number.
        MissingExtra: TensorBoard or the plot is wanted and cannot be had.
    """
    assert config.batch, "plan.py derives what is left open"
    assert config.optimizer.rate, "plan.py derives what is left open"
    if config.watch.plot:
        plot.check()  # now, not at the first evaluation
    if config.compute.threads:
        torch.set_num_threads(config.compute.threads)
    memory.keep()
    with join() as world, repeatable(world):
        torch.manual_seed(config.seed)
        model = Decoder(model_config, generator=torch.Generator().manual_seed(config.seed))
        if config.start is not None:
            state.restore_weights(config.start, model)
        if config.compress is not None:
            compress.prepare(config.compress, model)
        model.to(world.device)
        learner = Learner(
            model,
            pretraining_loss(config.loss, _pad(packed)),
            world,
            compute=config.compute,
            optimizer=config.optimizer,
            schedule=config.schedule,
            clip=config.clip,
            zeros=config.compress is not None and config.compress.keep_zeros,
        )
        return _run(config, learner, packed, out, tokenizer, stop_after)


def _run(
    config: TrainConfig,
    learner: Learner,
    packed: Path,
    out: Path,
    tokenizer: Path | None,
    stop_after: float | None,
) -> Trained:
    world, model = learner.world, learner.model
    batches, loader = _batches(config, packed, world)
    settings = {
        "train": asdict(config),
        "model": model.config.to_dict(),
        "data": {name: loader.facts[name] for name in ("tokenizer_sha256", "rows", "files")},
    }
    run = claim(
        out,
        settings,
        world,
        lambda: _start(config, learner, batches, loader),
        # Minutes are another number of steps each time, and in each process.
        extends=config.schedule.name == "constant" and config.budget.minutes is None,
    )
    folder = out / CHECKPOINTS
    newest = state.latest(folder)
    before = state.Training(step=0)
    if newest is not None:
        before = state.restore(newest, model, learner.optimizers, world)
    held = _HeldOut(packed, config, learner)
    with Recorder(
        out, step=before.step, tensorboard=config.watch.tensorboard, writes=world.leads
    ) as rows:
        talk = Talk(rows, run, before, plot=out / PLOT if config.watch.plot else None)
        talk.start(learner.compiled, processes=world.size, device=str(world.device))

        def save(step: int) -> None:
            training = talk.training(step)
            state.save(folder, training, model, learner.optimizers, world, tokenizer=tokenizer)
            if world.leads:
                state.prune(folder, config.watch.keep)

        hooks = Hooks(
            record=talk.record, evaluate=lambda step: talk.held(step, held.measure()), save=save
        )
        done = train(
            learner,
            batches,
            hooks,
            config.watch,
            done=before.step,
            steps=run.steps,
            stop_after=stop_after,
        )
        talk.end(done)
        newest = state.latest(folder)
        assert newest is not None
        return Trained(step=done, steps=run.steps, checkpoint=newest, held=talk.last_held)


def pretraining_loss(config: LossConfig, pad: int) -> Callable[..., Mapping[str, Tensor]]:
    """Returns the loss of a piece: next tokens, the z-loss, and the balance of experts."""

    def loss(model: Decoder, rows_BT: Tensor) -> Mapping[str, Tensor]:
        ids_BT, targets_BT = rows_BT[:, :-1], rows_BT[:, 1:]
        output = model(ids_BT)
        total, nll = cross_entropy(
            output.hidden_BTD.flatten(0, 1),
            model.head_VD,
            targets_BT.flatten(),
            ignore=pad,
            z_loss=config.z,
            chunk=config.chunk,
        )
        if model.config.experts is None:
            return {"loss": total, "nll": nll}
        # A mean over the piece becomes a sum over its targets, like the rest.
        balance = output.balance * (targets_BT != pad).sum()
        weighted = balance * model.config.experts.balance
        return {"loss": total + weighted, "nll": nll, "balance": balance.detach()}

    return loss


def _batches(
    config: TrainConfig, packed: Path, world: World
) -> tuple[Callable[[int], list[Piece]], Loader]:
    """Returns what gives the pieces of a step to this process, and the loader behind it."""
    if config.batch % world.size:
        raise ValueError(f"{config.batch} rows do not divide over {world.size} processes")
    rows = config.batch // world.size
    loader = Loader(packed, batch=rows, seed=config.seed, rank=world.rank, world=world.size)
    pad, piece = loader.facts["pad"], config.piece or rows

    def batches(step: int) -> list[Piece]:
        batch = loader.batch(step).astype(np.int64)
        pieces = []
        for start in range(0, rows, piece):
            part = batch[start : start + piece]
            tensor = torch.from_numpy(part)
            if world.device.type == "cuda":
                tensor = tensor.pin_memory().to(world.device, non_blocking=True)
            targets = float((part[:, 1:] != pad).sum())
            pieces.append(Piece((tensor,), targets, part[:, 1:].size))
        return pieces

    return batches, loader


def _pad(packed: Path) -> int:
    return int(Loader(packed, batch=1, seed=0).facts["pad"])


class _HeldOut:
    """Some held-out rows, evenly chosen, that every evaluation measures."""

    def __init__(self, packed: Path, config: TrainConfig, learner: Learner) -> None:
        held = HeldOut(packed)
        count = min(config.watch.evaluate_rows, held.rows)
        chosen = np.unique(np.linspace(0, held.rows - 1, count).astype(np.int64))
        self._rows = held.take(chosen)
        self._learner, self._measure = learner, row_losses(_pad(packed))
        self._batch = max(1, config.piece or 8)
        tokens = sum(group.tokens for group in held.groups)
        self._bytes_per_token = sum(group.bytes for group in held.groups) / max(tokens, 1)

    def measure(self) -> dict[str, float] | None:
        """Returns loss in nats a token and bits per byte; None where nothing is held out.

        The bytes of the chosen rows are taken to be as many a token as those of all rows.
        """
        if not len(self._rows):
            return None
        # Every process measures everything: with sharded weights none could do it alone.
        nats, targets = 0.0, 0
        for start in range(0, len(self._rows), self._batch):
            part = self._rows[start : start + self._batch]
            ids = torch.from_numpy(part.astype(np.int64)).to(self._learner.world.device)
            told = self._learner.measure(self._measure, ids)
            nats, targets = nats + float(told["nats"].sum()), targets + int(told["targets"].sum())
        loss = nats / targets
        return {"loss": loss, "bits_per_byte": loss / np.log(2) / self._bytes_per_token}


def _start(
    config: TrainConfig, learner: Learner, batches: Callable[[int], list[Piece]], loader: Loader
) -> Run:
    """Decides what stays as it is for the whole of a run."""
    fastest = peak(learner.world.device, config.compute.precision)
    budget, tokens = config.budget, config.batch * loader.context
    if budget.steps is not None:
        steps = float(budget.steps)
    elif budget.tokens is not None:
        steps = budget.tokens / tokens
    elif budget.minutes is not None:
        steps = budget.minutes * 60 / _seconds_of_a_step(learner, batches)
    elif budget.flops is not None:
        steps = budget.flops / learner.model.config.flops_per_token(loader.context) / tokens
    else:
        assert budget.epochs is not None
        steps = budget.epochs * loader.rows / config.batch
    return Run(
        steps=max(1, round(steps)),
        tokens_per_step=tokens,
        flops_per_token=learner.model.config.flops_per_token(loader.context),
        peak=fastest.flops,
        peak_source=fastest.source,
    )


def _seconds_of_a_step(learner: Learner, batches: Callable[[int], list[Piece]]) -> float:
    """Times a few updates, and undoes them."""
    before = {name: p.detach().clone() for name, p in learner.model.named_parameters()}
    times = []
    for step in range(6):
        began = time.monotonic()
        float(learner.update(batches(step), step, 1000)["norm"])
        times.append(time.monotonic() - began)
    with torch.no_grad():
        for name, parameter in learner.model.named_parameters():
            parameter.copy_(before[name])
    for optimizer in learner.optimizers:
        optimizer.state.clear()
    return float(np.median(times[2:]))  # the first ones compile
