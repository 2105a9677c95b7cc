"""How a model on this machine is run. Known without torch, so that a command line can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from codewright.errors import UserError

Arrangement = Literal["psm", "spm"]
"""prefix, suffix, middle; or suffix, prefix, middle: see `tokens/fim.py`."""
FIM = "fim"
"""Where a checkpoint says, among its `extra`, in which order it is best shown a gap."""

CHAT = "chat"
"""Where a checkpoint says, among its `extra`, that it was made to answer in conversations."""

Precision = Literal["auto", "float32", "bfloat16", "int8", "int4"]
Device = Literal["auto", "cpu", "cuda"]
RunnerName = Literal["auto", "native", "torch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """How a local model is run.

    fim: how a prompt with a suffix is laid out; None is as the checkpoint says. runner: native is
    C on the CPU, torch anything; auto takes native where it was built, the model fits it and no GPU
    is meant. precision: of weights and activations; auto is the int8 that a checkpoint is stored
    in, or rounded from its int4, where the runner multiplies it, else bfloat16 where the machine
    does. On torch, int8 and int4 are what the weights stay in, and activations do not. device: auto
    takes a GPU where there is one. rows: texts that are written at the same time at most; memory:
    bytes for keys and values; threads: 0 for any of these three is what suits the machine. guesses:
    tokens of a text that are guessed and read along, by what stands in it before; or by the model
    on this machine that `draft` names, which has the same tokenizer.
    """

    fim: Arrangement | None = None
    runner: RunnerName = "auto"
    precision: Precision = "auto"
    device: Device = "auto"
    rows: int = 0
    memory: int = 0
    threads: int = 0
    guesses: int = 0
    draft: str = ""


def arrangement(name: str) -> Arrangement | None:
    """Returns the layout that a command line names; None where it names none.

    Raises:
        UserError: no layout is called so.
    """
    known: dict[str, Arrangement | None] = {"": None, "psm": "psm", "spm": "spm"}
    if name not in known:
        raise UserError(f"--fim {name!r} is unknown", hint="psm or spm")
    return known[name]
