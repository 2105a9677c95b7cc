"""Rounding that lets the weights still to come make up for the error: GPTQ.

Frantar et al. 2023, "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
Transformers", algorithm 1. A layer's outputs on calibration inputs X are off by
tr(E H Eᵀ), with E the weights' error and H = X Xᵀ. Inputs are rounded one after the other, and each
error is spread over those that are left: w_F ← w_F - (w_q - round(w_q)) · U_qF / U_qq, where
U is the upper Cholesky factor of H⁻¹, whose row q is that of the inverse of what is left of H.

Inputs with the largest H_qq come first ("act-order"); scales are fixed before, each group's by a
search under diag(H), so that order and groups do not get into each other's way. A row of the
matrix does not touch another one, so each keeps what is best for it: this, or rounding to nearest.
That makes it a law that no row is worse on its calibration inputs than rounding to nearest.

Legend: R rows, I inputs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from codewright.model.quantize import Quantized, Scheme, dequantize, quantize, rounded, searched

DAMPING = 0.01
"""What is added to the diagonal of H, as a share of its mean: the paper's."""
BLOCK = 128
"""Inputs after which the rest of the matrix is brought up to date."""


def gptq(weight_RI: Tensor, gram_II: Tensor, scheme: Scheme, *, block: int = BLOCK) -> Quantized:
    """Returns the weights of a linear layer in few bits.

    Args:
        weight_RI: float32.
        gram_II: H, the sum of x xᵀ over calibration inputs x; at any scale.
        scheme: bits and groups.
        block: makes no difference but in time.
    """
    assert torch.isfinite(weight_RI).all(), "weights must be finite"
    assert torch.isfinite(gram_II).all(), "what comes in must be finite"
    weight_RI, gram_II = weight_RI.double(), gram_II.double()
    importance_I = gram_II.diagonal()
    scale_RG = searched(weight_RI, importance_I.float(), scheme)
    nearest = quantize(weight_RI, scheme)
    tries = [
        nearest,
        Quantized(rounded(weight_RI, scale_RG, scheme.bits), scale_RG),
        Quantized(_compensated(weight_RI, gram_II, scale_RG, scheme.bits, block), scale_RG),
    ]
    errors_3R = torch.stack([errors(weight_RI, each, gram_II) for each in tries])
    best_R = errors_3R.argmin(0)
    value_RI, scale_RG = tries[0]
    for place, each in enumerate(tries[1:], start=1):
        wins_R1 = (best_R == place)[:, None]
        value_RI = torch.where(wins_R1, each.value, value_RI)
        scale_RG = torch.where(wins_R1, each.scale, scale_RG)
    return Quantized(value_RI, scale_RG)


def errors(weight_RI: Tensor, read: Quantized, gram_II: Tensor) -> Tensor:
    """Returns e H eᵀ of each row: how far its outputs are off, squared and summed over inputs."""
    off_RI = dequantize(*read).double() - weight_RI.double()
    return ((off_RI @ gram_II.double()) * off_RI).sum(1)


def _compensated(
    weight_RI: Tensor, gram_II: Tensor, scale_RG: Tensor, bits: int, block: int
) -> Tensor:
    inputs = weight_RI.shape[1]
    diagonal_I = gram_II.diagonal()
    order = diagonal_I.argsort(descending=True, stable=True)
    gram_II = gram_II[order][:, order].clone()
    # An input that was always zero has no say; a one keeps H invertible.
    mean = diagonal_I.mean()
    gram_II.diagonal().add_(DAMPING * torch.where(mean > 0, mean, 1.0))
    inverse_II = torch.cholesky_inverse(torch.linalg.cholesky(gram_II))
    upper_II = torch.linalg.cholesky(inverse_II, upper=True)
    left_RI = weight_RI[:, order].clone()
    # Each input's scales, in the order in which inputs are rounded.
    scale_RI = scale_RG.repeat_interleave(inputs // scale_RG.shape[1], 1)[:, order]
    # What was pruned stays zero, and its error is made up for like any other.
    there_RI = left_RI != 0
    value_RI = torch.empty_like(left_RI, dtype=torch.int8)
    for start in range(0, inputs, block):
        end = min(start + block, inputs)
        spread_RB = torch.empty_like(left_RI[:, start:end])
        for place in range(start, end):
            column_R1, scale_R1 = left_RI[:, place : place + 1], scale_RI[:, place : place + 1]
            value_R1 = rounded(column_R1, scale_R1, bits) * there_RI[:, place : place + 1]
            value_RI[:, place : place + 1] = value_R1
            error_R1 = (column_R1 - value_R1 * scale_R1.double()) / upper_II[place, place]
            left_RI[:, place:end] -= error_R1 * upper_II[place, place:end]
            spread_RB[:, place - start : place - start + 1] = error_R1
        left_RI[:, end:] -= spread_RB @ upper_II[start:end, end:]
    back = order.argsort()
    return value_RI[:, back]
