"""GPTQ as its paper derives it: the inverse of what is left of H, made anew for each input."""

from __future__ import annotations

import numpy as np


def gptq(weight_RI, gram_II, scale_RI, largest: int, damping: float) -> np.ndarray:
    """Returns whole numbers. Optimal brain surgeon, one row and one input at a time.

    Args:
        scale_RI: the scale of each weight.
    """
    inputs = weight_RI.shape[1]
    damped = gram_II + damping * np.trace(gram_II) / inputs * np.eye(inputs)
    order = np.argsort(-np.diag(gram_II), kind="stable")
    value_RI = np.zeros(weight_RI.shape, np.int8)
    for row in range(len(weight_RI)):
        left = weight_RI[row].copy()
        for place, chosen in enumerate(order):
            remaining = order[place:]
            inverse = np.linalg.inv(damped[np.ix_(remaining, remaining)])
            scale = scale_RI[row, chosen]
            whole = np.clip(np.rint(left[chosen] / scale), -largest, largest) if scale else 0
            value_RI[row, chosen] = whole
            error = (left[chosen] - whole * scale) / inverse[0, 0]
            left[remaining] -= error * inverse[0]
    return value_RI
