"""Drawing the next token of many rows at once: greedy, with a temperature, from a nucleus.

    ids_R, log_R = Draw(temperature=0.8, top_p=0.95)(logits_RV, keys, step)

Shapes: R rows, V vocabulary. Nothing is sorted. A token is drawn from the whole distribution and
kept where it is in the nucleus, else drawn again: what is kept is distributed as a draw from the
nucleus alone, and to look whether a token is in it costs a tenth of laying it out.

The nucleus (Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", §3.1) is every
token for which the tokens that are more probable have less than `top_p` together. Tokens of equal
probability are in it together. It is taken after the temperature.

Random numbers are a function of (key of the row, step, attempt): what one row draws depends on no
other row, nor on which rows are there.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

ATTEMPTS = 16
"""Draws before the nucleus of a row is laid out by sorting: most rows need one."""

COLDEST = 1e-5
"""A temperature below it is none: dividing by it would overflow."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_WORD = (1 << 64) - 1


def keys(seed: int, first: int, count: int) -> NDArray[np.uint64]:
    """Returns the keys of the rows `first` to `first + count`.

    Row i of seed s has the key of row 0 of seed s + i.
    """
    rows = np.arange(count, dtype=np.uint64) + np.uint64((seed + first) & _WORD)
    return _mixed(rows * _GOLDEN)


def uniforms(keys: NDArray[np.uint64], step: int, attempt: int) -> NDArray[np.float64]:
    """Returns a number in [0, 1) for each key: SplitMix64's, at this place of its sequence.

    Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators", §5.
    """
    place = (step * (ATTEMPTS + 1) + attempt + 1) * int(_GOLDEN) & _WORD
    return (_mixed(keys + np.uint64(place)) >> np.uint64(11)).astype(np.float64) * 2.0**-53


class Draw:
    """Draws tokens, one step after the other. Keeps memory to work in, nothing else."""

    def __init__(self, *, temperature: float, top_p: float) -> None:
        """`temperature` 0 takes the most probable token; `top_p` is the mass of the nucleus."""
        self._temperature = temperature
        self._top_p = top_p
        self._scratch_RV = torch.empty(0, 0)

    def __call__(
        self, logits_RV: Tensor, keys: NDArray[np.uint64], step: int
    ) -> tuple[Tensor, Tensor]:
        """Returns the drawn tokens, and the natural log of what each had at temperature 1, [R].

        Args:
            logits_RV: float32, overwritten; -inf forbids a token, each row allows one at least.
            keys: one for each row.
            step: how many tokens each row has drawn before.
        """
        if self._scratch_RV.shape != logits_RV.shape:
            self._scratch_RV = torch.empty_like(logits_RV)
        logits_RV -= logits_RV.amax(-1, keepdim=True)
        total_R = torch.exp(logits_RV, out=self._scratch_RV).sum(-1)
        if self._temperature < COLDEST:
            ids_R = logits_RV.argmax(-1)
            return ids_R, _of(logits_RV, ids_R) - total_R.log()
        weights_RV = logits_RV.mul_(1 / self._temperature).exp_()
        ids_R = self._sampled(weights_RV, keys, step)
        return ids_R, _of(weights_RV, ids_R).log() * self._temperature - total_R.log()

    def _sampled(self, weights_RV: Tensor, keys: NDArray[np.uint64], step: int) -> Tensor:
        """Draws from `weights_RV`, whose rows need not sum to one."""
        cumulative_RV = torch.cumsum(weights_RV, -1, out=self._scratch_RV)
        ids_R = _inverse(cumulative_RV, uniforms(keys, step, 0))
        if self._top_p >= 1:
            return ids_R
        # What has more than the rest of the mass is inside, whatever stands above it.
        doubtful_R = _of(weights_RV, ids_R) <= (1 - self._top_p) * cumulative_RV[:, -1]
        rows = doubtful_R.nonzero()[:, 0]
        if len(rows):
            rows = rows[_outside(weights_RV[rows], ids_R[rows], self._top_p)]
        for attempt in range(1, ATTEMPTS):
            if not len(rows):
                return ids_R
            left_RV = weights_RV[rows]
            again_R = _inverse(left_RV.cumsum(-1), uniforms(keys[_host(rows)], step, attempt))
            ids_R[rows] = again_R
            rows = rows[_outside(left_RV, again_R, self._top_p)]
        if len(rows):
            inside_RV = nucleus(weights_RV[rows], self._top_p)
            last = uniforms(keys[_host(rows)], step, ATTEMPTS)
            ids_R[rows] = _inverse(inside_RV.cumsum(-1), last)
        return ids_R


def nucleus(weights_RV: Tensor, top_p: float) -> Tensor:
    """Returns the weights with those outside of the nucleus set to zero."""
    sorted_RV = weights_RV.sort(-1, descending=True).values
    before_RV = sorted_RV.cumsum(-1) - sorted_RV
    inside_RV = before_RV < top_p * sorted_RV.sum(-1, keepdim=True)
    inside_RV[:, 0] = True
    least_R1 = torch.where(inside_RV, sorted_RV, torch.inf).amin(-1, keepdim=True)
    return torch.where(weights_RV >= least_R1, weights_RV, 0)


def _of(values_RV: Tensor, ids_R: Tensor) -> Tensor:
    return values_RV.gather(-1, ids_R[:, None])[:, 0]


def _host(rows: Tensor) -> NDArray[np.int64]:
    found: NDArray[np.int64] = rows.cpu().numpy()
    return found


def _inverse(cumulative_RV: Tensor, uniform: NDArray[np.float64]) -> Tensor:
    """Returns the token where each row's cumulative weight first passes `uniform` of it all."""
    total_R = cumulative_RV[:, -1]
    place_R = torch.from_numpy(uniform).to(total_R) * total_R
    # Rounding must not carry a row past its end, where tokens of no weight may stand.
    below_R = torch.nextafter(total_R, torch.zeros_like(total_R))
    place_R1 = torch.minimum(place_R, below_R)[:, None]
    return torch.searchsorted(cumulative_RV, place_R1, right=True)[:, 0]


def _outside(weights_RV: Tensor, ids_R: Tensor, top_p: float) -> Tensor:
    """Returns, for each row, whether its token is not in the nucleus."""
    own_R = _of(weights_RV, ids_R)
    above_R = functional.threshold(weights_RV / own_R[:, None], 1.0, 0.0).sum(-1) * own_R
    # The most probable token is inside, however small the nucleus is.
    return (above_R > 0) & (above_R >= top_p * weights_RV.sum(-1))


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
