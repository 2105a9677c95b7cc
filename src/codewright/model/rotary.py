"""Rotary positions: each pair of a head's dimensions is turned by an angle that grows with time.

Dimension i is paired with i + K/2 (the "half" form of Llama and GPT-NeoX, not the interleaved
one of the paper: the two differ by a permutation of the rows of the query and key matrices).

Legend: B batch, H heads, T time, K head dim, P positions, J = K/2 pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn

from codewright.model.config import RotaryConfig
from codewright.model.frequencies import frequencies


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
        angle_PJ = torch.outer(position_P, torch.from_numpy(frequency_J).to(device))
        self.cos_PJ, self.sin_PJ = angle_PJ.cos() * scale, angle_PJ.sin() * scale

    def forward(self, length: int) -> tuple[Tensor, Tensor]:
        """Returns cos_TJ and sin_TJ of the first positions."""
        assert length <= self.context, f"{length} positions of {self.context}"
        return self.cos_PJ[:length], self.sin_PJ[:length]

    def at(self, position_T: Tensor) -> tuple[Tensor, Tensor]:
        """Returns cos_TJ and sin_TJ of any positions, which must be within the context."""
        return self.cos_PJ[position_T], self.sin_PJ[position_T]

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
