"""A mixture of experts: each token goes to the few feed-forward layers that its gate likes best.

The gate's softmax is taken over all experts in float32, the best `active` are kept and their
weights scaled to sum to 1 (Jiang et al. 2024, Mixtral). Tokens are sorted by expert and
multiplied in groups, so no token is dropped and no shape depends on the data.

Legend: B batch, T time, N = B·T tokens, D width, F inner width, E experts, A active experts.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codewright.model.config import ModelConfig
from codewright.model.feed_forward import gated


class Load(NamedTuple):
    """How the tokens of one layer spread over its experts: both sum to A and 1."""

    chosen_E: Tensor
    """The share of tokens that chose each expert."""
    wanted_E: Tensor
    """The mean probability that the gate gave it."""


class Experts(nn.Module):
    """The experts of one layer and their gate."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        assert config.experts is not None
        inner, width = config.feed_forward.width, config.width
        self.count, self.active = config.experts.count, config.experts.active
        self.gate = nn.Linear(width, self.count, bias=False)
        self.up_EFD = nn.Parameter(torch.empty(self.count, 2 * inner, width))
        self.down_EDF = nn.Parameter(torch.empty(self.count, width, inner))

    def forward(self, x_BTD: Tensor) -> tuple[Tensor, Load]:
        """Returns what is added to the residual stream, [B, T, D], and the load."""
        x_ND = x_BTD.reshape(-1, x_BTD.shape[-1])
        chance_NE = self.gate(x_ND).float().softmax(-1)
        weight_NA, expert_NA = chance_NE.topk(self.active, dim=-1)
        weight_NA = weight_NA / weight_NA.sum(-1, keepdim=True)
        order = expert_NA.flatten().argsort(stable=True)
        token = order // self.active
        counts_E = torch.zeros(self.count, dtype=torch.int64, device=x_ND.device)
        counts_E = counts_E.scatter_add(0, expert_NA.flatten(), torch.ones_like(order))
        y_MD = self._run(x_ND[token], counts_E.cumsum(0).to(torch.int32))
        y_MD = y_MD * weight_NA.flatten()[order, None].to(y_MD.dtype)
        y_ND = torch.zeros_like(x_ND, dtype=y_MD.dtype).index_add(0, token, y_MD)
        load = Load(chosen_E=counts_E / x_ND.shape[0], wanted_E=chance_NE.mean(0))
        return y_ND.view(x_BTD.shape), load

    def _run(self, x_MD: Tensor, ends_E: Tensor) -> Tensor:
        """Multiplies rows sorted by expert; `ends_E` says where each expert's rows end."""
        device = x_MD.device.type
        if torch.is_autocast_enabled(device):  # autocast does not know grouped products
            x_MD = x_MD.to(torch.get_autocast_dtype(device))
        up_EDF = self.up_EFD.to(x_MD.dtype).transpose(1, 2)
        down_EFD = self.down_EDF.to(x_MD.dtype).transpose(1, 2)
        inner_MF = gated(F.grouped_mm(x_MD, up_EDF, offs=ends_E))
        return F.grouped_mm(inner_MF, down_EFD, offs=ends_E)


def balance(loads: list[Load]) -> Tensor:
    """Returns the load-balance loss over all layers, at its least (A) when all share alike.

    E · Σ chosen · wanted (Fedus et al. 2022, Switch, equation 4), with the means taken over the
    tokens of all layers together, as in `transformers`.
    """
    chosen_E = torch.stack([load.chosen_E for load in loads]).mean(0)
    wanted_E = torch.stack([load.wanted_E for load in loads]).mean(0)
    return chosen_E.shape[0] * (chosen_E * wanted_E).sum()
