"""The chunked cross-entropy against torch's own, and how much of the logits exists at a time."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from codewright.train.losses import cross_entropy, token_losses


def plain(hidden, head, targets, ignore, z_loss):
    """All logits at once, gradients by autograd."""
    logits = (hidden @ head.T).float()
    nll = F.cross_entropy(logits, targets, ignore_index=ignore, reduction="sum")
    z = logits.logsumexp(1).square()[targets != ignore].sum()
    return nll + z_loss * z, nll


def made(tokens, width, vocabulary, seed, dtype=torch.float32):
    noise = torch.Generator().manual_seed(seed)
    hidden = torch.randn(tokens, width, generator=noise).to(dtype).requires_grad_()
    head = torch.randn(vocabulary, width, generator=noise).to(dtype).requires_grad_()
    return hidden, head, torch.randint(0, vocabulary, (tokens,), generator=noise)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 33),
    st.integers(1, 9),
    st.integers(2, 40),
    st.integers(1, 40),
    st.sampled_from([0.0, 1e-4, 0.1]),
    st.integers(0, 1000),
)
def test_value_and_gradients_are_those_of_plain_cross_entropy(
    tokens, width, vocabulary, chunk, z_loss, seed
):
    hidden, head, targets = made(tokens, width, vocabulary, seed, torch.float64)
    ignore = int(targets[0])  # so that something is ignored, sometimes everything
    total, nll = cross_entropy(hidden, head, targets, ignore=ignore, z_loss=z_loss, chunk=chunk)
    (3 * total).backward()
    found = hidden.grad.clone(), head.grad.clone()
    hidden.grad = head.grad = None
    wanted, wanted_nll = plain(hidden, head, targets, ignore, z_loss)
    (3 * wanted).backward()
    torch.testing.assert_close(total, wanted.float(), rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(nll, wanted_nll.float(), rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(found[0], hidden.grad, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found[1], head.grad, rtol=1e-4, atol=1e-4)


def test_where_all_is_ignored_nothing_is_lost_or_learned():
    hidden, head, _ = made(7, 4, 11, 0)
    total, nll = cross_entropy(hidden, head, torch.full((7,), 4), ignore=4, z_loss=0.1, chunk=3)
    total.backward()
    assert total.item() == nll.item() == 0
    assert not hidden.grad.any()
    assert not head.grad.any()


def test_huge_logits_stay_finite():
    hidden, head, targets = made(5, 4, 11, 0)
    total, _ = cross_entropy(hidden * 1e4, head * 1e4, targets, z_loss=1e-4)
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(hidden.grad).all()


def test_in_bfloat16_the_gradients_are_near():
    hidden, head, targets = made(64, 16, 50, 1)
    with torch.autocast("cpu", torch.bfloat16):
        total, _ = cross_entropy(hidden, head, targets, chunk=20)
    total.backward()
    found = hidden.grad.clone(), head.grad.clone()
    hidden.grad = head.grad = None
    wanted, _ = plain(hidden, head, targets, -100, 0.0)
    wanted.backward()
    # 8 bits of mantissa: each product is off by up to 1/256 of its largest terms.
    assert total.item() == pytest.approx(wanted.item(), rel=0.01)
    for one, other in zip(found, (hidden.grad, head.grad), strict=True):
        assert (one - other).norm() < 0.02 * other.norm()


class _Largest(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.numbers = max(self.numbers, result.numel())
        return result


def test_the_logits_of_all_tokens_are_never_there_at_once():
    hidden, head, targets = made(256, 4, 300, 0)
    with _Largest() as seen:
        cross_entropy(hidden, head, targets, chunk=32)[0].backward()
        token_losses(hidden, head, targets, chunk=32).sum().backward()
    assert seen.numbers == 32 * 300


def test_the_loss_of_each_token_and_its_gradient():
    hidden, head, targets = made(21, 5, 17, 2)
    weights = torch.linspace(-1, 2, 21)
    losses = token_losses(hidden, head, targets, chunk=8)
    (losses * weights).sum().backward()
    found = hidden.grad.clone(), head.grad.clone()
    hidden.grad = head.grad = None
    wanted = F.cross_entropy(hidden @ head.T, targets, reduction="none")
    (wanted * weights).sum().backward()
    torch.testing.assert_close(losses, wanted)
    torch.testing.assert_close(found[0], hidden.grad)
    torch.testing.assert_close(found[1], head.grad)
    with torch.no_grad():
        torch.testing.assert_close(token_losses(hidden, head, targets, chunk=8), wanted)


def test_without_gradients_none_are_made():
    hidden, head, targets = made(21, 5, 17, 2)
    with torch.no_grad():
        total, nll = cross_entropy(hidden, head, targets, chunk=8)
    assert not total.requires_grad
    assert total.item() == pytest.approx(nll.item())
