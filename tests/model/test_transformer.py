"""The decoder against the slow one, its gradients, its sizes, and how it compiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from codewright.model.rotary import Rotary
from codewright.model.transformer import Decoder
from tests.model.shapes import EVERY, ROTARY, changed, config, decoder, tokens
from tests.reference.decoder import SlowDecoder


def slow(model: Decoder) -> SlowDecoder:
    weights = {name: each.detach().numpy() for name, each in model.named_parameters()}
    return SlowDecoder(model.config, weights)


@pytest.mark.parametrize("case", EVERY)
def test_the_decoder_agrees_with_the_slow_one(case):
    model = decoder(EVERY[case])
    ids = tokens(model.config, 2, 21)
    with torch.no_grad():
        logits = model.logits(model(ids).hidden_BTD)
    in_training = model.logits(model(ids).hidden_BTD)  # another kernel, on a CPU
    for row in range(2):
        wanted = slow(model).logits(ids[row].tolist())
        assert wanted.std() > 0.1
        np.testing.assert_allclose(logits[row], wanted, atol=2e-4)
        np.testing.assert_allclose(in_training[row].detach(), wanted, atol=2e-4)


@pytest.mark.parametrize("case", EVERY)
def test_no_position_sees_a_later_one(case):
    model = decoder(EVERY[case])
    ids = tokens(model.config, 1, 24)
    other = ids.clone()
    other[0, 12:] = (other[0, 12:] + 1) % model.config.vocabulary
    for grad in (False, True):
        with torch.set_grad_enabled(grad):
            one, two = model(ids).hidden_BTD, model(other).hidden_BTD
        torch.testing.assert_close(one[:, :12], two[:, :12])
        assert (one[:, 12:] - two[:, 12:]).abs().amax(-1).min() > 1e-4


@pytest.mark.parametrize("grad", [False, True])
def test_a_window_ends_where_it_should(grad):
    shape = changed(config(window=6), layers=1)
    model = decoder(shape)
    ids = tokens(shape, 1, 20)
    with torch.set_grad_enabled(grad):
        whole = model(ids).hidden_BTD
        for first in (13, 14, 15):  # position 19 sees 14 to 19
            other = ids.clone()
            other[0, :first] = (other[0, :first] + 1) % shape.vocabulary
            same = torch.allclose(model(other).hidden_BTD[0, 19], whole[0, 19], atol=1e-6)
            assert same == (first <= 14)


@pytest.mark.parametrize("case", EVERY)
def test_sizes_are_counted_right(case):
    shape = EVERY[case]
    model = Decoder(shape)
    assert shape.parameters() == sum(each.numel() for each in model.parameters())
    if shape.experts is None:
        assert shape.active_parameters() == shape.parameters()
    else:
        idle = shape.experts.count - shape.experts.active
        one = 3 * shape.width * shape.feed_forward.width
        assert shape.parameters() - shape.active_parameters() == shape.layers * idle * one


def test_operations_are_those_of_the_products():
    """Counts the multiplications of one forward pass; a training step has three times as many."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    for shape in (config(), config(tied=False, kv_heads=4), config(kv_heads=1)):
        model = decoder(shape)
        ids = tokens(shape, 1, 32)
        # The counter knows the products, and not torch's fused kernel for CPUs.
        with (
            FlopCounterMode(display=False) as counter,
            torch.no_grad(),
            sdpa_kernel(SDPBackend.MATH),
        ):
            model.logits(model(ids).hidden_BTD)
        norms = (2 * shape.layers + 1) * shape.width
        said = shape.flops_per_token(32) - 6 * norms
        assert counter.get_total_flops() * 3 / 32 == pytest.approx(said, rel=1e-6)
    windowed = config(window=8)
    assert windowed.flops_per_token(32) < config().flops_per_token(32)
    assert windowed.flops_per_token(64) == windowed.flops_per_token(8)


def test_the_first_loss_is_that_of_guessing():
    for case in ("llama", "multi-head, untied", "mixtral", "starcoder2"):
        shape = changed(EVERY[case], layers=8)
        model = Decoder(shape, generator=torch.Generator().manual_seed(1))
        ids = tokens(shape, 4, 33)
        logits = model.logits(model(ids[:, :-1]).hidden_BTD)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        assert loss.item() == pytest.approx(math.log(shape.vocabulary), abs=0.05)


def test_initial_weights_come_from_the_generator_alone():
    shape = config(experts=4, biases="")
    draws = [Decoder(shape, generator=torch.Generator().manual_seed(3)) for _ in range(2)]
    for one, two in zip(*(model.parameters() for model in draws), strict=True):
        assert torch.equal(one, two)
    wide = changed(config(), width=512, layers=8)
    layer = Decoder(wide).layers[3]
    deviation = math.sqrt(2 / (5 * 512))
    assert layer.attention.qkv.weight.std().item() == pytest.approx(deviation, rel=0.05)
    assert layer.attention.out.weight.std().item() == pytest.approx(deviation / 4, rel=0.05)
    assert layer.feed_forward.down.weight.std().item() == pytest.approx(deviation / 4, rel=0.05)


def test_tables_stay_exact_when_the_model_becomes_bfloat16():
    for scaling, rotary in ROTARY.items():
        module = Rotary(rotary, 8, 64)
        cos_PJ = module.cos_PJ.clone()
        assert module.bfloat16().cos_PJ.dtype == torch.float32, scaling
        assert torch.equal(module.cos_PJ, cos_PJ)
        with torch.device("meta"):
            empty = Rotary(rotary, 8, 64)
        assert torch.equal(empty.to_empty(device="cpu").cos_PJ, cos_PJ)


@pytest.mark.parametrize("case", ["qwen3", "mixtral", "starcoder2"])
def test_half_precision_stays_close(case):
    exact = decoder(EVERY[case])
    ids = tokens(exact.config, 2, 30)
    wanted = exact(ids).hidden_BTD
    with torch.autocast("cpu", torch.bfloat16):
        mixed = exact(ids).hidden_BTD
    assert mixed.dtype == torch.float32
    with torch.no_grad():
        half = decoder(EVERY[case]).bfloat16()(ids).hidden_BTD
    assert half.dtype == torch.bfloat16
    for found in (mixed, half.float()):
        # Single positions may go to another expert; most may not.
        far = (found - wanted).norm(dim=-1) / wanted.norm(dim=-1)
        assert far.median() < 0.05


@pytest.mark.parametrize("case", ["qwen3", "mixtral"])
def test_it_compiles_whole(case):
    """No graph break in training: `fullgraph` raises at one."""
    model = decoder(changed(EVERY[case], layers=1))
    ids = tokens(model.config, 2, 16)
    compiled = torch.compile(model, fullgraph=True, dynamic=False, backend="aot_eager")
    losses, gradients = [], []
    for forward in (model, compiled):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            output = forward(ids)
        loss = output.hidden_BTD.square().mean() + output.balance
        loss.backward()
        losses.append(loss.item())
        gradients.append(
            [each.grad.clone() for each in model.parameters() if each.grad is not None]
        )
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
    for one, two in zip(*gradients, strict=True):
        assert (one - two).norm() <= 0.05 * one.norm() + 1e-6


def test_a_sequence_longer_than_the_context_is_a_defect_of_the_caller():
    model = decoder(config())
    with pytest.raises(AssertionError, match="65 positions of 64"):
        model(tokens(model.config, 1, 65))
