"""The learning rate over a run: pure functions of the step, so that a resumed run needs no state.

Each returns a factor from 0 to 1 for the peak learning rate. Nothing here knows an optimiser.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleConfig:
    """The shape of a run's learning rate.

    name: `wsd` warms up, stays, and decays at the end (Hu et al., "MiniCPM", 2024; Hägele et al.,
    "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations", 2024); `cosine`
    falls from the peak at once (Loshchilov and Hutter, "SGDR", 2017); `constant` stays.
    warmup: steps of linear increase. decay: the share of the run that a `wsd` run decays for.
    shape: how it decays; `sqrt` is 1 - sqrt(t), which Hägele et al. found best. final: the factor
    at the end, for `wsd` and `cosine`.
    """

    name: Literal["wsd", "cosine", "constant"] = "wsd"
    warmup: int = 0
    decay: float = 0.2
    shape: Literal["sqrt", "linear"] = "sqrt"
    final: float = 0.0

    def __post_init__(self) -> None:
        if self.warmup < 0:
            raise ValueError("warmup is negative")
        if not 0 <= self.decay <= 1:
            raise ValueError("decay is a share of the run, from 0 to 1")
        if not 0 <= self.final <= 1:
            raise ValueError("final is a share of the peak, from 0 to 1")


def factor(schedule: ScheduleConfig, step: int, steps: int) -> float:
    """Returns the share of the peak learning rate for update number `step` (from 0) of `steps`.

    The first update of a warm-up of n has 1/n, so none is wasted on a rate of zero; the last
    update of a decay is one step above `final` for the same reason.
    """
    assert 0 <= step < steps, f"step {step} of {steps}"
    if step < schedule.warmup:
        return (step + 1) / schedule.warmup
    if schedule.name == "constant":
        return 1.0
    if schedule.name == "cosine":
        begin = min(schedule.warmup, steps - 1)
        share = (1 + math.cos(math.pi * (step - begin) / (steps - begin))) / 2
    else:
        length = math.ceil(schedule.decay * steps)
        begin = steps - length
        if step < begin:
            return 1.0
        share = _left((step - begin) / length, schedule.shape)
    return schedule.final + (1 - schedule.final) * share


def _left(gone: float, shape: Literal["sqrt", "linear"]) -> float:
    """Returns what is left of the rate when the share `gone` of the decay has passed."""
    return 1 - math.sqrt(gone) if shape == "sqrt" else 1 - gone
