"""Rotary positions: each pair of a head's dimensions is turned by an angle that grows with time.

Dimension i is paired with i + K/2 (the "half" form of Llama and GPT-NeoX, not the interleaved
one of the paper: the two differ by a permutation of the rows of the query and key matrices).

"dynamic" scaling is left out on purpose: its angles depend on the length of the sequence, so
keys that were cached at one length are wrong at another.

Legend: B batch, H heads, T time, K head dim, P positions, J = K/2 pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn

from codewright.model.config import RotaryConfig


class Rotary(nn.Module):
    """The tables of cosines and sines, kept in float32 whatever the model's dtype becomes."""

    cos_PJ: Tensor
    sin_PJ: Tensor

    def __init__(self, config: RotaryConfig, head_dim: int, context: int) -> None:
        super().__init__()
        self.config = config
        self.head_dim = head_dim
        self.context = context
        self.register_buffer("cos_PJ", torch.empty(context, head_dim // 2), persistent=False)
        self.register_buffer("sin_PJ", torch.empty(context, head_dim // 2), persistent=False)
        self.fill()

    def fill(self) -> None:
        """Computes the tables on the device where they are."""
        device = self.cos_PJ.device
        if device.type == "meta":
            return
        position_P = torch.arange(self.context, dtype=torch.float32, device=device)
        frequency_J, scale = frequencies(self.config, self.head_dim)
        angle_PJ = torch.outer(position_P, frequency_J.to(device))
        self.cos_PJ, self.sin_PJ = angle_PJ.cos() * scale, angle_PJ.sin() * scale

    def forward(self, start: int, length: int) -> tuple[Tensor, Tensor]:
        """Returns cos_TJ and sin_TJ of the positions from `start`."""
        assert start + length <= self.context, f"{start + length} positions of {self.context}"
        return self.cos_PJ[start : start + length], self.sin_PJ[start : start + length]

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        # .to(bfloat16) would round the tables; .to_empty() leaves them unfilled.
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.cos_PJ, self.sin_PJ = self.cos_PJ.float(), self.sin_PJ.float()
        self.fill()
        return self


def turn(x_BHTK: Tensor, cos_TJ: Tensor, sin_TJ: Tensor) -> Tensor:
    """Rotates queries or keys, in float32; returns the dtype that came in."""
    first_BHTJ, second_BHTJ = x_BHTK.float().chunk(2, dim=-1)
    turned_BHTK = torch.cat(
        (
            first_BHTJ * cos_TJ - second_BHTJ * sin_TJ,
            second_BHTJ * cos_TJ + first_BHTJ * sin_TJ,
        ),
        dim=-1,
    )
    return turned_BHTK.to(x_BHTK.dtype)


def frequencies(config: RotaryConfig, head_dim: int) -> tuple[Tensor, float]:
    """Returns radians per position for each pair [J], and a factor on cosine and sine."""
    exponent_J = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
    plain_J = 1.0 / config.base**exponent_J
    if config.scaling == "linear":
        return plain_J / config.factor, 1.0
    if config.scaling == "llama3":
        return _llama3(config, plain_J), 1.0
    if config.scaling == "yarn":
        return _yarn(config, plain_J, head_dim)
    return plain_J, 1.0


def _llama3(config: RotaryConfig, plain_J: Tensor) -> Tensor:
    """Slow pairs are stretched, fast ones left, those between blended (Llama 3.1)."""
    turns_J = config.original_context * plain_J / (2 * math.pi)
    span = config.high_frequency - config.low_frequency
    keep_J = ((turns_J - config.low_frequency) / span).clamp(0, 1)
    return plain_J * keep_J + plain_J / config.factor * (1 - keep_J)


def _yarn(config: RotaryConfig, plain_J: Tensor, head_dim: int) -> tuple[Tensor, float]:
    """As `_llama3`, but the blend is linear in the dimension (Peng et al. 2023, section 3.2)."""

    def dimension(turns: float) -> float:
        ratio = config.original_context / (turns * 2 * math.pi)
        return head_dim * math.log(ratio) / (2 * math.log(config.base))

    low, high = dimension(config.beta_fast), dimension(config.beta_slow)
    if config.truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, head_dim - 1)
    if low == high:
        high += 0.001  # a step, not a division by zero
    index_J = torch.arange(head_dim // 2, dtype=torch.float32)
    keep_J = 1 - ((index_J - low) / (high - low)).clamp(0, 1)
    scale = config.attention_factor
    if scale is None:
        scale = 0.1 * math.log(config.factor) + 1.0 if config.factor > 1 else 1.0
    return plain_J * keep_J + plain_J / config.factor * (1 - keep_J), scale
