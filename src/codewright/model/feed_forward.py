"""The feed-forward layer: SwiGLU with gate and up in one product, or GELU.

Legend: B batch, T time, D width, F inner width; `…` any leading dimensions.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from codewright.model.config import ModelConfig


class FeedForward(nn.Module):
    """down(silu(gate(x)) · up(x)), or down(gelu(up(x))).

    `up` has the rows of the gate first, then those of the value, where there is a gate.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        shape = config.feed_forward
        self.activation = shape.activation
        rows = shape.width * (2 if shape.activation == "swiglu" else 1)
        self.up = nn.Linear(config.width, rows, bias=shape.bias)
        self.down = nn.Linear(shape.width, config.width, bias=shape.bias)

    def forward(self, x_D: Tensor) -> Tensor:
        """Returns what is added to the residual stream, […, D]."""
        up_F = self.up(x_D)
        if self.activation == "swiglu":
            inner_F = gated(up_F)
        else:
            inner_F = F.gelu(up_F, approximate="tanh" if self.activation == "gelu_tanh" else "none")
        y_D: Tensor = self.down(inner_F)
        return y_D


def gated(up_F: Tensor) -> Tensor:
    """Returns silu of the first half times the second half."""
    gate_F, value_F = up_F.chunk(2, dim=-1)
    return F.silu(gate_F) * value_F
