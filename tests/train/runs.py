"""A small run of pre-training, to be started in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from codewright.model import checkpoint
from codewright.train.loop import ComputeConfig, WatchConfig
from codewright.train.optim import OptimizerConfig
from codewright.train.pretrain import BudgetConfig, TrainConfig, Trained, pretrain
from codewright.train.schedule import ScheduleConfig
from tests.train import made

STEPS = 40


def settings(**changed: Any) -> TrainConfig:
    """Returns the settings of the run."""
    given: dict[str, Any] = {
        "batch": 6,
        "piece": 4,
        "seed": 3,
        "budget": BudgetConfig(steps=STEPS),
        "compute": ComputeConfig(compile=False, threads=1),
        "optimizer": OptimizerConfig(name="muon", rate=0.01),
        "schedule": ScheduleConfig(warmup=5),
        "watch": WatchConfig(
            evaluate_every=7, evaluate_rows=4, save_every=4, keep=2, tensorboard=False, plot=False
        ),
        **changed,
    }
    return TrainConfig(**given)


def run(packed: Path, out: Path, **changed: Any) -> Trained:
    """Trains, or goes on training."""
    torch.set_num_threads(1)
    return pretrain(settings(**changed), made.config(), packed, out)


def weights(trained: Trained | Path) -> dict[str, torch.Tensor]:
    """Returns the weights that a run ended with."""
    folder = trained if isinstance(trained, Path) else trained.checkpoint
    model, _ = checkpoint.load(folder)
    return {name: p.detach() for name, p in model.named_parameters()}
