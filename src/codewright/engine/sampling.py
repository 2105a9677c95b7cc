"""How the next token is drawn, and the slow and obvious form of it that every fast one equals.

From logits l: weights exp((l - max l) / temperature); all but the `top_k` largest are left out,
then those below `min_p` times the largest (Nguyen et al. 2024), then those outside of the nucleus:
a token is in it where the tokens that are more probable have less than `top_p` of what is left
(Holtzman et al. 2020, §3.1). Tokens of equal weight are in or out together. A temperature of 0
takes the most probable token, the first of several.

A token is drawn from what the nucleus is part of, and drawn again where it is outside: that is
distributed as a draw from the nucleus alone, and needs no sorting. Random numbers are a function
of (key of the row, step, attempt): what one row draws depends on no other.

Shapes: R rows, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ATTEMPTS = 16
"""Draws before the nucleus itself is laid out; most rows need one."""

COLDEST = 1e-5
"""A temperature below it is none: dividing by it would overflow."""

MANNER = np.dtype(
    [
        *((name, "<f4") for name in ("temperature", "top_p", "min_p")),
        *(("top_k", "<i4"), ("key", "<u8"), ("step", "<i8")),
    ]
)
"""How one row is drawn from: `Sampling`, the key of its random numbers, tokens drawn before."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_WORD = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are drawn. The defaults take the most probable one.

    Penalties are taken off the logits: `presence` once for a token that the row has written,
    `frequency` for each time that it has (OpenAI's rule); `repetition` divides a positive logit and
    multiplies a negative one, for every token of prompt and text (Keskar et al. 2019, CTRL, §4.1).
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition: float = 1.0
    presence: float = 0.0
    frequency: float = 0.0

    @property
    def penalised(self) -> bool:
        return self.repetition != 1.0 or self.presence != 0.0 or self.frequency != 0.0

    @property
    def greedy(self) -> bool:
        return self.temperature < COLDEST


def key(seed: int, row: int = 0) -> int:
    """Returns the key of a row; row i of seed s has that of row 0 of seed s + i."""
    return int(_mixed(np.array([(seed + row) & _WORD], dtype=np.uint64) * _GOLDEN)[0])


def uniforms(
    keys_R: NDArray[np.uint64], steps_R: NDArray[np.int64], attempt: int
) -> NDArray[np.float64]:
    """Returns a number in [0, 1) for each row: SplitMix64's, at this place of its sequence.

    Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators", §5.
    """
    place_R = steps_R.astype(np.uint64) * np.uint64(ATTEMPTS + 1) + np.uint64(attempt + 1)
    return (_mixed(keys_R + place_R * _GOLDEN) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def penalise(logits_V: NDArray[np.float32], how: Sampling, prompt: Any, written: Any) -> None:
    """Changes the logits of one row by the tokens of its prompt and of its text."""
    seen = np.unique(np.concatenate([np.asarray(prompt, np.int64), np.asarray(written, np.int64)]))
    if how.repetition != 1.0 and len(seen):
        of_seen = logits_V[seen]
        logits_V[seen] = np.where(of_seen > 0, of_seen / how.repetition, of_seen * how.repetition)
    tokens, counts = np.unique(np.asarray(written, np.int64), return_counts=True)
    logits_V[tokens] -= (how.presence + how.frequency * counts).astype(np.float32)


def draw(logits_V: NDArray[np.float32], manner: Any) -> tuple[int, float]:
    """Draws from one row; returns the token, and the log of what it had at temperature 1."""
    exact_V = logits_V.astype(np.float64) - float(logits_V.max())
    log_total = float(np.log(np.exp(exact_V).sum()))
    if manner["temperature"] < COLDEST:
        token = int(exact_V.argmax())
    else:
        token = _drawn(np.exp(exact_V / float(manner["temperature"])), manner)
    return token, float(exact_V[token]) - log_total


def kept(weights_V: NDArray[np.float64], *, top_k: int, min_p: float) -> NDArray[np.float64]:
    """Returns the weights with those that `top_k` and `min_p` leave out set to zero."""
    if 0 < top_k < len(weights_V):
        least = np.sort(weights_V)[-top_k]
        weights_V = np.where(weights_V >= least, weights_V, 0)
    return np.where(weights_V >= min(min_p, 1.0) * weights_V.max(), weights_V, 0)


def nucleus(weights_V: NDArray[np.float64], top_p: float) -> NDArray[np.float64]:
    """Returns the weights with those outside of the nucleus set to zero."""
    descending = np.sort(weights_V)[::-1]
    before = np.cumsum(descending) - descending
    inside = before < top_p * descending.sum()
    inside[0] = True
    return np.where(weights_V >= descending[inside].min(), weights_V, 0)


def _drawn(weights_V: NDArray[np.float64], manner: Any) -> int:
    weights_V = kept(weights_V, top_k=int(manner["top_k"]), min_p=float(manner["min_p"]))
    inside_V = weights_V
    if manner["top_p"] < 1:
        inside_V = nucleus(weights_V, float(manner["top_p"]))
    for attempt in range(ATTEMPTS):
        token = _inverse(weights_V, _uniform(manner, attempt))
        if inside_V[token] > 0:
            return token
    return _inverse(inside_V, _uniform(manner, ATTEMPTS))


def _uniform(manner: Any, attempt: int) -> float:
    key_R, step_R = np.array([manner["key"]]), np.array([manner["step"]])
    return float(uniforms(key_R, step_R, attempt)[0])


def _inverse(weights_V: NDArray[np.float64], place: float) -> int:
    """Returns the token where the running sum first passes `place` of it all."""
    running_V = np.cumsum(weights_V)
    token = int(np.searchsorted(running_V, place * running_V[-1], side="right"))
    # Rounding must not carry it past the last token that has a weight.
    return min(token, int(np.nonzero(weights_V)[0][-1]))


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
