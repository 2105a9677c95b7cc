"""The runner in torch: any model of `model/`, on a CPU or a GPU.

Legend: T rows of a step, S of them alone in their text, H query heads, G key heads, R = H/G,
K head dim, N blocks, C positions of a block, P positions that a group shares, L others, A = P + L,
M = S · R.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from codewright.engine.runner import BLOCK, Floats, Ints, Step
from codewright.engine.torch_draw import draw
from codewright.model import causal
from codewright.model.packed import PackedLinear
from codewright.model.transformer import Decoder


class TorchRunner:
    """A decoder with blocks of keys and values, in the dtype of its embedding."""

    def __init__(self, decoder: Decoder, *, blocks: int) -> None:
        """Takes a decoder that stands on its device, and makes room for `blocks` blocks."""
        config = decoder.config
        weight = decoder.embedding.weight
        self._decoder = decoder.eval()
        self._device = weight.device
        dtype = str(weight.dtype).removeprefix("torch.")
        few = {part.bits for part in decoder.modules() if isinstance(part, PackedLinear)}
        kept = "".join(f", int{bits} weights" for bits in sorted(few))
        self.name = f"torch ({weight.device.type}, {dtype}{kept})"
        self.vocabulary, self.context = config.vocabulary, config.context
        self.blocks, self.block_size = blocks, BLOCK
        self.wide = 16 if weight.device.type == "cpu" else 256
        size = (config.layers, 2, blocks, BLOCK, config.attention.kv_heads)
        self._pool = _zeros((*size, config.attention.head_dim), weight)

    @torch.inference_mode()
    def forward(self, step: Step) -> Floats:
        """Reads the rows of a step; see `Runner`."""
        memory = Paged(self._pool, step)
        ids_1T = torch.from_numpy(step.ids_T).to(self._device)[None].long()
        hidden_TD = self._decoder(ids_1T, memory).hidden_BTD[0]
        wanted_R = torch.from_numpy(step.wanted_R).to(self._device).long()
        logits_RV: Floats = self._decoder.logits(hidden_TD[wanted_R]).float().cpu().numpy()
        return logits_RV

    @torch.inference_mode()
    def copy_blocks(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Copies blocks; see `Runner`."""
        for source, copy in pairs:
            self._pool[:, :, copy] = self._pool[:, :, source]

    @torch.inference_mode()
    def draw(self, logits_RV: Floats, manners_R: NDArray[Any]) -> tuple[Ints, Floats]:
        """Draws tokens; see `Runner`."""
        logits = torch.from_numpy(np.ascontiguousarray(logits_RV)).to(self._device)
        ids_R, scores_R = draw(logits, manners_R)
        return ids_R.cpu().numpy().astype(np.int32), scores_R.cpu().numpy()

    def close(self) -> None:
        """Gives the blocks back. The runner cannot be used any more."""
        self._pool = torch.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Several rows of one text, one after the other, and its blocks."""

    rows: slice
    blocks: Tensor
    length: int
    """Positions up to the last row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Rows that are alone in their texts, which begin with the same blocks."""

    rows: Tensor
    shared: Tensor
    own_SB: Tensor
    position_S: Tensor


class Paged:
    """The blocks, for one step."""

    def __init__(self, pool: Tensor, step: Step) -> None:
        device = pool.device
        self._pool = pool
        self.position_T = torch.from_numpy(step.position_T).to(device).long()
        block_T = step.tables_SB[step.table_T, step.position_T // BLOCK].astype(np.int64)
        place_T = block_T * BLOCK + step.position_T % BLOCK
        self._place_T = torch.from_numpy(place_T).to(device)
        borders = np.flatnonzero(np.diff(step.table_T)) + 1
        starts, ends = [0, *borders.tolist()], [*borders.tolist(), len(step.ids_T)]
        alone = [start for start, end in zip(starts, ends, strict=True) if end - start == 1]
        self._groups = _groups(step, alone, device)
        self._pieces = [
            _Piece(
                rows=slice(start, end),
                blocks=_tensor(_blocks_of(step, end - 1), device),
                length=int(step.position_T[end - 1]) + 1,
            )
            for start, end in zip(starts, ends, strict=True)
            if end - start > 1
        ]

    def attend(
        self, layer: int, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor, window: int | None
    ) -> Tensor:
        """Keeps keys and values, and attends; see `Memory`."""
        for kept_NCGK, new_BGTK in zip(self._pool[layer], (k_BGTK, v_BGTK), strict=True):
            flat_GK = kept_NCGK.view(-1, *kept_NCGK.shape[2:])
            flat_GK[self._place_T] = new_BGTK[0].transpose(0, 1).to(flat_GK.dtype)
        out_HTK = torch.empty_like(q_BHTK[0])
        k_NCGK, v_NCGK = self._pool[layer]
        for piece in self._pieces:
            k_GSK, v_GSK = (
                kept[piece.blocks].flatten(0, 1)[: piece.length].transpose(0, 1)
                for kept in (k_NCGK, v_NCGK)
            )
            out_HTK[:, piece.rows] = _attend_piece(q_BHTK[0, :, piece.rows], k_GSK, v_GSK, window)
        for group in self._groups:
            q_SHK = q_BHTK[0].transpose(0, 1)[group.rows]
            y_SHK = _attend_group(q_SHK, k_NCGK, v_NCGK, group, window)
            out_HTK[:, group.rows] = y_SHK.transpose(0, 1)
        return out_HTK[None]


def _zeros(size: tuple[int, ...], like: Tensor) -> Tensor:
    """Returns zeros in the dtype and on the device of `like`."""
    if like.device.type == "cpu":
        # numpy's zeros take memory when they are written to, torch's at once.
        bits = np.zeros(size, {2: np.uint16, 4: np.uint32}[like.element_size()])
        return torch.from_numpy(bits).view(like.dtype)
    return torch.zeros(size, dtype=like.dtype, device=like.device)


def _tensor(values: NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(device).long()


def _blocks_of(step: Step, row: int) -> NDArray[np.int32]:
    blocks: NDArray[np.int32] = step.tables_SB[step.table_T[row]]
    return blocks[: step.position_T[row] // BLOCK + 1]


def _groups(step: Step, rows: Sequence[int], device: torch.device) -> list[_Group]:
    """Returns the rows in groups of those that have their first block in common."""
    by_first: dict[int, list[int]] = {}
    for row in rows:
        by_first.setdefault(int(_blocks_of(step, row)[0]), []).append(row)
    groups = []
    for members in by_first.values():
        position_S = step.position_T[members]
        blocks_SB = step.tables_SB[step.table_T[members], : position_S.max() // BLOCK + 1]
        # Blocks that every row sees to their end, and that all have in common.
        full = int(position_S.min() + 1) // BLOCK
        same = (blocks_SB[:, :full] == blocks_SB[:1, :full]).all(0)
        shared = full if same.all() else int(same.argmin())
        # Behind its end a row's list may hold anything.
        own_SB = blocks_SB[:, shared:].copy()
        behind = np.arange(shared, blocks_SB.shape[1])[None] > position_S[:, None] // BLOCK
        own_SB[behind] = 0
        groups.append(
            _Group(
                rows=_tensor(np.array(members), device),
                shared=_tensor(blocks_SB[0, :shared], device),
                own_SB=_tensor(own_SB, device),
                position_S=_tensor(position_S, device),
            )
        )
    return groups


def _attend_piece(q_HTK: Tensor, k_GSK: Tensor, v_GSK: Tensor, window: int | None) -> Tensor:
    """Attention of some rows of one text to all of it, [H, T, K].

    The queries of a key's group become rows of one query, so that keys are not repeated.
    """
    H, T, K = q_HTK.shape
    G, S = k_GSK.shape[:2]
    mask = causal.seen(T, S, window, q_HTK.device).repeat(H // G, 1)
    y_GNK = F.scaled_dot_product_attention(
        q_HTK.reshape(1, G, (H // G) * T, K), k_GSK[None], v_GSK[None], attn_mask=mask
    )
    return y_GNK.view(H, T, K)


def _attend_group(
    q_SHK: Tensor, k_NCGK: Tensor, v_NCGK: Tensor, group: _Group, window: int | None
) -> Tensor:
    """Attention to blocks that all rows share, which are read once, and to each row's own."""
    S, H, K = q_SHK.shape
    G = k_NCGK.shape[2]
    R = H // G
    q_SGRK = q_SHK.view(S, G, R, K) * K**-0.5
    shared_k_PGK, shared_v_PGK = (x[group.shared].flatten(0, 1) for x in (k_NCGK, v_NCGK))
    own_k_SLGK, own_v_SLGK = (x[group.own_SB].flatten(1, 2) for x in (k_NCGK, v_NCGK))
    P, L = shared_k_PGK.shape[0], own_k_SLGK.shape[1]
    q_GMK = q_SGRK.permute(1, 0, 2, 3).reshape(G, S * R, K)
    to_shared_GMP = q_GMK @ shared_k_PGK.permute(1, 2, 0)
    to_shared_SGRP = to_shared_GMP.view(G, S, R, P).transpose(0, 1)
    # This way round, the product in bfloat16 is a third of the time on a CPU.
    to_own_SGLR = own_k_SLGK.transpose(1, 2) @ q_SGRK.transpose(2, 3)
    score_SGRA = torch.cat((to_shared_SGRP, to_own_SGLR.transpose(2, 3)), dim=-1).float()
    place_A = torch.arange(P + L, device=q_SHK.device)
    seen_SA = place_A <= group.position_S[:, None]
    if window is not None:
        seen_SA &= place_A > group.position_S[:, None] - window
    weight_SGRA = score_SGRA.masked_fill(~seen_SA[:, None, None], float("-inf")).softmax(-1)
    weight_SGRA = weight_SGRA.to(v_NCGK.dtype)
    of_shared_GMP = weight_SGRA[..., :P].transpose(0, 1).reshape(G, S * R, P)
    y_GMK = of_shared_GMP @ shared_v_PGK.transpose(0, 1)
    y_SGRK = y_GMK.view(G, S, R, K).transpose(0, 1)
    y_SGRK = y_SGRK + weight_SGRA[..., P:] @ own_v_SLGK.transpose(1, 2)
    return y_SGRK.reshape(S, H, K)
