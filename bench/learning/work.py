"""The work of a speed run: two shapes of a Llama-like decoder, and rows of token ids.

The ids are drawn at random: what a token is changes nothing in the time that it takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SEED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A decoder with tied embedding, SwiGLU, RMS norms and rotary positions, and its batch."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int = 8192
    context: int = 512
    batch: int = 16


SHAPES = {
    "5M": Shape(layers=4, width=256, heads=4, kv_heads=4, inner=704),
    "33M": Shape(layers=10, width=512, heads=8, kv_heads=4, inner=1408, batch=8),
    "110M": Shape(
        layers=12, width=768, heads=12, kv_heads=4, inner=2304, vocabulary=32768, context=2048
    ),
}


def rows(shape: Shape, count: int) -> np.ndarray:
    """Returns `count` rows of context + 1 ids, int64."""
    return np.random.default_rng(SEED).integers(
        32, shape.vocabulary, size=(count, shape.context + 1), dtype=np.int64
    )
