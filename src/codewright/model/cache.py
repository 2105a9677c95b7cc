"""What a decoder remembers of the tokens it has read: the keys and values of every layer.

All rows of a batch have read equally many tokens. A cache can hold one prompt for many
candidates: `expand` keeps the prompt's keys once, and each candidate adds its own behind them.
For inference only: what is written here is not differentiated through.

Legend: B batch, T new tokens, H query heads, G key heads, R = H/G, K head dim, P positions of the
shared prompt, L own positions of each row, S = P + L positions seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from codewright.model import causal
from codewright.model.config import ModelConfig

GROWTH = 256
"""The least number of positions that a buffer grows by; it at least doubles."""


@dataclass(slots=True)
class _Layer:
    """One layer's keys and values: the prompt's, and those of each row in buffers with room."""

    shared_GPK: tuple[Tensor, Tensor] | None = None
    own_BGLK: tuple[Tensor, Tensor] | None = None


class Cache:
    """The keys and values of `batch` sequences of equal length, in the dtype they come in."""

    def __init__(self, config: ModelConfig, *, batch: int = 1) -> None:
        self.batch = batch
        self.length = 0
        self._context = config.context
        self._shared = 0
        self._layers = [_Layer() for _ in range(config.layers)]

    def advance(self, count: int) -> None:
        """Says that every layer has now read `count` more tokens."""
        self.length += count

    def expand(self, count: int) -> None:
        """Makes `count` sequences of the only one there is; what it has read is kept once."""
        assert self.batch == 1, "only a cache of one sequence is expanded"
        for layer in self._layers:
            if layer.own_BGLK is None:
                continue
            whole = tuple(part[0] for part in self._own(layer, self.length - self._shared))
            if layer.shared_GPK is not None:
                pairs = zip(layer.shared_GPK, whole, strict=True)
                whole = tuple(torch.cat(pair, dim=1) for pair in pairs)
            layer.shared_GPK, layer.own_BGLK = (whole[0], whole[1]), None
        self._shared = self.length
        self.batch = count

    def select(self, rows: Tensor | list[int]) -> None:
        """Keeps the named rows, in that order; a row may be named several times."""
        device = None
        for layer in self._layers:
            if layer.own_BGLK is not None:
                device = layer.own_BGLK[0].device
                index = torch.as_tensor(rows, dtype=torch.int64, device=device)
                key, value = layer.own_BGLK
                layer.own_BGLK = key.index_select(0, index), value.index_select(0, index)
        self.batch = len(rows)

    def numbers(self) -> int:
        """Returns how many numbers all buffers hold, room included."""
        parts = (part for layer in self._layers for part in (layer.shared_GPK, layer.own_BGLK))
        return sum(part[0].numel() + part[1].numel() for part in parts if part is not None)

    def attend(
        self, layer: int, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor, window: int | None
    ) -> Tensor:
        """Adds keys and values to one layer and attends to all that it holds: [B, H, T, K]."""
        entry = self._layers[layer]
        own = self.length - self._shared
        self._append(entry, own, k_BGTK, v_BGTK)
        T = q_BHTK.shape[2]
        if self.length == 0:
            return causal.attend(q_BHTK, k_BGTK, v_BGTK, window)
        k_BGLK, v_BGLK = self._own(entry, own + T)
        if entry.shared_GPK is None:
            return _attend_own(q_BHTK, k_BGLK, v_BGLK, window)
        return _attend_both(q_BHTK, entry.shared_GPK, (k_BGLK, v_BGLK), window)

    def _own(self, layer: _Layer, length: int) -> tuple[Tensor, Tensor]:
        assert layer.own_BGLK is not None
        key, value = layer.own_BGLK
        return key[:, :, :length], value[:, :, :length]

    def _append(self, layer: _Layer, own: int, k_BGTK: Tensor, v_BGTK: Tensor) -> None:
        B, G, T, K = k_BGTK.shape
        assert self.batch == B, f"{B} rows for a cache of {self.batch}"
        room = 0 if layer.own_BGLK is None else layer.own_BGLK[0].shape[2]
        if own + T > room:
            room = min(max(own + T, 2 * room, GROWTH), max(self._context - self._shared, own + T))
            grown = k_BGTK.new_empty(B, G, room, K), v_BGTK.new_empty(B, G, room, K)
            if layer.own_BGLK is not None:
                for new, old in zip(grown, layer.own_BGLK, strict=True):
                    new[:, :, :own] = old[:, :, :own]
            layer.own_BGLK = grown
        assert layer.own_BGLK is not None
        layer.own_BGLK[0][:, :, own : own + T] = k_BGTK
        layer.own_BGLK[1][:, :, own : own + T] = v_BGTK


def _attend_own(q_BHTK: Tensor, k_BGSK: Tensor, v_BGSK: Tensor, window: int | None) -> Tensor:
    """Attention where every row has keys of its own.

    The queries of a key's group become rows of one query, so that keys are not repeated.
    """
    B, H, T, K = q_BHTK.shape
    G, S = k_BGSK.shape[1:3]
    if window is not None and window + T - 1 < S:  # what even the first query cannot see
        k_BGSK, v_BGSK = k_BGSK[:, :, S - window - T + 1 :], v_BGSK[:, :, S - window - T + 1 :]
        S = window + T - 1
    q_BGNK = q_BHTK.reshape(B, G, (H // G) * T, K)
    mask = None
    if T > 1:
        mask = causal.seen(T, S, window, q_BHTK.device).repeat(H // G, 1)
    y_BGNK = F.scaled_dot_product_attention(q_BGNK, k_BGSK, v_BGSK, attn_mask=mask)
    return y_BGNK.view(B, H, T, K)


def _attend_both(
    q_BHTK: Tensor,
    shared_GPK: tuple[Tensor, Tensor],
    own_BGLK: tuple[Tensor, Tensor],
    window: int | None,
) -> Tensor:
    """Attention to a prompt that all rows share, and to each row's own keys.

    The queries of all rows meet the prompt in one product, so its keys are read once.
    """
    B, H, T, K = q_BHTK.shape
    k_GPK, v_GPK = shared_GPK
    k_BGLK, v_BGLK = own_BGLK
    G, P, L = k_GPK.shape[0], k_GPK.shape[1], k_BGLK.shape[2]
    drop = 0 if window is None else min(P, max(0, P + L - window - T + 1))
    k_GPK, v_GPK, P = k_GPK[:, drop:], v_GPK[:, drop:], P - drop
    N = (H // G) * T
    q_BGNK = q_BHTK.reshape(B, G, N, K) * K**-0.5
    q_GMK = q_BGNK.transpose(0, 1).reshape(G, B * N, K)
    to_shared_GMP = q_GMK @ k_GPK.transpose(1, 2)
    to_shared_BGNP = to_shared_GMP.view(G, B, N, P).transpose(0, 1)
    # This way round, the product in bfloat16 is a third of the time on a CPU.
    to_own_BGNL = (k_BGLK @ q_BGNK.transpose(2, 3)).transpose(2, 3)
    score_BGNS = torch.cat((to_shared_BGNP, to_own_BGNL), dim=-1).float()
    if T > 1 or window is not None:
        seen_TS = causal.seen(T, P + L, window, q_BHTK.device)
        score_BGNS = score_BGNS.masked_fill(~seen_TS.repeat(H // G, 1), float("-inf"))
    weight_BGNS = score_BGNS.softmax(-1).to(v_GPK.dtype)
    of_shared_BGNP, of_own_BGNL = weight_BGNS[..., :P], weight_BGNS[..., P:]
    of_shared_GMP = of_shared_BGNP.transpose(0, 1).reshape(G, B * N, P)
    y_BGNK: Tensor = (of_shared_GMP @ v_GPK).view(G, B, N, K).transpose(0, 1)
    y_BGNK = y_BGNK + of_own_BGNL @ v_BGLK
    return y_BGNK.reshape(B, H, T, K)
