"""Who sees whom: causal attention, its mask and its window, for grouped heads.

Legend: B batch, T time, H query heads, G key heads, K head dim, S positions seen.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from codewright.model import blocked


def attend(q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor, window: int | None) -> Tensor:
    """Returns causal attention within one sequence, [B, H, T, K].

    By torch's kernel, or by our own where a CPU trains. For the former keys are repeated for
    their group: its own `enable_gqa` is no faster.
    """
    T = q_BHTK.shape[2]
    if q_BHTK.device.type == "cpu" and torch.is_grad_enabled() and q_BHTK.requires_grad:
        return blocked.attend(q_BHTK, k_BGTK, v_BGTK, window)
    group = q_BHTK.shape[1] // k_BGTK.shape[1]
    k_BHTK, v_BHTK = repeat(k_BGTK, group), repeat(v_BGTK, group)
    if window is None or window >= T:
        return F.scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, is_causal=True)
    seen_TT = seen(T, T, window, q_BHTK.device)
    return F.scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, attn_mask=seen_TT)


def repeat(x_BGTK: Tensor, group: int) -> Tensor:
    """Returns [B, H, T, K]: each key head `group` times in a row."""
    if group == 1:
        return x_BGTK
    B, G, T, K = x_BGTK.shape
    return x_BGTK.unsqueeze(2).expand(B, G, group, T, K).reshape(B, G * group, T, K)


def seen(length: int, total: int, window: int | None, device: torch.device) -> Tensor:
    """Returns [T, S], true where the last `length` of `total` positions see a position."""
    to_S = torch.arange(total, device=device)
    from_T1 = torch.arange(total - length, total, device=device)[:, None]
    seen_TS = to_S <= from_T1
    return seen_TS if window is None else seen_TS & (to_S > from_T1 - window)
