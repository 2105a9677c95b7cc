"""Weights that become zero: a share of each matrix, or N of every M neighbouring inputs.

The score of a weight is its magnitude, or that times the norm of its input over calibration text,
|W_ij| · ‖X_j‖₂ (Wanda: Sun et al. 2024, "A Simple and Effective Pruning Approach for Large Language
Models", equation 1). As there, by Wanda's score the weights of one output are compared with
each other, by magnitude those of a matrix. The shape of the model stays, and so does its
size on disk; no runner here skips zeros.

Legend: R outputs, I inputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn

from codewright.errors import ConfigError
from codewright.model.calibrate import walk
from codewright.model.transformer import Decoder

By = Literal["magnitude", "wanda"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparsity:
    """How much becomes zero: a share, or all but `keep` of every `of` neighbours."""

    share: float = 0.0
    keep: int = 0
    of: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `0.5`, or `2:4`.

        Raises:
            ConfigError: it is neither.
        """
        if found := re.fullmatch(r"(\d{1,3}):(\d{1,3})", text):
            keep, of = int(found[1]), int(found[2])
            if 0 < keep < of:
                return cls(keep=keep, of=of)
        elif re.fullmatch(r"0?\.\d+", text) and float(text) > 0:
            return cls(share=float(text))
        raise ConfigError(
            f"--sparsity {text!r} says nothing",
            hint="a share between 0 and 1, such as 0.5, or how many stay of how many, such as 2:4",
        )


def sparsify(
    model: Decoder,
    sparsity: Sparsity,
    by: By,
    ids_BT: Tensor | None = None,
    *,
    advance: Callable[[], None] | None = None,
) -> float:
    """Makes weights of the linear layers zero, in place, and returns the share that is zero then.

    Args:
        ids_BT: rows of text, which `wanda` needs.

    Raises:
        ConfigError: a width is no multiple of the group, or the model cannot be calibrated.
    """
    parts = [
        (f"{name}.weight", part)
        for name, part in model.layers.named_modules(prefix="layers")
        if isinstance(part, nn.Linear)
    ]
    for name, part in parts:
        if sparsity.of and part.in_features % sparsity.of:
            raise ConfigError(
                f"{name} has {part.in_features} inputs, no multiple of {sparsity.of}",
                hint="take a share, or another group",
            )

    def visit(name: str, part: nn.Linear, gram_II: Tensor) -> None:
        score_RI = part.weight.abs() * gram_II.diagonal().sqrt()
        part.weight.mul_(kept(score_RI, sparsity, rows=True))

    if by == "wanda":
        assert ids_BT is not None, "wanda needs text"
        walk(model, ids_BT, visit, advance=advance)
    else:
        with torch.no_grad():
            for _, part in parts:
                part.weight.mul_(kept(part.weight.abs(), sparsity, rows=False))
    zeros = sum(int((part.weight == 0).sum()) for _, part in parts)
    return zeros / max(sum(part.weight.numel() for _, part in parts), 1)


def kept(score_RI: Tensor, sparsity: Sparsity, *, rows: bool) -> Tensor:
    """Returns 1 where a weight stays and 0 elsewhere; the lowest scores go.

    Args:
        rows: weights are compared within a row, and not within the matrix.
    """
    if sparsity.of:
        score_RGM = score_RI.reshape(score_RI.shape[0], -1, sparsity.of)
        gone = score_RGM.argsort(dim=-1, stable=True)[..., : sparsity.of - sparsity.keep]
        mask_RGM = torch.ones_like(score_RGM).scatter_(-1, gone, 0.0)
        return mask_RGM.reshape(score_RI.shape)
    score_XI = score_RI if rows else score_RI.reshape(1, -1)
    count = round(sparsity.share * score_XI.shape[1])
    gone = score_XI.argsort(dim=-1, stable=True)[:, :count]
    return torch.ones_like(score_XI).scatter_(-1, gone, 0.0).reshape(score_RI.shape)
