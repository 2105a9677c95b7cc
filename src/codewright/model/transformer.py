"""The decoder: embedding, layers of attention and feed-forward, final norm, head.

Pre-norm residual layers: x + attention(norm(x)), then x + feed_forward(norm(x)). The forward
pass ends at the hidden states; `logits` is apart so that a loss may take them in pieces. No
dropout, no loss, no sampling here.

Legend: B batch, T time, D width, V vocabulary; `…` any leading dimensions.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codewright.model.attention import Attention
from codewright.model.config import ModelConfig
from codewright.model.experts import Experts, Load, balance
from codewright.model.feed_forward import FeedForward
from codewright.model.layers import initialise, make_norm
from codewright.model.memory import Memory
from codewright.model.rotary import Rotary


class Output(NamedTuple):
    """What a forward pass gives."""

    hidden_BTD: Tensor
    """After the final norm."""
    balance: Tensor
    """The load-balance loss of the experts, a scalar; 0 without experts."""


class Layer(nn.Module):
    """One layer of the decoder."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.attention_norm = make_norm(config)
        self.attention = Attention(config, layer)
        self.feed_forward_norm = make_norm(config)
        self.feed_forward = FeedForward(config) if config.experts is None else Experts(config)

    def forward(
        self, x_BTD: Tensor, rotation: tuple[Tensor, Tensor], memory: Memory | None
    ) -> tuple[Tensor, Load | None]:
        x_BTD = x_BTD + self.attention(self.attention_norm(x_BTD), rotation, memory)
        if isinstance(self.feed_forward, Experts):
            y_BTD, load = self.feed_forward(self.feed_forward_norm(x_BTD))
            return x_BTD + y_BTD, load
        return x_BTD + self.feed_forward(self.feed_forward_norm(x_BTD)), None


class Decoder(nn.Module):
    """A decoder-only transformer.

    Args:
        config: its shape.
        generator: where the initial weights are drawn from; None: torch's own.
    """

    def __init__(self, config: ModelConfig, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.rotary = Rotary(config.rotary, config.attention.head_dim, config.context)
        self.layers = nn.ModuleList(Layer(config, layer) for layer in range(config.layers))
        self.norm = make_norm(config)
        self.head = None if config.tied else nn.Linear(config.width, config.vocabulary, bias=False)
        if self.embedding.weight.device.type != "meta":
            self.initialise(generator)

    @property
    def head_VD(self) -> Tensor:
        """The matrix that turns hidden states into logits."""
        return self.embedding.weight if self.head is None else self.head.weight

    def forward(self, ids_BT: Tensor, memory: Memory | None = None) -> Output:
        """Reads tokens.

        Args:
            ids_BT: token ids.
            memory: where they stand and what they see; None: rows of their own from position 0.
        """
        if memory is None:
            rotation = self.rotary(ids_BT.shape[1])
        else:
            rotation = self.rotary.at(memory.position_T)
        x_BTD = self.embedding(ids_BT)
        loads = []
        for layer in self.layers:
            x_BTD, load = layer(x_BTD, rotation, memory)
            if load is not None:
                loads.append(load)
        spread = balance(loads) if loads else torch.zeros((), device=ids_BT.device)
        return Output(self.norm(x_BTD), spread)

    def logits(self, hidden_D: Tensor) -> Tensor:
        """Returns the logits of hidden states, […, V]."""
        return F.linear(hidden_D, self.head_VD)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator | None = None) -> None:
        """Draws the weights anew: `layers.initialise` for matrices, 0 for biases, 1 for norms.

        The embedding has standard deviation 0.02, tied or not, so that first logits are small
        and the first loss is close to ln(vocabulary).
        """
        for name, parameter in self.named_parameters():
            if name == "embedding.weight" or name == "head.weight":
                nn.init.normal_(parameter, std=0.02, generator=generator)
            elif parameter.dim() > 1:
                residual = name.endswith(("attention.out.weight", "down.weight", "down_EDF"))
                initialise(parameter, self.config, residual=residual, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.ones_(parameter)
