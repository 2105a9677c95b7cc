"""What each process of a torchrun does in test_distributed.py: one small run."""

from __future__ import annotations

import sys
from pathlib import Path

from codewright.train.loop import ComputeConfig
from codewright.train.pretrain import BudgetConfig
from tests.train import runs

STEPS = 6


def run(packed: Path, out: Path, spread: str, steps: int = STEPS) -> None:
    """Trains in float32, so that only the order of sums differs."""
    compute = ComputeConfig(precision="float32", compile=False, threads=1, spread=spread)  # type: ignore[arg-type]
    runs.run(packed, out, compute=compute, budget=BudgetConfig(steps=steps), piece=2)


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
