"""Causal self-attention with rotary positions: one product for query, key and value.

`Attention.qkv` has the rows of all query heads, then all key heads, then all value heads.
Without a memory each position sees the sequence up to itself, or its window of it; with one, what
the memory lets it see. Nothing here knows about documents or padding inside a row.

Legend: B batch, T time, D width, H query heads, G key heads, R = H/G queries of one key,
K head dim, N = H + 2G.
"""

from __future__ import annotations

from torch import Tensor, nn

from codewright.model.causal import attend
from codewright.model.config import ModelConfig
from codewright.model.layers import RMSNorm
from codewright.model.memory import Memory
from codewright.model.rotary import turn


class Attention(nn.Module):
    """The attention of one layer."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        shape = config.attention
        self.layer = layer
        self.window = config.window(layer)
        self.heads, self.kv_heads, self.head_dim = shape.heads, shape.kv_heads, shape.head_dim
        rows = (shape.heads + 2 * shape.kv_heads) * shape.head_dim
        self.qkv = nn.Linear(config.width, rows, bias=shape.qkv_bias)
        self.out = nn.Linear(shape.heads * shape.head_dim, config.width, bias=shape.out_bias)
        self.q_norm = RMSNorm(shape.head_dim, config.norm_eps) if shape.qk_norm else None
        self.k_norm = RMSNorm(shape.head_dim, config.norm_eps) if shape.qk_norm else None

    def forward(
        self, x_BTD: Tensor, rotation: tuple[Tensor, Tensor], memory: Memory | None
    ) -> Tensor:
        """Returns what is added to the residual stream, [B, T, D]."""
        B, T, _ = x_BTD.shape
        H, G, K = self.heads, self.kv_heads, self.head_dim
        qkv_BTNK = self.qkv(x_BTD).view(B, T, H + 2 * G, K)
        q_BTHK, kv_BTNK = qkv_BTNK[:, :, :H], qkv_BTNK[:, :, H:]
        k_BTGK, v_BTGK = kv_BTNK[:, :, :G], kv_BTNK[:, :, G:]
        if self.q_norm is not None and self.k_norm is not None:
            q_BTHK, k_BTGK = self.q_norm(q_BTHK), self.k_norm(k_BTGK)
        q_BHTK = turn(q_BTHK.transpose(1, 2), *rotation)
        k_BGTK = turn(k_BTGK.transpose(1, 2), *rotation)
        v_BGTK = v_BTGK.transpose(1, 2)
        if memory is None:
            y_BHTK = attend(q_BHTK, k_BGTK, v_BGTK, self.window)
        else:
            y_BHTK = memory.attend(self.layer, q_BHTK, k_BGTK, v_BGTK, self.window)
        y_BTD: Tensor = self.out(y_BHTK.transpose(1, 2).reshape(B, T, H * K))
        return y_BTD
