"""Drawing under a constraint that is asked token by token, as a mask of all would cost too much.

What is drawn is distributed as `sampling.draw` draws from logits with every forbidden token at
-inf. A token is drawn from all that are left, and looked at; one that is forbidden, or outside of
the nucleus, is taken out, and another is drawn with a fresh random number: what is kept then has
its share of what may be kept. Whether a token is in the nucleus of what is allowed is decided by
looking at the tokens that are more probable, and at others only until the rest cannot change the
answer. So a sure model costs one look, and an unsure one several.

Shapes: V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codewright.engine.sampling import COLDEST, key, uniforms
from codewright.errors import UserError

SORTED = 256
"""Tokens that are sorted at first; the others only where those do not decide."""

Permits = Callable[[int], bool]


def draw(logits_V: NDArray[np.float32], manner: Any, permits: Permits) -> tuple[int, float]:
    """Draws a token that is permitted; returns it, and the log of what the model gave it.

    Args:
        logits_V: -inf forbids a token without asking; not written to.
        manner: `sampling.MANNER`.
        permits: tells whether a token may be drawn.

    Raises:
        UserError: none may.
    """
    exact_V = logits_V.astype(np.float64) - float(logits_V.max())
    log_total = float(np.log(np.exp(exact_V).sum()))
    if manner["temperature"] < COLDEST:
        token = _best(exact_V, permits)
    else:
        token = _drawn(exact_V / float(manner["temperature"]), manner, permits)
    return token, float(logits_V[token]) - float(logits_V.max()) - log_total


def _best(exact_V: NDArray[np.float64], permits: Permits) -> int:
    while True:
        token = int(exact_V.argmax())
        if exact_V[token] == -np.inf:
            raise stuck()
        if permits(token):
            return token
        exact_V[token] = -np.inf


def stuck() -> UserError:
    """Returns what is said where no token may come next."""
    return UserError(
        "the grammar leaves nothing to write", hint="look for a part of it that no text can have"
    )


def _drawn(scaled_V: NDArray[np.float64], manner: Any, permits: Permits) -> int:
    bounds = float(manner["top_p"]), int(manner["top_k"]), float(manner["min_p"])
    step_R = np.array([manner["step"]])
    attempt = 0
    while (top := float(scaled_V.max())) > -np.inf:
        left_V = np.exp(scaled_V - top)
        # What is so much less probable that it has no weight counts once all others are out.
        scaled_V[left_V > 0] = -np.inf
        field = Field(left_V.copy(), permits)
        while left_V.any():
            # A key of its own for each attempt: there is no saying how many there will be.
            key_R = np.array([key(int(manner["key"]), attempt)], np.uint64)
            running_V = np.cumsum(left_V)
            place = float(uniforms(key_R, step_R, 0)[0]) * running_V[-1]
            token = int(np.searchsorted(running_V, place, side="right"))
            token = min(token, int(np.flatnonzero(left_V)[-1]))
            if field.permitted(token) and field.kept(token, *bounds):
                return token
            left_V[token] = 0
            attempt += 1
    raise stuck()


class Field:
    """The tokens of one draw, the most probable first, each looked at once at most."""

    def __init__(self, weights_V: NDArray[np.float64], permits: Permits) -> None:
        self._weights_V = weights_V
        self._permits = permits
        self._known: dict[int, bool] = {}

    def permitted(self, token: int) -> bool:
        """Tells whether a token may come."""
        known = self._known.get(token)
        if known is None:
            known = self._known[token] = self._permits(token)
        return known

    def kept(self, token: int, top_p: float, top_k: int, min_p: float) -> bool:
        """Tells whether a permitted token is left in by `top_k`, `min_p` and the nucleus of what is
        permitted: those of `sampling.py`, with every forbidden weight zero."""
        if top_p >= 1 and min_p <= 0 and not 0 < top_k < len(self._weights_V):
            return True
        own = float(self._weights_V[token])
        least, before, mass, count, last = 0.0, 0.0, 0.0, 0, 0.0
        rest = float(self._weights_V.sum())
        for each in self._descending():
            weight = float(self._weights_V[each])
            full = 0 < top_k <= count and weight < last
            if weight <= 0 or weight < least or full:
                if own <= weight:
                    return False  # it is among those that are left out
                rest = 0.0
                break
            if weight < own:
                # All that are more probable have been looked at, and `own` with them.
                if before == 0 or before < top_p * mass:
                    return True
                if before >= top_p * (mass + rest):
                    return False
            rest = max(0.0, rest - weight)
            if not self.permitted(each):
                continue
            if not count:
                least = min(min_p, 1.0) * weight
                if own < least:
                    return False
            count, last, mass = count + 1, weight, mass + weight
            before += weight if weight > own else 0.0
            if 0 < top_k <= count and own < weight:
                return False
        return before == 0 or before < top_p * mass

    def _descending(self) -> Iterator[int]:
        """Yields the tokens, the most probable first."""
        weights_V = self._weights_V
        most = min(SORTED, len(weights_V))
        top = np.argpartition(-weights_V, most - 1)[:most]
        first = top[np.argsort(-weights_V[top], kind="stable")]
        yield from first.tolist()
        if most < len(weights_V):
            others = np.argsort(-weights_V, kind="stable")
            begun = set(first.tolist())
            yield from (each for each in others.tolist() if each not in begun)
