"""Small decoders for the tests of the room, with every option of the config in some of them."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from codewright.model.config import (
    AttentionConfig,
    ExpertsConfig,
    FeedForwardConfig,
    ModelConfig,
    RotaryConfig,
)
from codewright.model.transformer import Decoder

ROTARY = {
    "none": RotaryConfig(base=5000.0),
    "linear": RotaryConfig(scaling="linear", factor=3.0),
    "llama3": RotaryConfig(scaling="llama3", factor=4.0, original_context=16, high_frequency=3.0),
    "yarn": RotaryConfig(scaling="yarn", factor=4.0, original_context=16),
}


def config(
    *,
    kv_heads: int = 2,
    tied: bool = True,
    norm: str = "rms",
    activation: str = "swiglu",
    biases: str = "",
    rotary: str = "none",
    experts: int = 0,
    **attention: Any,
) -> ModelConfig:
    """Returns a small config; `biases` names the places that have them: qkv, out, ff."""
    return ModelConfig(
        vocabulary=61,
        context=64,
        layers=3,
        width=32,
        norm=norm,
        tied=tied,
        attention=AttentionConfig(
            **{"heads": 4, "kv_heads": kv_heads, "head_dim": 8, **attention},
            qkv_bias="qkv" in biases,
            out_bias="out" in biases,
        ),
        rotary=ROTARY[rotary],
        feed_forward=FeedForwardConfig(width=48, activation=activation, bias="ff" in biases),
        experts=ExpertsConfig(count=experts, active=2) if experts else None,
    )


def decoder(shape: ModelConfig, seed: int = 0) -> Decoder:
    """Returns a decoder whose every parameter matters: no norm is 1, no bias 0, nothing small."""
    generator = torch.Generator().manual_seed(seed)
    model = Decoder(shape, generator=generator)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.15)
    return model.eval()


def tokens(shape: ModelConfig, batch: int, length: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(shape.vocabulary, (batch, length), generator=generator)


EVERY = {
    "llama": config(),
    "multi-head, untied": config(kv_heads=4, tied=False),
    "multi-query": config(kv_heads=1),
    "all biases": config(biases="qkv out ff"),
    "qwen2": config(biases="qkv", window=7, window_from=1),
    "qwen3": config(qk_norm=True, head_dim=16, tied=False),
    "starcoder2": config(norm="layer", activation="gelu_tanh", biases="qkv out ff", window=9),
    "exact gelu": config(norm="layer", activation="gelu"),
    "mixtral": config(experts=4, window=11, tied=False),
    **{rotary: config(rotary=rotary) for rotary in ("linear", "llama3", "yarn")},
}
"""One config for each option at least."""


def changed(shape: ModelConfig, **fields: Any) -> ModelConfig:
    return dataclasses.replace(shape, **fields)
