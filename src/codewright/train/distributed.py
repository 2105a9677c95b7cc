"""One process or many: what torchrun started, joined by DDP or FSDP2.

`join` makes the process group that the environment describes, `wrap` spreads an objective over it,
`whole` gathers a tensor. Alone, each of them costs nothing. Communication is gloo on CPUs and NCCL
on GPUs. Nothing here starts processes: `torchrun` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, distributed, nn
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from codewright.errors import ConfigError

Spread = Literal["ddp", "fsdp"]
"""`ddp`: every process holds all weights. `fsdp`: each holds a part of weights and optimiser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """This process among those that train together."""

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")  # noqa: RUF009 - a torch.device never changes

    @property
    def leads(self) -> bool:
        """True in the one process that writes files and talks."""
        return self.rank == 0


@contextmanager
def join() -> Iterator[World]:
    """Joins the processes that torchrun started, or stays alone where it started none."""
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if "TORCHELASTIC_RUN_ID" not in os.environ or size == 1:
        yield World(device=device)
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(rank=rank, size=size, device=device)
    finally:
        distributed.destroy_process_group()


def wrap(
    objective: nn.Module, world: World, spread: Spread, layers: Sequence[nn.Module]
) -> nn.Module:
    """Returns `objective`, spread over the processes; `layers` are sharded one by one.

    Gradients come out as means over the processes.

    Raises:
        ConfigError: `spread` has no such form.
    """
    if world.size == 1:
        return objective
    if spread == "ddp":
        return DistributedDataParallel(objective)
    if spread != "fsdp":
        raise ConfigError(f"no way to spread is called {spread}", hint="ddp or fsdp")
    for layer in layers:
        fully_shard(layer)
    fully_shard(objective)  # in place
    return objective


def delay_sums(objective: nn.Module, delay: bool) -> None:
    """Says whether gradients stay local in the coming backward pass, as all but the last do."""
    if isinstance(objective, DistributedDataParallel):
        objective.require_backward_grad_sync = not delay
    elif isinstance(objective, FSDPModule):
        objective.set_requires_gradient_sync(not delay)


def scatter(objective: nn.Module) -> None:
    """Gives back what a forward pass gathered, where no backward pass follows that would."""
    if isinstance(objective, FSDPModule):
        objective.reshard()


def summed(values: Sequence[float], world: World) -> list[float]:
    """Returns each value's sum over the processes."""
    if world.size == 1:
        return list(values)
    tensor = torch.tensor(values, dtype=torch.float64, device=world.device)
    distributed.all_reduce(tensor)
    return [float(value) for value in tensor.tolist()]


def barrier(world: World) -> None:
    """Waits until every process is here."""
    if world.size > 1:
        distributed.barrier()


def whole(tensor: Tensor) -> Tensor:
    """Returns all of a tensor that may be spread over processes; every process has to call it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def spread_like(tensor: Tensor, like: Tensor) -> Tensor:
    """Spreads a whole tensor as `like` is spread."""
    if isinstance(like, DTensor):
        return distribute_tensor(tensor, like.device_mesh, like.placements)
    return tensor
