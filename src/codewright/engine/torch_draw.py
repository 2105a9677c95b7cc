"""Drawing the next token of many rows at once, in torch: `sampling.draw` without sorting.

Shapes: R rows, V vocabulary. A token is drawn from the whole distribution and kept where it is in
the nucleus, else drawn again: what is kept is distributed as a draw from the nucleus alone, and to
look whether a token is in it costs a tenth of laying it out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from codewright.engine.sampling import ATTEMPTS, COLDEST, uniforms


def draw(logits_RV: Tensor, manners_R: NDArray[Any]) -> tuple[Tensor, Tensor]:
    """Returns the drawn tokens, and the natural log of what each had at temperature 1, [R].

    Args:
        logits_RV: float32, overwritten; -inf forbids a token, each row allows one at least.
        manners_R: `sampling.MANNER`, one for each row.
    """
    device = logits_RV.device
    logits_RV -= logits_RV.amax(-1, keepdim=True)
    log_total_R = logits_RV.exp().sum(-1).log()
    cold_R = torch.from_numpy(manners_R["temperature"] < COLDEST).to(device)
    greedy_R = logits_RV.argmax(-1)
    ids_R = greedy_R
    if not bool(cold_R.all()):
        temperature_R = _column(manners_R, "temperature", device).clamp(min=COLDEST)
        weights_RV = _kept((logits_RV / temperature_R[:, None]).exp(), manners_R)
        ids_R = torch.where(cold_R, greedy_R, _sampled(weights_RV, manners_R))
    return ids_R, _of(logits_RV, ids_R) - log_total_R


def _column(manners_R: NDArray[Any], name: str, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(manners_R[name])).to(device)


def _kept(weights_RV: Tensor, manners_R: NDArray[Any]) -> Tensor:
    """Returns the weights with those that `top_k` and `min_p` leave out set to zero."""
    V = weights_RV.shape[-1]
    most_R = _column(manners_R, "top_k", weights_RV.device).long()
    bound_R = (most_R > 0) & (most_R < V)
    if bool(bound_R.any()):
        sorted_RV = weights_RV.sort(-1, descending=True).values
        least_R = _of(sorted_RV, torch.where(bound_R, most_R, V) - 1)
        weights_RV = torch.where(weights_RV >= least_R[:, None], weights_RV, 0)
    if manners_R["min_p"].any():
        least_R = _column(manners_R, "min_p", weights_RV.device).clamp(max=1)
        top_R1 = weights_RV.amax(-1, keepdim=True)
        weights_RV = torch.where(weights_RV >= least_R[:, None] * top_R1, weights_RV, 0)
    return weights_RV


def _sampled(weights_RV: Tensor, manners_R: NDArray[Any]) -> Tensor:
    """Draws from `weights_RV`, whose rows need not sum to one."""
    keys_R, steps_R = manners_R["key"], manners_R["step"]
    top_p_R = _column(manners_R, "top_p", weights_RV.device)
    cumulative_RV = weights_RV.cumsum(-1)
    ids_R = _inverse(cumulative_RV, uniforms(keys_R, steps_R, 0))
    # What has more than the rest of the mass is inside, whatever stands above it.
    doubtful_R = (_of(weights_RV, ids_R) <= (1 - top_p_R) * cumulative_RV[:, -1]) & (top_p_R < 1)
    rows = doubtful_R.nonzero()[:, 0]
    if len(rows):
        rows = rows[_outside(weights_RV[rows], ids_R[rows], top_p_R[rows])]
    for attempt in range(1, ATTEMPTS):
        if not len(rows):
            return ids_R
        left_RV, host = weights_RV[rows], _host(rows)
        again_R = _inverse(left_RV.cumsum(-1), uniforms(keys_R[host], steps_R[host], attempt))
        ids_R[rows] = again_R
        rows = rows[_outside(left_RV, again_R, top_p_R[rows])]
    if len(rows):
        inside_RV, host = nucleus(weights_RV[rows], top_p_R[rows]), _host(rows)
        last_R = uniforms(keys_R[host], steps_R[host], ATTEMPTS)
        ids_R[rows] = _inverse(inside_RV.cumsum(-1), last_R)
    return ids_R


def nucleus(weights_RV: Tensor, top_p_R: Tensor) -> Tensor:
    """Returns the weights with those outside of the nucleus set to zero."""
    sorted_RV = weights_RV.sort(-1, descending=True).values
    before_RV = sorted_RV.cumsum(-1) - sorted_RV
    inside_RV = before_RV < top_p_R[:, None] * sorted_RV.sum(-1, keepdim=True)
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


def _outside(weights_RV: Tensor, ids_R: Tensor, top_p_R: Tensor) -> Tensor:
    """Returns, for each row, whether its token is not in the nucleus."""
    own_R = _of(weights_RV, ids_R)
    above_R = functional.threshold(weights_RV / own_R[:, None], 1.0, 0.0).sum(-1) * own_R
    # The most probable token is inside, however small the nucleus is.
    return (above_R > 0) & (above_R >= top_p_R * weights_RV.sum(-1))
