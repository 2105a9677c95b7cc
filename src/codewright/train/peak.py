"""What a machine could compute at most, so that a run can say how much of it it used.

A GPU that is known is looked up; of everything else a large matrix product is timed. The figure and
where it is from go into the run's metrics. Nothing here is cached: a run keeps it in its run.json.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch

SIZE = 2048
SECONDS = 0.5

KNOWN: Mapping[str, float] = {
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
}
"""Dense bfloat16 operations per second, from NVIDIA's data sheets; the first that fits counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """Floating-point operations per second, and how they are known."""

    flops: float
    source: str


def peak(device: torch.device, precision: str) -> Peak:
    """Returns the most that `device` computes in `precision` ("bf16" or "float32")."""
    if device.type == "cuda" and precision == "bf16":
        name = torch.cuda.get_device_name(device)
        for known, flops in KNOWN.items():
            if all(word in name for word in known.split()):
                return Peak(flops=flops, source=f"data sheet of the {known}")
    return Peak(flops=_timed(device, precision), source=f"a {SIZE}³ matrix product, timed")


def _timed(device: torch.device, precision: str) -> float:
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    # Constants, not noise: the run's random states must not depend on whether this was measured.
    a = torch.full((SIZE, SIZE), 0.5, dtype=kind, device=device)
    b, least, until = a.clone(), float("inf"), time.monotonic() + SECONDS
    while time.monotonic() < until or least == float("inf"):
        _wait(device)
        began = time.perf_counter()
        torch.mm(a, b)
        _wait(device)
        least = min(least, time.perf_counter() - began)
    return 2.0 * SIZE**3 / least


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
