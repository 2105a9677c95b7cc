"""Weights in eight or four bits: symmetric, one scale for each output channel or group of inputs.

Matrices (two or more dimensions) become whole numbers and the scales of their rows, or of groups
of neighbouring inputs in a row; norms and biases stay as they are. This is rounding to nearest and
the grids that all methods round to; what looks at data is in `gptq.py`. Arithmetic in few bits is
not done here.

In four bits the embedding and the head stay in eight: a table row is met by itself, with no sum in
which errors cancel, and the head decides between tokens.

Legend: `…` any leading dimensions, I input dimension of a matrix (its last), G groups of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from codewright.errors import ConfigError

GROUPS = (0, 16, 32, 64, 128, 256)
LARGEST = {8: 127, 4: 7}
"""The largest number by bits. The grid is symmetric: -8 is left unused."""
_DROPPED = {8: 0xFF, 4: 0xFFFF}
"""What is cut off a float32 scale: 16 significant ones stay, or the 8 of bfloat16."""
TABLES = ("embedding.weight", "head.weight")
_SHRINKS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A form of weights. group: neighbouring inputs that share a scale, 0 for a whole row."""

    bits: Literal[8, 4] = 8
    group: int = 0

    def __post_init__(self) -> None:
        if self.bits not in LARGEST:
            raise ValueError(f"weights have 8 or 4 bits, not {self.bits}")
        if self.group not in GROUPS:
            known = ", ".join(map(str, GROUPS))
            raise ValueError(f"no group has {self.group} weights: there are {known} (0: a row)")

    def of(self, name: str) -> Scheme:
        """Returns the form of the matrix `name`."""
        return INT8 if self.bits == 4 and name in TABLES else self

    def check(self, name: str, inputs: int) -> None:
        """Refuses a matrix that cannot be stored so.

        Raises:
            ConfigError: its inputs do not divide.
        """
        if self.group and inputs % self.group:
            fits = [str(group) for group in GROUPS[1:] if inputs % group == 0]
            raise ConfigError(
                f"{name} has {inputs} inputs, which groups of {self.group} do not divide",
                hint=f"groups of {', '.join(fits)} do" if fits else "take one scale a row: group 0",
            )
        if self.bits == 4 and inputs % 2:
            raise ConfigError(f"{name} has {inputs} inputs, and four bits come in pairs")


INT8 = Scheme()


class Quantized(NamedTuple):
    """Whole numbers and their scales, with weight ≈ value · scale of its group."""

    value: Tensor
    """int8, […, I]."""
    scale: Tensor
    """float32, […, G]; G is 1 where a row has one scale."""


def quantize(weight_I: Tensor, scheme: Scheme = INT8) -> Quantized:
    """Rounds weights to nearest.

    A scale is the largest magnitude of its group over 127 (or 7), rounded up to 16 significant
    bits (or to bfloat16): then the largest number times it is exact in float32, and quantising
    what was quantised changes nothing. The error of an element is at most half its scale. A group
    of zeros has the scale 0.
    """
    assert torch.isfinite(weight_I).all(), "weights must be finite"
    scale_G = scales(weight_I, scheme)
    return Quantized(rounded(weight_I, scale_G, scheme.bits), scale_G)


def dequantize(value_I: Tensor, scale_G: Tensor) -> Tensor:
    """Returns the float32 weight."""
    return (grouped(value_I, scale_G.shape[-1]).float() * scale_G[..., None]).flatten(-2)


def grouped(weight_I: Tensor, groups: int) -> Tensor:
    """Returns […, G, I / G]."""
    return weight_I.reshape(*weight_I.shape[:-1], groups, weight_I.shape[-1] // groups)


def scales(weight_I: Tensor, scheme: Scheme, shrink: float = 1.0) -> Tensor:
    """Returns the scales of groups, [..., G]: those of the largest magnitude, times `shrink`."""
    groups = weight_I.shape[-1] // scheme.group if scheme.group else 1
    largest_G = grouped(weight_I.float(), groups).abs().amax(-1)
    # By way of the bit pattern of a number above zero, which grows with it.
    bits = (largest_G * shrink / LARGEST[scheme.bits]).contiguous().view(torch.int32)
    scale_G = ((bits + _DROPPED[scheme.bits]) & ~_DROPPED[scheme.bits]).view(torch.float32)
    # A scale too small for float32's normal numbers cannot be divided by: the group is zero.
    return torch.where(scale_G < torch.finfo(torch.float32).tiny, 0.0, scale_G)


def rounded(weight_I: Tensor, scale_G: Tensor, bits: int) -> Tensor:
    """Returns the nearest whole numbers, int8; those that a scale cannot reach are cut off."""
    parts = grouped(weight_I.float(), scale_G.shape[-1])
    value = (parts / torch.where(scale_G == 0, 1.0, scale_G)[..., None]).round()
    value = (value * (scale_G != 0)[..., None]).clamp(-LARGEST[bits], LARGEST[bits])
    return value.flatten(-2).to(torch.int8)


def searched(weight_I: Tensor, importance_I: Tensor, scheme: Scheme) -> Tensor:
    """Returns the scales that make the least weighted error, of some that cut large weights off.

    For each group Σ importance · (weight - rounded)² is least over shrinks from 1 down to one
    half, so it is never more than that of `quantize`.
    """
    best = torch.full_like(scales(weight_I, scheme), torch.inf)
    chosen = torch.zeros_like(best)
    for step in range(_SHRINKS):
        scale_G = scales(weight_I, scheme, 1 - 0.5 * step / (_SHRINKS - 1))
        read_I = dequantize(rounded(weight_I, scale_G, scheme.bits), scale_G)
        error_I = (read_I - weight_I.float()).square() * importance_I
        error_G = grouped(error_I, scale_G.shape[-1]).sum(-1)
        chosen = torch.where(error_G < best, scale_G, chosen)
        best = torch.minimum(error_G, best)
    return chosen
