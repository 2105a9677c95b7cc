"""The one loop: batches and a loss go in, an improved model comes out.

    for step in …:  numbers = learner.update(batches(step)); record; evaluate; save

Pre-training, tuning, preferences and rewards differ in two arguments. `batches(step)` returns the
step's pieces (`Piece`: tensors and how many targets they hold) as a pure function of the step, so
that a run can be resumed. `loss(model, *tensors)` returns named sums over the targets of one piece,
of which "loss" is minimised. Whatever the pieces and processes, the gradient is that of Σ loss /
Σ targets over all of them: accumulation changes the memory, not the result.

Nothing here knows about text, files of data, or recipes.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from codewright import console
from codewright.errors import UserError
from codewright.model.transformer import Decoder
from codewright.train import optim
from codewright.train.compress import Zeros
from codewright.train.distributed import Spread, World, delay_sums, scatter, summed, whole, wrap
from codewright.train.schedule import ScheduleConfig, factor

Loss = Callable[..., Mapping[str, Tensor]]
"""`loss(model, *tensors)`: sums over the targets of a piece, "loss" among them."""


class Piece(NamedTuple):
    """A part of a step's batch that goes through the model at once."""

    tensors: tuple[Tensor, ...]
    targets: float
    """What the loss is divided by: how many targets count, weighted or not."""
    tokens: int
    """Tokens read, for speed alone."""


COMPILERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "cpu": ("C++", ("g++", "c++", "clang++")),
    "cuda": ("C", ("gcc", "cc", "clang")),
}
"""What torch.compile needs on a device, and what it may be called."""

Batches = Callable[[int], Sequence[Piece]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeConfig:
    """How a step is computed; none of it changes what is learned but by rounding.

    precision: `bf16` is autocast, with weights, optimiser and sums in float32. compile: by
    torch.compile; where the compiler that it needs is not found, it runs eagerly and says so.
    threads: of a CPU, 0 for torch's own choice; results are the same bit for bit only at the same
    number. spread: how several processes share the work.
    """

    precision: Literal["bf16", "float32"] = "bf16"
    compile: bool = True
    threads: int = 0
    spread: Spread = "ddp"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConfig:
    """What is done every so many steps; 0 for never but at the end.

    keep: newest checkpoints that stay, beside the best.
    """

    evaluate_every: int = 100
    evaluate_rows: int = 64
    save_every: int = 100
    keep: int = 2
    tensorboard: bool = True
    plot: bool = True


class Objective(nn.Module):
    """A model and its loss as one module, so that both are compiled and spread together."""

    def __init__(self, model: Decoder, loss: Loss, device: str, precision: str) -> None:
        super().__init__()
        self.model = model
        self._loss, self._device, self._bf16 = loss, device, precision == "bf16"

    def forward(self, *tensors: Tensor, measure: Loss | None = None) -> Mapping[str, Tensor]:
        """Returns the sums of one piece, or what `measure` makes of model and tensors instead."""
        with torch.autocast(self._device, torch.bfloat16, enabled=self._bf16):
            return (measure or self._loss)(self.model, *tensors)


class Learner:
    """A model that is being trained: its objective, its optimisers, and one update."""

    def __init__(
        self,
        model: Decoder,
        loss: Loss,
        world: World,
        *,
        compute: ComputeConfig,
        optimizer: optim.OptimizerConfig,
        schedule: ScheduleConfig,
        clip: float,
        zeros: bool = False,
    ) -> None:
        """Spreads and compiles.

        Args:
            clip: the longest gradient norm, 0 for no limit.
            zeros: weights that are zero now stay so.
        """
        self.model, self.world = model, world
        self._rate, self._schedule, self._clip = optimizer.rate, schedule, clip
        kind = optim.kinds(model, model.head_VD)
        objective = Objective(model, loss, world.device.type, compute.precision)
        self.compiled = _compile(objective, compute, world)
        self._objective = wrap(objective, world, compute.spread, list(model.layers))
        self.optimizers = optim.build(optimizer, model.named_parameters(), kind)
        self._zeros = Zeros(model) if zeros else None

    def update(self, pieces: Sequence[Piece], step: int, steps: int) -> Mapping[str, Tensor]:
        """Makes update number `step` (from 0) of `steps`.

        Returns:
            The means over all targets of what the loss names, with the gradient's `norm` and the
            learning `rate`; tensors, so that a GPU need not be waited for.
        """
        (targets,) = summed([sum(piece.targets for piece in pieces)], self.world)
        # DDP and FSDP take the mean over processes, and a sum is wanted.
        share = self.world.size / max(targets, 1.0)
        sums: dict[str, Tensor] = {}
        for place, piece in enumerate(pieces):
            delay_sums(self._objective, place < len(pieces) - 1)
            told = self._objective(*piece.tensors)
            (told["loss"] * share).backward()
            for name, value in told.items():
                sums[name] = sums.get(name, 0.0) + value.detach()
        norm = clip_grad_norm_(self.model.parameters(), self._clip or math.inf)
        rate = self._rate * factor(self._schedule, step, steps)
        optim.set_rate(self.optimizers, rate)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if self._zeros is not None:
            self._zeros.restore()
        means = {name: value * share for name, value in sums.items()}
        return {**means, "norm": whole(norm), "rate": torch.tensor(rate, dtype=torch.float64)}

    def measure(self, measure: Loss, *tensors: Tensor) -> Mapping[str, Tensor]:
        """Returns `measure(model, *tensors)`, in the run's precision and without gradients.

        The model is called by way of its objective, since one that is sharded knows no other; and
        eagerly, for an evaluation would not earn back its compilation.
        """
        with torch.no_grad(), torch.compiler.set_stance("force_eager"):
            told: Mapping[str, Tensor] = self._objective(*tensors, measure=measure)
        scatter(self._objective)
        return told


def _compile(objective: Objective, compute: ComputeConfig, world: World) -> str:
    """Compiles in place, and returns "compiled" or why not."""
    if not compute.compile:
        return "eager: as the settings say"
    kind, known = COMPILERS[world.device.type]
    if not any(map(shutil.which, known)):
        if world.leads:
            console.say(f"no {kind} compiler was found, so the model is not compiled: it is slower")
        return f"eager: no {kind} compiler"
    if world.size > 1 and compute.spread == "fsdp":
        # Shards are gathered by hooks between the layers, which one graph would not see.
        for layer in objective.model.layers:
            layer.compile(dynamic=False)
    else:
        objective.compile(dynamic=False)
    return "compiled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the loop calls: to write a row, to measure held-out text, to save a step."""

    record: Callable[[str, int, Mapping[str, float]], None]
    evaluate: Callable[[int], None]
    save: Callable[[int], None]


@dataclass(slots=True)
class _Pending:
    """A step whose numbers have not been read yet: reading them waits for the device."""

    step: int
    numbers: Mapping[str, Tensor]
    tokens: int
    began: float = field(default_factory=time.monotonic)


def train(
    learner: Learner,
    batches: Batches,
    hooks: Hooks,
    watch: WatchConfig,
    *,
    done: int,
    steps: int,
    stop_after: float | None = None,
) -> int:
    """Runs the updates from number `done` to `steps`, and returns how many are done then.

    Args:
        stop_after: seconds after which it saves and stops; to be resumed.

    Raises:
        UserError: the loss or the gradient is no longer a finite number.
    """
    begun = time.monotonic()
    pending = None
    for step in range(done, steps):
        pieces = batches(step)
        started = time.monotonic()
        numbers = learner.update(pieces, step, steps)
        if pending is not None:
            _settle(pending, learner.world, hooks, started)
        pending = _Pending(step + 1, numbers, sum(p.tokens for p in pieces), started)
        late = _late(begun, stop_after, learner.world)
        measures = due(step + 1, watch.evaluate_every, steps)
        saves = late or due(step + 1, watch.save_every, steps)
        if measures or saves:
            _settle(pending, learner.world, hooks, None)
            pending = None
        if measures:
            hooks.evaluate(step + 1)
        if saves:
            hooks.save(step + 1)
        if late:
            return step + 1
    return steps


@contextmanager
def repeatable(world: World) -> Iterator[None]:
    """Makes updates on a CPU give the same bits each time, with the same number of threads.

    Compiled code would otherwise sum the gradient of the embedding in the order in which threads
    come. On a GPU nothing is promised: its deterministic kernels cost speed.
    """
    memory: Any = torch.utils.deterministic  # its setting is a property, which no stub knows
    before, filled = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory
    if world.device.type == "cpu":
        torch.use_deterministic_algorithms(True)
        memory.fill_uninitialized_memory = False  # a safeguard that costs time
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        memory.fill_uninitialized_memory = filled


def due(step: int, every: int, steps: int) -> bool:
    """True where something that happens every so many steps happens after `step` of them."""
    return step == steps or (every > 0 and step % every == 0)


def _late(begun: float, stop_after: float | None, world: World) -> bool:
    if stop_after is None:
        return False
    (late,) = summed([float(time.monotonic() - begun > stop_after)], world)
    return late > 0


def _settle(pending: _Pending, world: World, hooks: Hooks, until: float | None) -> None:
    """Reads the numbers of a step, refuses a broken one, and records it."""
    names = [name for name in pending.numbers if name not in ("norm", "rate")]
    # Each process has its part of the mean already, times the number of processes.
    means = summed([float(pending.numbers[name]) / world.size for name in names], world)
    (tokens,) = summed([pending.tokens], world)
    values = dict(zip(names, means, strict=True))
    values["norm"] = float(pending.numbers["norm"])
    for name, value in values.items():
        if not math.isfinite(value):
            raise UserError(
                f"training broke down at step {pending.step}: {name} is {value}",
                hint="lower train.optimizer.rate, or warm up for longer; then resume",
            )
    values["rate"] = float(pending.numbers["rate"])
    values["tokens"] = tokens
    values["seconds"] = (until or time.monotonic()) - pending.began
    hooks.record("step", pending.step, values)
