"""GPTQ: the fast form is that of the paper, no row is worse than rounding, whole models gain."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codewright.errors import ConfigError
from codewright.model.calibrate import in_few_bits, walk
from codewright.model.gptq import DAMPING, _compensated, errors, gptq
from codewright.model.quantize import LARGEST, Scheme, dequantize, quantize, searched
from tests.model.shapes import EVERY, config, decoder, tokens
from tests.reference.gptq import gptq as slow

SCHEMES = [Scheme(bits=4), Scheme(bits=4, group=16), Scheme(bits=8, group=32)]


def problem(seed: int, rows: int = 5, inputs: int = 64, samples: int = 90, dead: bool = False):
    """Returns a weight, and the gram matrix of inputs that go together and differ in size."""
    random = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, inputs, generator=random)
    mixing = torch.randn(inputs, inputs, generator=random) / 8 + torch.eye(inputs)
    sizes = torch.rand(inputs, generator=random) * 3
    x = torch.randn(samples, inputs, generator=random) @ mixing * sizes
    if dead:
        x[:, 3] = 0
    return weight, x.T @ x


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 10**6), st.sampled_from(SCHEMES), st.sampled_from([1, 7, 32, 64, 999]))
def test_it_is_what_the_paper_derives_whatever_the_block(seed, scheme, block):
    weight, gram = problem(seed, samples=200)
    scale = searched(weight, gram.diagonal(), scheme)
    fast = _compensated(weight.double(), gram.double(), scale, scheme.bits, block)
    of_each = scale.repeat_interleave(64 // scale.shape[1], 1).double().numpy()
    wanted = slow(
        weight.double().numpy(), gram.double().numpy(), of_each, LARGEST[scheme.bits], DAMPING
    )
    # A tie that falls the other way by a rounding error sends all behind it another way.
    same = (fast.numpy() == wanted).all(1)
    assert same.mean() >= 0.8


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(SCHEMES), st.booleans(), st.sampled_from([3, 300]))
def test_no_row_is_worse_than_rounding_to_nearest(seed, scheme, dead, samples):
    weight, gram = problem(seed, dead=dead, samples=samples)
    found = gptq(weight, gram, scheme)
    assert found.value.abs().max() <= LARGEST[scheme.bits]
    ours, nearest = errors(weight, found, gram), errors(weight, quantize(weight, scheme), gram)
    assert (ours <= nearest).all()
    off = dequantize(*found).double() - weight.double()
    np.testing.assert_allclose(ours.sum(), torch.trace(off @ gram.double() @ off.T), rtol=1e-9)


def test_it_is_much_better_where_inputs_go_together():
    weight, gram = problem(0, rows=40, samples=400)
    for scheme, least in ((Scheme(bits=4), 2.0), (Scheme(bits=4, group=16), 1.5)):
        ours = errors(weight, gptq(weight, gram, scheme), gram).sum()
        nearest = errors(weight, quantize(weight, scheme), gram).sum()
        assert nearest / ours > least


def test_inputs_that_are_never_seen_and_weights_that_were_pruned():
    weight, _ = problem(1)
    for gram in (torch.zeros(64, 64), torch.diag(torch.arange(64.0))):
        found = gptq(weight, gram, Scheme(bits=4))
        assert (dequantize(*found) - weight).abs().max() < weight.abs().max()
    weight, gram = problem(2)
    weight[:, ::2] = 0
    assert (gptq(weight, gram, Scheme(bits=4)).value[:, ::2] == 0).all()
    with pytest.raises(AssertionError, match="finite"):
        gptq(weight, gram * float("nan"), Scheme())


@pytest.mark.parametrize("case", ["llama", "multi-head, untied", "starcoder2", "qwen3"])
def test_a_layer_is_shown_what_it_meets(case):
    """The first layer's inputs are the norm of the embedding; all grams are of real inputs."""
    model = decoder(EVERY[case])
    ids = tokens(model.config, 6, 40)
    seen, text = {}, []
    walk(
        model,
        ids,
        lambda name, part, gram: seen.update({name: gram}),
        advance=lambda: text.append(1),
    )
    assert len(text) == model.config.layers
    assert set(seen) == {
        name
        for name, each in model.named_parameters()
        if name.startswith("layers.") and each.dim() > 1
    }
    with torch.no_grad():
        x = model.layers[0].attention_norm(model.embedding(ids)).flatten(0, 1)
    torch.testing.assert_close(seen["layers.0.attention.qkv.weight"], x.T @ x, atol=1e-3, rtol=1e-5)
    for name, gram in seen.items():
        assert gram.shape[0] == model.get_parameter(name).shape[1]
        assert torch.linalg.eigvalsh(gram.double()).min() > -1e-3 * gram.diagonal().max()


def test_what_is_changed_early_is_met_later():
    model, other = decoder(config()), decoder(config())
    ids, grams = tokens(model.config, 2, 30), []

    def double(name, part, gram):
        grams.append(gram)
        if name == "layers.0.feed_forward.down.weight":
            part.weight.mul_(2)

    walk(model, ids, double)
    plain = []
    walk(other, ids, lambda name, part, gram: plain.append(gram))
    same = [torch.equal(a, b) for a, b in zip(grams, plain, strict=True)]
    assert same == [True] * 4 + [False] * 8


def test_a_model_rounded_by_gptq_is_nearer_than_one_rounded_to_nearest():
    exact = decoder(config())
    ids = tokens(exact.config, 24, 60)
    with torch.no_grad():
        wanted = exact(ids).hidden_BTD
    off = {}
    for method in ("rtn", "gptq"):
        model = decoder(config())
        found = in_few_bits(model, Scheme(bits=4, group=16), method, ids)
        for name, small in found.items():
            assert torch.equal(model.get_parameter(name), dequantize(*small))
        assert torch.equal(model.embedding.weight, exact.embedding.weight)
        with torch.no_grad():
            off[method] = (model(ids).hidden_BTD - wanted).square().mean().item()
    assert off["gptq"] < 0.8 * off["rtn"]


def test_what_cannot_be_is_refused():
    mixtral = decoder(EVERY["mixtral"])
    with pytest.raises(ConfigError, match="experts cannot be calibrated"):
        in_few_bits(mixtral, Scheme(bits=4), "gptq", tokens(mixtral.config, 1, 8))
    assert in_few_bits(mixtral, Scheme(bits=4), "rtn")
    with pytest.raises(ConfigError, match="has 48 inputs, which groups of 32 do not divide"):
        in_few_bits(decoder(config()), Scheme(bits=4, group=32), "rtn")
