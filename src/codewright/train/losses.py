"""Cross-entropy over a large vocabulary, without the logits of all tokens at once.

`cross_entropy` computes logits, loss and gradients chunk of tokens by chunk, so that a chunk's
logits stay in the cache and are never kept for the backward pass (the idea of Wijmans et al.,
"Cut Your Losses in Large-Vocabulary Language Models", 2024, and of Liger's fused linear
cross-entropy). `token_losses` gives the loss of each token. Both return nats, and sums rather than
means: whoever accumulates several batches knows the number of targets of all of them.

Shapes: N tokens (batch and time as one), C tokens of a chunk, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

IGNORE = -100
"""A target that counts for nothing."""

CHUNK, CHUNK_GPU = 1024, 16_384
"""Tokens of a chunk on a CPU, whose caches then hold its logits, and on a GPU, which wants work."""


def cross_entropy(
    hidden_ND: Tensor,
    head_VD: Tensor,
    targets_N: Tensor,
    *,
    ignore: int = IGNORE,
    z_loss: float = 0.0,
    chunk: int = 0,
) -> tuple[Tensor, Tensor]:
    """Returns (what to minimise, log-loss), both sums over the targets in nats, float32.

    The first is the log-loss plus `z_loss` · Σ log² Z, which keeps the normaliser Z near 1
    (Chowdhery et al., "PaLM", 2022, section 5, with 1e-4). Only it has a gradient. Products are
    made in the precision of autocast, softmax and sums in float32; the gradient of the head is
    summed over the chunks in float32.

    Args:
        ignore: the target that counts for nothing.
        chunk: tokens whose logits exist at a time; 0 for what suits the device.
    """
    chunk = chunk or _chunk(hidden_ND)
    wanted = torch.is_grad_enabled() and (hidden_ND.requires_grad or head_VD.requires_grad)
    total, nll = _CrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden_ND, head_VD, targets_N, ignore, z_loss, chunk, wanted
    )
    return total, nll


class _CrossEntropy(torch.autograd.Function):
    """Makes the gradients in the forward pass: the logits are there, and would be gone later."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: Tensor,
        head_VD: Tensor,
        targets_N: Tensor,
        ignore: int,
        z_loss: float,
        chunk: int,
        wanted: bool,
    ) -> tuple[Tensor, Tensor]:
        total = hidden_ND.new_zeros((), dtype=torch.float32)
        nll = torch.zeros_like(total)
        into_head_VD = torch.zeros_like(head_VD, dtype=torch.float32) if wanted else None
        into_hidden = []
        for hidden_CD, targets_C in _chunks(hidden_ND, targets_N, chunk):
            logits_CV = functional.linear(hidden_CD, head_VD)
            precision = logits_CV.dtype
            logits_CV = logits_CV.float()
            counts_C = targets_C != ignore
            known_C1 = torch.where(counts_C, targets_C, 0).unsqueeze(1)
            log_z_C = torch.logsumexp(logits_CV, 1)
            loss_C = torch.where(counts_C, log_z_C - logits_CV.gather(1, known_C1).squeeze(1), 0.0)
            penalty_C = torch.where(counts_C, z_loss * log_z_C.square(), 0.0)
            nll = nll + loss_C.sum()
            total = total + (loss_C + penalty_C).sum()
            if into_head_VD is None:
                continue
            # d/dlogits of (log Z - logit_target + z · log² Z), by p = exp(logits - log Z)
            slope_C1 = (1 + 2 * z_loss * log_z_C).unsqueeze(1)
            into_CV = torch.exp(logits_CV - log_z_C.unsqueeze(1)) * slope_C1
            places_V = torch.arange(into_CV.shape[1], device=into_CV.device)
            into_CV = into_CV - (places_V == known_C1).float()
            into_CV = torch.where(counts_C.unsqueeze(1), into_CV, 0.0).to(precision)
            into_hidden.append((into_CV @ head_VD).to(hidden_ND.dtype))
            into_head_VD += into_CV.T @ hidden_CD
        if into_head_VD is not None:
            ctx.save_for_backward(torch.cat(into_hidden), into_head_VD.to(head_VD.dtype))
        ctx.mark_non_differentiable(nll)
        return total, nll

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        into_hidden_ND, into_head_VD = ctx.saved_tensors
        scaled = (into * gradient.to(into.dtype) for into in (into_hidden_ND, into_head_VD))
        return (*scaled, None, None, None, None, None)


def token_losses(
    hidden_ND: Tensor, head_VD: Tensor, targets_N: Tensor, *, chunk: int = 0
) -> Tensor:
    """Returns -log p of each target in nats: losses_N, float32. Differentiable.

    No target is ignored here. Where gradients are wanted, each chunk's logits are made a second
    time in the backward pass.
    """
    chunks = _chunks(hidden_ND, targets_N, chunk or _chunk(hidden_ND))
    if torch.is_grad_enabled():
        parts = [checkpoint(_losses, h, head_VD, t, use_reentrant=False) for h, t in chunks]
    else:
        parts = [_losses(h, head_VD, t) for h, t in chunks]
    return torch.cat(parts)


def _chunk(tensor: Tensor) -> int:
    return CHUNK if tensor.device.type == "cpu" else CHUNK_GPU


def _chunks(hidden_ND: Tensor, targets_N: Tensor, chunk: int) -> Iterable[tuple[Tensor, Tensor]]:
    return zip(torch.split(hidden_ND, chunk), torch.split(targets_N, chunk), strict=True)


def _losses(hidden_CD: Tensor, head_VD: Tensor, targets_C: Tensor) -> Tensor:
    logits_CV = functional.linear(hidden_CD, head_VD).float()
    return functional.cross_entropy(logits_CV, targets_C, reduction="none")
