"""Attention by blocks against plain attention in float64, forward and backward."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.model import blocked, causal


def plain(q, k, v, window):
    """Softmax of masked scores, as it is written in textbooks."""
    group = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
    scores = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5
    time = torch.arange(q.shape[2])
    seen = time[None] <= time[:, None]
    if window is not None:
        seen &= time[None] > time[:, None] - window
    return scores.masked_fill(~seen, -torch.inf).softmax(-1) @ v


def draw(batch, heads, kv_heads, length, dtype=torch.float64, size=8):
    generator = torch.Generator().manual_seed(length)
    return [
        # As a model makes them: the heads of one position lie together.
        torch.randn(batch, length, each, size, generator=generator, dtype=torch.float64)
        .to(dtype)
        .transpose(1, 2)
        .requires_grad_()
        for each in (heads, kv_heads, kv_heads)
    ]


def both(function, inputs, window, dy):
    y = function(*inputs, window)
    return [y, *torch.autograd.grad(y, inputs, dy.to(y.dtype))]


@settings(deadline=None, max_examples=40)
@given(
    batch=st.integers(1, 3),
    kv_heads=st.integers(1, 3),
    group=st.integers(1, 3),
    length=st.integers(1, 40),
    window=st.none() | st.integers(1, 50),
    block=st.integers(1, 45),
    piece=st.integers(1, 4000),
)
def test_blocks_of_any_size_give_plain_attention(
    batch, kv_heads, group, length, window, block, piece
):
    inputs = draw(batch, kv_heads * group, kv_heads, length)
    dy = torch.randn(inputs[0].shape, dtype=torch.float64)
    wanted = both(plain, inputs, window, dy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocked, "BLOCK", block)
        patch.setattr(blocked, "PIECE", piece)
        found = both(blocked.attend, inputs, window, dy)
    for one, two in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize("window", [None, 70])
def test_its_error_in_bfloat16_is_that_of_torch(window):
    exact = draw(2, 4, 2, 300, size=32)
    dy = torch.randn(2, 4, 300, 32)
    wanted = both(plain, exact, window, dy)
    rounded = [each.detach().bfloat16().requires_grad_() for each in exact]

    def by_torch(q, k, v, window):
        mask = causal.seen(300, 300, window, q.device)
        k, v = causal.repeat(k, 2), causal.repeat(v, 2)
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    errors = [
        [
            ((one.double() - two).norm() / two.norm()).item()
            for one, two in zip(both(function, rounded, window, dy), wanted, strict=True)
        ]
        for function in (blocked.attend, by_torch)
    ]
    for ours, theirs in zip(*errors, strict=True):
        assert ours < 1.6 * theirs
        assert ours < 0.01


def test_the_operators_keep_torchs_contract():
    """Shapes for the compiler are those of the kernel; nothing returned is an input."""
    for batch, heads, kv_heads, length, window in ((2, 4, 2, 20, 20), (1, 3, 3, 9, 4)):
        q, k, v = (each.detach() for each in draw(batch, heads, kv_heads, length))
        torch.library.opcheck(torch.ops.codewright.blocked_attention, (q, k, v, window))
        y, weight = torch.ops.codewright.blocked_attention(q, k, v, window)
        torch.library.opcheck(
            torch.ops.codewright.blocked_attention_backward, (y, q, k, v, weight, window)
        )


def test_it_is_what_trains_on_a_cpu_and_only_there(monkeypatch):
    q, k, v = draw(1, 2, 2, 12)
    called = []
    monkeypatch.setattr(blocked, "attend", lambda *given: called.append(given))
    causal.attend(q, k, v, 5)
    assert called == [(q, k, v, 5)]
    with torch.no_grad():
        torch.testing.assert_close(causal.attend(q, k, v, 5), plain(q, k, v, 5))
    assert len(called) == 1
