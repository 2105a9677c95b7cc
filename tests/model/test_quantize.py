"""Eight and four bits: how far off, that twice is once, and what searching for scales is worth."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from codewright.errors import ConfigError
from codewright.model.packing import multiplied, pack, unpack
from codewright.model.quantize import (
    GROUPS,
    LARGEST,
    Scheme,
    dequantize,
    quantize,
    rounded,
    scales,
    searched,
)

SCHEMES = [Scheme(bits=bits, group=group) for bits in (8, 4) for group in (0, 16, 32)]


def weights(most: float = 2.0**100) -> st.SearchStrategy[np.ndarray]:
    shape = st.tuples(st.integers(1, 5), st.sampled_from([32, 64]))
    return arrays.arrays(np.float32, shape, elements=st.floats(-most, most, width=32))


@settings(deadline=None, max_examples=200)
@given(weights(), st.sampled_from(SCHEMES))
def test_an_error_is_at_most_half_a_step_and_twice_is_once(weight, scheme):
    exact = torch.from_numpy(weight)
    value, scale = quantize(exact, scheme)
    groups = exact.shape[-1] // scheme.group if scheme.group else 1
    assert value.dtype == torch.int8
    assert value.abs().max() <= LARGEST[scheme.bits]
    assert scale.shape == (*exact.shape[:-1], groups)
    read = dequantize(value, scale)
    np.testing.assert_array_equal(multiplied(value.numpy(), scale.numpy()), read.numpy())
    tiny = torch.finfo(torch.float32).tiny * LARGEST[scheme.bits]  # groups below become zeros
    bound = scale.repeat_interleave(exact.shape[-1] // groups, -1) * 0.5001
    assert ((read - exact).abs() <= torch.maximum(bound, torch.tensor(tiny))).all()
    again, same = quantize(read, scheme)
    assert torch.equal(again, value)
    assert torch.equal(same, scale)
    if scheme.bits == 4:
        assert torch.equal(scale.bfloat16().float(), scale)


@pytest.mark.parametrize("leading", [(3,), (2, 3)])
def test_stacks_of_matrices_are_rounded_like_each_alone(leading):
    exact = torch.randn(*leading, 64, generator=torch.Generator().manual_seed(0))
    for scheme in SCHEMES:
        whole = quantize(exact, scheme)
        rows = [quantize(row[None], scheme) for row in exact.reshape(-1, 64)]
        assert torch.equal(whole.value.reshape(-1, 64), torch.cat([row.value for row in rows]))
        assert torch.equal(
            dequantize(*whole).reshape(-1, 64), torch.cat([dequantize(*r) for r in rows])
        )


@given(st.floats(2.0**-100, 2.0**100, width=32))
def test_a_scale_is_no_larger_than_it_must_be(largest):
    weight = torch.tensor([[largest, -largest / 2]])
    for bits, slack in ((8, 1e-4), (4, 2**-7)):
        scale = scales(weight, Scheme(bits=bits)).item()
        assert largest / LARGEST[bits] <= scale * (1 + 1e-6)
        assert scale <= largest / LARGEST[bits] * (1 + slack)


def test_each_row_and_each_group_has_its_own_scale():
    weight = torch.tensor([[1.0, -0.5], [1000.0, 1.0], [0.0, 0.0]])
    value, scale = quantize(weight)
    assert value.tolist() == [[127, -63], [127, 0], [0, 0]]
    assert scale[2].item() == 0.0
    assert (dequantize(value, scale)[0] - weight[0]).abs().max() < 0.005
    apart = torch.cat((torch.full((1, 16), 7.0), torch.full((1, 16), 0.007)), 1)
    assert quantize(apart, Scheme(bits=4)).value[0, 16:].tolist() == [0] * 16
    assert quantize(apart, Scheme(bits=4, group=16)).value[0].tolist() == [7] * 32


@settings(deadline=None, max_examples=50)
@given(weights(1.0), st.integers(0, 2**31), st.sampled_from(SCHEMES))
def test_searched_scales_are_never_worse_for_a_group_than_those_of_the_largest(
    weight, seed, scheme
):
    exact = torch.from_numpy(weight)
    worth = torch.rand(exact.shape[-1], generator=torch.Generator().manual_seed(seed))
    found = searched(exact, worth, scheme)

    def error(scale: torch.Tensor) -> torch.Tensor:
        read = dequantize(rounded(exact, scale, scheme.bits), scale)
        return ((read - exact).square() * worth).reshape(*scale.shape, -1).sum(-1)

    assert (error(found) <= error(scales(exact, scheme)) * (1 + 1e-5)).all()


def test_four_bits_are_packed_and_come_back():
    every = np.arange(-8, 8, dtype=np.int8)
    pairs = np.stack(np.meshgrid(every, every), -1).reshape(16, 32)
    assert pack(pairs).shape == (16, 16)
    np.testing.assert_array_equal(unpack(pack(pairs)), pairs)
    assert pack(np.array([[0, -8]], np.int8)).tolist() == [[8]]
    with pytest.raises(AssertionError):
        pack(np.array([[8, 0]], np.int8))
    with pytest.raises(AssertionError):
        pack(np.zeros((2, 3), np.int8))


def test_what_cannot_be_is_said():
    with pytest.raises(AssertionError, match="finite"):
        quantize(torch.tensor([[1.0, float("nan")]]))
    for wrong in ({"bits": 3}, {"group": 48}, {"group": -1}):
        with pytest.raises(ValueError, match="weights"):
            Scheme(**wrong)
    with pytest.raises(
        ConfigError, match="704 inputs, which groups of 128 do not divide"
    ) as caught:
        Scheme(group=128).check("down", 704)
    assert caught.value.hint == "groups of 16, 32, 64 do"
    with pytest.raises(ConfigError, match="61 inputs") as caught:
        Scheme(group=GROUPS[1]).check("odd", 61)
    assert "group 0" in caught.value.hint
    with pytest.raises(ConfigError, match="four bits come in pairs"):
        Scheme(bits=4).check("odd", 61)
    assert Scheme(bits=4, group=32).of("embedding.weight") == Scheme()
