"""Eight bits: how far off, and that twice is once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from codewright.model.quantize import dequantize, quantize

WEIGHTS = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=3, max_side=9),
    elements=st.floats(-(2.0**100), 2.0**100, width=32),
)


@settings(deadline=None, max_examples=300)
@given(WEIGHTS)
def test_an_error_is_at_most_half_a_step_and_twice_is_once(weight):
    exact = torch.from_numpy(weight)
    value, scale = quantize(exact)
    assert value.dtype == torch.int8
    assert scale.shape == (*exact.shape[:-1], 1)
    read = dequantize(value, scale)
    tiny = torch.finfo(torch.float32).tiny * 127  # rows below are stored as zeros
    bound = torch.maximum(scale * 0.5001, torch.tensor(tiny))
    assert ((read - exact).abs() <= bound).all()
    again, same = quantize(read)
    assert torch.equal(again, value)
    assert torch.equal(same, scale)


@given(st.floats(2.0**-100, 2.0**100, width=32))
def test_a_scale_is_no_larger_than_it_must_be(largest):
    _, scale = quantize(torch.tensor([[largest, -largest / 2]]))
    assert largest / 127 <= scale.item() * (1 + 1e-6) <= largest / 127 * (1 + 1e-4)


def test_each_row_has_its_own_scale():
    weight = torch.tensor([[1.0, -0.5], [1000.0, 1.0], [0.0, 0.0]])
    value, scale = quantize(weight)
    assert value.tolist() == [[127, -63], [127, 0], [0, 0]]
    assert scale[2].item() == 0.0
    assert (dequantize(value, scale)[0] - weight[0]).abs().max() < 0.005


def test_a_weight_that_is_no_number_is_a_defect():
    with pytest.raises(AssertionError, match="finite"):
        quantize(torch.tensor([[1.0, float("nan")]]))
