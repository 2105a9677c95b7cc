"""Weights in eight bits, for storage: symmetric, one scale for each output channel.

Matrices (two or more dimensions) become int8 values and a float32 scale for each row; norms and
biases stay as they are. Arithmetic in eight bits is not done here.

Legend: `…` any leading dimensions, I input dimension of a matrix (its last).
"""

from __future__ import annotations

import torch
from torch import Tensor

LARGEST = 127


def quantize(weight_I: Tensor) -> tuple[Tensor, Tensor]:
    """Returns int8 values […, I] and float32 scales […, 1], with weight ≈ value · scale.

    The scale is the row's largest magnitude over 127, rounded up to 16 significant bits: then
    127 · scale is exact in float32, and quantising what was quantised changes nothing. The
    error of an element is at most half its row's scale. A row of zeros has the scale 0.
    """
    weight_I = weight_I.float()
    largest = weight_I.abs().amax(-1, keepdim=True)
    assert torch.isfinite(largest).all(), "weights must be finite"
    scale = _rounded_up(largest / LARGEST)
    # A scale too small for float32's normal numbers cannot be divided by: the row is zero.
    scale = torch.where(scale < torch.finfo(torch.float32).tiny, 0.0, scale)
    value_I = (weight_I / torch.where(scale == 0, 1.0, scale)).round() * (scale != 0)
    return value_I.clamp(-LARGEST, LARGEST).to(torch.int8), scale


def dequantize(value_I: Tensor, scale: Tensor) -> Tensor:
    """Returns the float32 weight."""
    return value_I.float() * scale


def _rounded_up(scale: Tensor) -> Tensor:
    """Rounds positive float32 numbers up to 16 significant bits, by way of their bit pattern."""
    bits = scale.contiguous().view(torch.int32)
    return ((bits + 0xFF) & ~0xFF).view(torch.float32)
