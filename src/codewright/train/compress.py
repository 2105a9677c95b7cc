"""Training with weights as they will be stored: rounded to few bits, or with zeros that stay.

In the forward pass the linear layers have their weights rounded to nearest, scales found anew each
time; the gradient goes to the weights as if they had not been (the straight-through estimator:
Bengio et al. 2013; for weights in training, Jacob et al. 2018). What is learned, saved and moved by
the optimiser is the exact weight, so a run's checkpoint is one like any other, and `quantize` of it
is what the loss saw. Embedding and head stay exact: in storage they have eight bits.

Rows of inputs are not rounded, and experts are not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codewright.errors import ConfigError
from codewright.model.quantize import Scheme, dequantize, rounded, scales
from codewright.model.transformer import Decoder
from codewright.train.distributed import whole


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressConfig:
    """The `[train.compress]` table.

    bits: of the linear layers' weights in the forward pass, 0 for exact ones. group: inputs that
    share a scale, 0 for a whole row. keep_zeros: weights that are zero at the start stay zero, as
    a pruned checkpoint's must.
    """

    bits: Literal[0, 4, 8] = 0
    group: int = 0
    keep_zeros: bool = False

    def __post_init__(self) -> None:
        if self.bits:
            Scheme(bits=self.bits, group=self.group)
        elif self.group:
            raise ValueError("a group without bits")


class RoundedLinear(nn.Linear):
    """A linear layer that multiplies by its weight as it will be stored."""

    def __init__(self, linear: nn.Linear, scheme: Scheme) -> None:
        """Takes the parameters of `linear`, under their names."""
        super().__init__(linear.in_features, linear.out_features, bias=False, device="meta")
        self.weight, self.bias = linear.weight, linear.bias
        self._scheme = scheme

    def forward(self, x_I: Tensor) -> Tensor:
        """Returns […, O]."""
        weight_OI = _StraightThrough.apply(  # type: ignore[no-untyped-call]
            self.weight, self._scheme
        )
        return F.linear(x_I, weight_OI, self.bias)


class _StraightThrough(torch.autograd.Function):
    """Rounds, and lets the gradient pass."""

    @staticmethod
    def forward(ctx: Any, weight_OI: Tensor, scheme: Scheme) -> Tensor:
        scale_OG = scales(weight_OI, scheme)
        return dequantize(rounded(weight_OI, scale_OG, scheme.bits), scale_OG)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def prepare(config: CompressConfig, model: Decoder) -> None:
    """Puts rounding layers in the place of the linear ones, if `config` asks for bits.

    Raises:
        ConfigError: the model has experts, or a width that the groups do not divide.
    """
    if not config.bits:
        return
    if model.config.experts is not None:
        raise ConfigError("experts are not trained with rounded weights", hint="leave bits out")
    scheme = Scheme(bits=config.bits, group=config.group)
    for name, part in list(model.layers.named_modules(prefix="layers")):
        if isinstance(part, nn.Linear):
            scheme.check(name, part.in_features)
            parent, _, leaf = name.rpartition(".")
            model.get_submodule(parent).add_module(leaf, RoundedLinear(part, scheme))


class Zeros:
    """The weights of linear layers that are zero, to be put back after each update."""

    def __init__(self, model: Decoder) -> None:
        """Looks at the weights as they are.

        Raises:
            ConfigError: none is zero.
        """
        weights = [part.weight for part in model.layers.modules() if isinstance(part, nn.Linear)]
        self._masks = [(weight, (weight.detach() != 0).to(weight.dtype)) for weight in weights]
        if all(bool(whole(mask.min()) > 0) for _, mask in self._masks):
            raise ConfigError(
                "train.compress.keep_zeros is set, and the model begins without zeros",
                hint="name a pruned checkpoint by train.start",
            )

    @torch.no_grad()
    def restore(self) -> None:
        """Puts the zeros back."""
        for weight, mask in self._masks:
            weight.mul_(mask)
