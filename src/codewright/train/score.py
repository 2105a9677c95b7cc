"""How well a model predicts held-out text: perplexity and bits per byte, by directory.

Bits per byte are the sum of -log2 p over the tokens of a text divided by its bytes, so models with
different tokenizers can be compared (Gao et al., "The Pile", 2020, section 3.1). Nothing here
samples or trains.

Legend: B batch, T time, D width, N tokens of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from codewright import console
from codewright.corpus.loader import HeldOut, Loader
from codewright.errors import DataError
from codewright.model.transformer import Decoder
from codewright.train.losses import token_losses


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScore:
    """One directory of held-out text. nats: the sum of -log p over its tokens."""

    name: str
    nats: float
    tokens: int
    bytes: int

    @property
    def perplexity(self) -> float:
        """Returns e to the mean loss of a token."""
        return math.exp(self.nats / self.tokens)

    @property
    def bits_per_byte(self) -> float:
        """Returns the bits that the model needs for a byte of the text."""
        return self.nats / math.log(2) / self.bytes

    def to_dict(self) -> dict[str, Any]:
        """Returns the score as JSON values."""
        return {
            "name": self.name,
            "tokens": self.tokens,
            "bytes": self.bytes,
            "loss": self.nats / self.tokens,
            "perplexity": self.perplexity,
            "bits_per_byte": self.bits_per_byte,
        }


def total(groups: Sequence[GroupScore]) -> GroupScore:
    """Returns all groups as one."""
    return GroupScore(
        name="all",
        nats=math.fsum(group.nats for group in groups),
        tokens=sum(group.tokens for group in groups),
        bytes=sum(group.bytes for group in groups),
    )


def score(
    model: Decoder, packed: Path, *, pad: int, batch: int = 8, precision: str = "bf16"
) -> list[GroupScore]:
    """Measures `model` on all held-out rows of a packed folder, group by group.

    Raises:
        DataError: the folder holds no held-out rows, or is damaged.
    """
    held = HeldOut(packed)
    if not held.rows:
        raise DataError(
            f"{packed} holds no text kept from training",
            hint="set pack.held above 0 and pack again",
        )
    sums, device = np.zeros((len(held.groups), 2)), model.head_VD.device
    measure, bf16 = row_losses(pad), precision == "bf16"
    with console.progress("scoring held-out text", total=held.rows, unit="rows") as told:
        for start in range(0, held.rows, batch):
            rows = np.arange(start, min(start + batch, held.rows))
            ids = torch.from_numpy(held.take(rows).astype(np.int64)).to(device)
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                sums_B = measure(model, ids)
            both_B2 = torch.stack([sums_B["nats"], sums_B["targets"].double()], 1)
            np.add.at(sums, held.group_of_row[rows], both_B2.cpu().numpy())
            told.advance(len(rows))
    return [
        GroupScore(name=group.name, nats=float(nats), tokens=int(count), bytes=group.bytes)
        for group, (nats, count) in zip(held.groups, sums, strict=True)
    ]


def sampled(
    model: Decoder, packed: Path, *, rows: int, batch: int = 4, precision: str = "float32"
) -> float:
    """Returns the bits per byte of some held-out rows, evenly chosen.

    The bytes of the chosen rows are taken to be as many a token as those of all rows.

    Raises:
        DataError: the folder holds no held-out rows, or is damaged.
    """
    held, pad = HeldOut(packed), int(Loader(packed, batch=1, seed=0).facts["pad"])
    if not held.rows:
        raise DataError(f"{packed} holds no text kept from training", hint="pack again with some")
    chosen = np.unique(np.linspace(0, held.rows - 1, min(rows, held.rows)).astype(np.int64))
    measure, device = row_losses(pad), model.head_VD.device
    nats, targets = 0.0, 0
    for start in range(0, len(chosen), batch):
        taken = held.take(chosen[start : start + batch]).astype(np.int64)
        ids = torch.from_numpy(taken).to(device)
        with (
            torch.no_grad(),
            torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"),
        ):
            told = measure(model, ids)
        nats, targets = nats + float(told["nats"].sum()), targets + int(told["targets"].sum())
    tokens = sum(group.tokens for group in held.groups)
    per_token = sum(group.bytes for group in held.groups) / max(tokens, 1)
    return nats / targets / math.log(2) / per_token


def row_losses(pad: int) -> Callable[[Decoder, Tensor], Mapping[str, Tensor]]:
    """Returns what makes, of a model and rows [B, T + 1], each row's `nats` and `targets`."""

    def measure(model: Decoder, rows: Tensor) -> Mapping[str, Tensor]:
        ids_BT, targets_BT = rows[:, :-1], rows[:, 1:]
        hidden_BTD = model(ids_BT).hidden_BTD
        losses_N = token_losses(hidden_BTD.flatten(0, 1), model.head_VD, targets_BT.flatten())
        counts_BT = targets_BT != pad
        losses_BT = losses_N.view_as(targets_BT).double() * counts_BT
        return {"nats": losses_BT.sum(1), "targets": counts_BT.sum(1)}

    return measure
