"""How a model on this machine is run. Known without torch, so that a command line can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from codewright.errors import UserError

Arrangement = Literal["psm", "spm"]
"""prefix, suffix, middle; or suffix, prefix, middle: see `tokens/fim.py`."""
FIM = "fim"
"""Where a checkpoint says, among its `extra`, in which order it is best shown a gap."""

Precision = Literal["auto", "float32", "bfloat16"]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """How a local model is run.

    fim: how a prompt with a suffix is laid out; None is as the checkpoint says. rows: candidates of
    one prompt that are decoded together at most. memory: bytes for keys and values in all.
    workers: batches at once. 0 for any of these three is what suits the device. precision: of
    weights and activations; auto takes bfloat16 where the machine multiplies it in hardware.
    device: auto takes a GPU where there is one.
    """

    fim: Arrangement | None = None
    rows: int = 0
    memory: int = 0
    workers: int = 0
    precision: Precision = "auto"
    device: Device = "auto"


def arrangement(name: str) -> Arrangement | None:
    """Returns the layout that a command line names; None where it names none.

    Raises:
        UserError: no layout is called so.
    """
    known: dict[str, Arrangement | None] = {"": None, "psm": "psm", "spm": "spm"}
    if name not in known:
        raise UserError(f"--fim {name!r} is unknown", hint="psm or spm")
    return known[name]
