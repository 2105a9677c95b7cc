"""Four-bit numbers, two in a byte, and scaled numbers multiplied out: in numpy, without torch.

A byte holds the number of an even place in its low half and the one behind it in its high half,
each plus 8. The numbers are -8 to 7.

Legend: I input dimension of a matrix (its last), G groups of inputs that share a scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def pack(value_I: NDArray[np.int8]) -> Bytes:
    """Returns bytes […, I / 2] of int8 numbers from -8 to 7; I is even."""
    assert value_I.shape[-1] % 2 == 0
    assert value_I.size == 0 or (value_I.min() >= -8 and value_I.max() <= 7)
    shifted_I = (value_I + 8).astype(np.uint8)
    high: Bytes = shifted_I[..., 1::2] * np.uint8(16)
    packed: Bytes = shifted_I[..., ::2] | high
    return packed


def unpack(packed: Bytes) -> NDArray[np.int8]:
    """Returns what was packed."""
    value_I = np.empty((*packed.shape[:-1], packed.shape[-1] * 2), np.int8)
    value_I[..., ::2] = (packed & 15).astype(np.int8) - 8
    value_I[..., 1::2] = (packed >> 4).astype(np.int8) - 8
    return value_I


def multiplied(value_I: NDArray[Any], scale_G: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns numbers times the scales of their groups, float32."""
    grouped = value_I.reshape(*scale_G.shape, -1).astype(np.float32)
    exact: NDArray[np.float32] = grouped * scale_G[..., None]
    return exact.reshape(value_I.shape)
