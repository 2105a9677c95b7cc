"""Norms, and the scheme by which weights are initialised.

Norms are computed in float32 whatever comes in, and give back the dtype that came in.

Legend: B batch, T time, D width; `…` any leading dimensions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codewright.model.config import ModelConfig


class RMSNorm(nn.Module):
    """x / sqrt(mean(x²) + eps) · weight (Zhang and Sennrich 2019)."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x_D: Tensor) -> Tensor:
        y_D = x_D.float()
        y_D = y_D * torch.rsqrt(y_D.square().mean(-1, keepdim=True) + self.eps)
        return (y_D * self.weight).to(x_D.dtype)


class LayerNorm(nn.Module):
    """(x - mean) / sqrt(variance + eps) · weight + bias (Ba et al. 2016)."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x_D: Tensor) -> Tensor:
        # The kernel keeps its sums in float32 for every input dtype.
        return F.layer_norm(x_D, self.weight.shape, self.weight, self.bias, self.eps)


def make_norm(config: ModelConfig) -> RMSNorm | LayerNorm:
    """Returns a norm over the width."""
    kind = RMSNorm if config.norm == "rms" else LayerNorm
    return kind(config.width, config.norm_eps)


def initialise(
    weight: Tensor, config: ModelConfig, *, residual: bool, generator: torch.Generator | None
) -> None:
    """Fills a matrix in place with normal noise.

    Standard deviation sqrt(2 / (5 · width)) (Nguyen and Salazar 2019), and for the matrices that
    write into the residual stream that over sqrt(2 · layers), so that the stream's variance at
    the start does not grow with depth (Radford et al. 2019, GPT-2, section 2.3).
    """
    deviation = (2 / (5 * config.width)) ** 0.5
    if residual:
        deviation /= (2 * config.layers) ** 0.5
    nn.init.normal_(weight, std=deviation, generator=generator)
