"""Causal attention for training on a CPU, by blocks of queries and plain batched products.

torch's own kernel for CPUs reaches a tenth of the speed of its matrix products in bfloat16. Here
a block of queries meets the keys that it may see in one product, and all heads of one key are
rows of that product, so that keys are not repeated and what lies above the diagonal is mostly
never computed. The weights are kept for the backward pass: B · H · T² / 2 numbers a layer.
Scores are rounded to the inputs' dtype before the softmax, whose sums are in float32.

One opaque operator: `torch.compile` does not look into it, so its loops cost no compile time.

Legend: B batch, T time, H query heads, G key heads, R = H/G, K head dim, N = B·G, M = T·R query
rows in the order (time, head), W numbers in all blocks of weights, Q queries in a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

BLOCK = 128
"""Queries in a block: measured, as the next; half or twice as many cost about the same."""
PIECE = 4_000_000
"""Scores computed at once: as many key heads of as many sequences as give about that many."""


class _Piece(NamedTuple):
    """Some key heads, a block of their queries, and the keys that it sees."""

    heads: slice
    rows: slice
    keys: slice
    weights: slice
    """Where the block's weights lie among all."""


def attend(q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor, window: int | None) -> Tensor:
    """Returns causal attention within one sequence, [B, H, T, K], with a gradient."""
    length = q_BHTK.shape[2]
    y_BTHK: Tensor = _forward(q_BHTK, k_BGTK, v_BGTK, window or length)[0]
    return y_BTHK.transpose(1, 2)


@torch.library.custom_op("codewright::blocked_attention", mutates_args=())
def _forward(q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor, window: int) -> tuple[Tensor, Tensor]:
    B, H, T, K = q_BHTK.shape
    G = k_BGTK.shape[1]
    q_NMK, k_NTK, v_NTK = _fold(q_BHTK, G), _fold(k_BGTK, G), _fold(v_BGTK, G)
    y_NMK = torch.empty_like(q_NMK)
    weight_W = q_NMK.new_empty(_size(B, H, T, window))
    with torch.autocast("cpu", enabled=False):
        for piece in _plan(B, G, H // G, T, window):
            heads, rows, keys = piece.heads, piece.rows, piece.keys
            score = _scaled(q_NMK[heads, rows], k_NTK[heads, keys].transpose(1, 2), K**-0.5)
            _hide(score, H // G, window)
            weight = weight_W[piece.weights].view(score.shape)
            torch.softmax(score, -1, out=weight)
            y_NMK[heads, rows] = torch.bmm(weight, v_NTK[heads, keys])
    return _unfold(y_NMK, B, T).transpose(1, 2).contiguous(), weight_W


@_forward.register_fake
def _(q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor, window: int) -> tuple[Tensor, Tensor]:
    B, H, T, K = q_BHTK.shape
    return q_BHTK.new_empty(B, T, H, K), q_BHTK.new_empty(_size(B, H, T, window))


@torch.library.custom_op("codewright::blocked_attention_backward", mutates_args=())
def _backward(
    dy_BTHK: Tensor,
    q_BHTK: Tensor,
    k_BGTK: Tensor,
    v_BGTK: Tensor,
    weight_W: Tensor,
    window: int,
) -> tuple[Tensor, Tensor, Tensor]:
    B, H, T, K = q_BHTK.shape
    G, scale = k_BGTK.shape[1], K**-0.5
    q_NMK, k_NTK, v_NTK = _fold(q_BHTK, G), _fold(k_BGTK, G), _fold(v_BGTK, G)
    dy_NMK = _fold(dy_BTHK.transpose(1, 2), G)
    dq_NMK = torch.empty_like(q_NMK)
    wide = torch.promote_types(k_NTK.dtype, torch.float32)  # they sum over blocks
    dk_NTK, dv_NTK = (torch.zeros(k_NTK.shape, dtype=wide) for _ in range(2))
    with torch.autocast("cpu", enabled=False):
        for piece in _plan(B, G, H // G, T, window):
            heads, rows, keys = piece.heads, piece.rows, piece.keys
            dy, k, v = dy_NMK[heads, rows], k_NTK[heads, keys], v_NTK[heads, keys]
            weight = weight_W[piece.weights].view(len(dy), dy.shape[1], k.shape[1])
            dv_NTK[heads, keys] += torch.bmm(weight.transpose(1, 2), dy)
            dweight = torch.bmm(dy, v.transpose(1, 2))
            dscore = torch.ops.aten._softmax_backward_data(dweight, weight, -1, weight.dtype)
            dq_NMK[heads, rows] = _scaled(dscore, k, scale)
            dk_NTK[heads, keys] += _scaled(dscore.transpose(1, 2), q_NMK[heads, rows], scale)
    dk_BGTK, dv_BGTK = (x.to(q_BHTK.dtype).view(B, G, T, K) for x in (dk_NTK, dv_NTK))
    return _unfold(dq_NMK, B, T).contiguous(), dk_BGTK, dv_BGTK


@_backward.register_fake
def _(
    dy_BTHK: Tensor,
    q_BHTK: Tensor,
    k_BGTK: Tensor,
    v_BGTK: Tensor,
    weight_W: Tensor,
    window: int,
) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = (x.new_empty(x.shape) for x in (q_BHTK, k_BGTK, v_BGTK))
    return q, k, v


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs[:3], output[1])
    ctx.window = inputs[3]


@partial(_forward.register_autograd, setup_context=_keep)
def _differentiate(ctx: Any, dy_BTHK: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    return (*_backward(dy_BTHK, *ctx.saved_tensors, ctx.window), None)


def _plan(B: int, G: int, R: int, T: int, window: int) -> Iterator[_Piece]:
    start = 0
    for first, last, key in _blocks(T, window):
        each = (last - first) * R * (last - key)
        count = max(1, PIECE // each)
        for head in range(0, B * G, count):
            heads = min(count, B * G - head)
            yield _Piece(
                heads=slice(head, head + heads),
                rows=slice(first * R, last * R),
                keys=slice(key, last),
                weights=slice(start, start + heads * each),
            )
            start += heads * each


def _blocks(T: int, window: int) -> Iterator[tuple[int, int, int]]:
    """Yields (first query, last query + 1, first key) of each block."""
    for first in range(0, T, BLOCK):
        yield first, min(first + BLOCK, T), max(0, first - window + 1)


def _size(B: int, H: int, T: int, window: int) -> int:
    return B * H * sum((last - first) * (last - key) for first, last, key in _blocks(T, window))


def _fold(x_BHTK: Tensor, G: int) -> Tensor:
    """Makes the heads of one key rows of one matrix, [N, M, K]."""
    B, H, T, K = x_BHTK.shape
    return x_BHTK.reshape(B, G, H // G, T, K).transpose(2, 3).reshape(B * G, -1, K)


def _unfold(x_NMK: Tensor, B: int, T: int) -> Tensor:
    """Undoes `_fold`: [B, H, T, K]."""
    N, M, K = x_NMK.shape
    return x_NMK.view(B, N // B, T, M // T, K).transpose(2, 3).reshape(B, -1, T, K)


def _hide(score_NMS: Tensor, R: int, window: int) -> None:
    """Writes -inf where a block's query does not see a key: beyond itself, before its window."""
    queries, keys = score_NMS.shape[1] // R, score_NMS.shape[2]
    query_M1 = torch.arange(queries * R)[:, None] // R + keys - queries
    own_S = torch.arange(keys - queries, keys)
    score_NMS[:, :, keys - queries :].masked_fill_(own_S > query_M1, float("-inf"))
    gone_S = torch.arange(max(0, keys - window))  # what even the last query cannot see
    score_NMS[:, :, : len(gone_S)].masked_fill_(gone_S <= query_M1 - window, float("-inf"))


def _scaled(left: Tensor, right: Tensor, scale: float) -> Tensor:
    """Returns left @ right · scale, scaled before it is rounded."""
    empty = left.new_empty(len(left), left.shape[1], right.shape[2])
    return torch.baddbmm(empty, left, right, beta=0, alpha=scale)
