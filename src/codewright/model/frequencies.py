"""How fast each pair of a head's dimensions turns, and how that is stretched over a longer context.

"dynamic" scaling is left out on purpose: its angles depend on the length of the sequence, so
keys that were cached at one length are wrong at another. No torch here: every runner of a model
takes its angles from this module.

Legend: P positions, K head dim, J = K/2 pairs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from codewright.model.config import RotaryConfig

Floats = NDArray[np.float32]


def tables(config: RotaryConfig, head_dim: int, context: int) -> tuple[Floats, Floats]:
    """Returns the cosines and the sines of all positions, [P, J] each."""
    frequency_J, scale = frequencies(config, head_dim)
    angle_PJ = np.outer(np.arange(context, dtype=np.float32), frequency_J)
    return np.cos(angle_PJ) * np.float32(scale), np.sin(angle_PJ) * np.float32(scale)


def frequencies(config: RotaryConfig, head_dim: int) -> tuple[Floats, float]:
    """Returns radians per position for each pair [J], and a factor on cosine and sine."""
    exponent_J = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
    power_J = np.float64(config.base) ** exponent_J.astype(np.float64)
    plain_J = np.float32(1.0) / power_J.astype(np.float32)
    if config.scaling == "linear":
        return plain_J / np.float32(config.factor), 1.0
    if config.scaling == "llama3":
        return _llama3(config, plain_J), 1.0
    if config.scaling == "yarn":
        return _yarn(config, plain_J, head_dim)
    return plain_J, 1.0


def _llama3(config: RotaryConfig, plain_J: Floats) -> Floats:
    """Slow pairs are stretched, fast ones left, those between blended (Llama 3.1)."""
    turns_J = config.original_context * plain_J / (2 * math.pi)
    span = config.high_frequency - config.low_frequency
    keep_J = np.clip((turns_J - config.low_frequency) / span, 0, 1)
    return _blended(plain_J, keep_J, config.factor)


def _yarn(config: RotaryConfig, plain_J: Floats, head_dim: int) -> tuple[Floats, float]:
    """As `_llama3`, but the blend is linear in the dimension (Peng et al. 2023, section 3.2)."""

    def dimension(turns: float) -> float:
        ratio = config.original_context / (turns * 2 * math.pi)
        return head_dim * math.log(ratio) / (2 * math.log(config.base))

    low, high = dimension(config.beta_fast), dimension(config.beta_slow)
    if config.truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, head_dim - 1)
    if low == high:
        high += 0.001  # a step, not a division by zero
    index_J = np.arange(head_dim // 2, dtype=np.float32)
    keep_J = 1 - np.clip((index_J - low) / (high - low), 0, 1)
    scale = config.attention_factor
    if scale is None:
        scale = 0.1 * math.log(config.factor) + 1.0 if config.factor > 1 else 1.0
    return _blended(plain_J, keep_J, config.factor), scale


def _blended(plain_J: Floats, keep_J: Floats, factor: float) -> Floats:
    stretched_J: Floats = plain_J * keep_J + plain_J / factor * (1 - keep_J)
    return stretched_J.astype(np.float32)
